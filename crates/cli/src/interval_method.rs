//! How a model makes its intervals, and from what.

use std::fmt;

use serde::Serialize;

use ordinate_model::artifact::Document;
use ordinate_model::estimator::Coefficients;
use ordinate_model::task::Task;
use ordinate_train::plan::TEST_ROWS;

/// What intervals, or prediction sets, are made from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "method", rename_all = "kebab-case")]
pub(super) enum Certainty {
    /// By the theory of least squares.
    StudentT { degrees_of_freedom: u32 },
    /// By the same theory, which holds for ridge but nearly.
    #[serde(rename = "student-t-ridge")]
    StudentTRidge { degrees_of_freedom: u32 },
    /// From errors on rows that a fit had not seen.
    Conformal {
        held_out_rows: u64,
        /// Whether the model saw those rows later.
        refitted: bool,
        #[serde(skip)]
        task: Task,
    },
}

impl Certainty {
    /// None of a file that has nothing to make them from.
    pub(super) fn of(document: &Document) -> Option<Self> {
        let inference = document.inference.as_ref()?;
        match (inference.degrees_of_freedom, &document.estimator) {
            (Some(degrees_of_freedom), Coefficients::Ridge(_)) => Some(Self::StudentTRidge { degrees_of_freedom }),
            (Some(degrees_of_freedom), _) => Some(Self::StudentT { degrees_of_freedom }),
            (None, _) => Some(Self::Conformal {
                held_out_rows: inference.conformal.as_ref()?.rows,
                refitted: !document.training.parameters.contains_key(TEST_ROWS),
                task: document.task,
            }),
        }
    }

    /// In words, also where there are none.
    pub(super) fn told(document: &Document) -> String {
        let advice = "none: train with rows held out (--test-fraction above 0, or --test FILE)";
        Self::of(document).map_or_else(|| advice.to_owned(), |certainty| certainty.to_string())
    }
}

impl fmt::Display for Certainty {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StudentT { degrees_of_freedom } => {
                write!(out, "Student's t, {degrees_of_freedom} degrees of freedom")
            }
            Self::StudentTRidge { degrees_of_freedom } => write!(
                out,
                "Student's t, {degrees_of_freedom} degrees of freedom; too narrow if the penalty is far too large"
            ),
            Self::Conformal { held_out_rows, refitted, task } => {
                let sets = if *task == Task::Classification { "prediction sets " } else { "" };
                write!(out, "{sets}from the errors on {held_out_rows} rows that a fit had not seen")?;
                out.write_str(if *refitted { "; this one saw them too, so they tend to be a little wide" } else { "" })
            }
        }
    }
}

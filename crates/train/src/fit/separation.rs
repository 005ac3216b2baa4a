//! Columns that separate the classes, in errors of a fit without a penalty and notes on one with a penalty.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::in_classes;
use crate::error::TrainError;
use crate::solver::design_rows::{DesignRow, DesignRows};
use crate::solver::error::SolveError;
use crate::solver::logistic::{ColumnSeparation, SeparatedClasses, Separation, SeparationProof, separating_columns};
use crate::summary::rounded;
use crate::training_rows::TrainingRows;
use crate::training_table::TrainingTable;
use ordinate_model::scalar::Scalar;
use ordinate_model::wording::{NAMED, counted, listed, one_line};
use ordinate_table::infer::name_option;
use ordinate_table::{SpoolError, shell_word};

/// The most separating columns that a message describes.
const MOST_DESCRIBED: usize = 3;

/// As [`in_classes`], with the names of the columns that separate the classes.
pub(super) fn in_separated_classes(table: &TrainingTable) -> impl Fn(SolveError) -> TrainError + '_ {
    move |error| match error {
        SolveError::Separated(proof) => separated(table, &proof).unwrap_or_else(|failed| failed),
        other => in_classes(table)(other),
    }
}

/// The note on a fit with a penalty whose classes these columns separate.
pub(super) fn note(proof: &SeparationProof, names: &[String], classes: &[Scalar]) -> String {
    format!(
        "only the penalty keeps some coefficients finite (separation), and a larger C makes them larger: {}",
        describe(proof, names, classes)
    )
}

/// The error of columns that separate the classes.
fn separated(table: &TrainingTable, proof: &SeparationProof) -> Result<TrainError, TrainError> {
    let error = |what: String, help: &str| TrainError::Separated {
        data: table.label(),
        what,
        help: format!("fit with a penalty: --c 1{help}"),
    };
    if let SeparationProof::Combination(_) = proof {
        let references = ReferenceLevels::new(table);
        let found = separating_columns(&references, table.classes().len(), true).map_err(in_classes(table))?;
        if let Some(reference) = found.first().and_then(|first| references.levels.get(first.column)) {
            let what = describe(&SeparationProof::Columns(found), &references.names, table.classes());
            return Ok(error(what, &format!(", or {}", reference.merged())));
        }
    }
    let columns: Vec<usize> = match proof {
        SeparationProof::Columns(columns) => columns.iter().map(|separation| separation.column).collect(),
        SeparationProof::Combination(separation) => separation.columns.clone(),
    };
    let excluded = match columns.as_slice() {
        [column] if table.names().len() > 1 => {
            let name = table.names().get(*column).map(|name| name_option(name)).unwrap_or_default();
            format!(", or leave the column out with --exclude {}", shell_word(&name))
        }
        _ => String::new(),
    };
    Ok(error(describe(proof, table.names(), table.classes()), &excluded))
}

/// The columns, of these names, that separate the classes, and how.
fn describe(proof: &SeparationProof, names: &[String], classes: &[Scalar]) -> String {
    let quoted = |column: &usize| names.get(*column).map(|name| format!("{:?}", one_line(name))).unwrap_or_default();
    match proof {
        SeparationProof::Columns(columns) => {
            let described = columns.iter().take(MOST_DESCRIBED);
            let described: Vec<String> = described
                .map(|separation| format!("{} {}", quoted(&separation.column), sides(separation, classes)))
                .collect();
            let mut what = described.join("; ");
            let more = columns.len() - described.len();
            if more > 0 {
                let _ = write!(what, "; and {}", counted(more, "more column", "more columns"));
            }
            what
        }
        SeparationProof::Combination(Separation { columns, complete }) => {
            let names = listed(columns.iter().map(quoted), NAMED);
            let which = if columns.len() == 1 { names } else { format!("a combination of the columns {names}") };
            let what = if *complete { "the classes" } else { "some rows of a class from the others" };
            format!("{which} separates {what}")
        }
    }
}

/// Such as `is 0 in every row of the class "yes"`.
fn sides(separation: &ColumnSeparation, classes: &[Scalar]) -> String {
    let ColumnSeparation { low, high, .. } = separation;
    let of = |positions: &[usize]| {
        let labels = positions.iter().filter_map(|class| classes.get(*class));
        let labels: Vec<String> = labels.map(|label| format!("{:?}", label.to_string())).collect();
        let noun = if labels.len() == 1 { "class" } else { "classes" };
        format!("the {noun} {}", listed(&labels, NAMED))
    };
    let constant = |side: &SeparatedClasses| {
        let [least, most] = side.range;
        (least.to_bits() == most.to_bits())
            .then(|| format!("is {} in every row of {}", rounded(least, 15), of(&side.classes)))
    };
    constant(low).or_else(|| constant(high)).unwrap_or_else(|| {
        let ([_, low_end], [high_end, _]) = (low.range, high.range);
        format!(
            "is at most {} in {} and at least {} in {}",
            rounded(low_end, 15),
            of(&low.classes),
            rounded(high_end, 15),
            of(&high.classes)
        )
    })
}

/// The rows with the columns that the reference levels of categories would have.
struct ReferenceLevels<'t> {
    rows: TrainingRows<'t>,
    names: Vec<String>,
    levels: Vec<ReferenceLevel>,
}

/// The reference level of a category.
struct ReferenceLevel {
    feature: String,
    level: String,
    /// Another level.
    other: String,
    /// The columns of the other levels.
    columns: Vec<usize>,
}

impl ReferenceLevel {
    /// How to merge the level with another one.
    fn merged(&self) -> String {
        let Self { feature, level, other, .. } = self;
        format!(
            "merge the level with another one, for example --reference {} --exclude {}",
            shell_word(&format!("{feature}={other}")),
            shell_word(&name_option(&format!("{feature}={level}")))
        )
    }
}

impl<'t> ReferenceLevels<'t> {
    fn new(table: &'t TrainingTable) -> Self {
        let mut by_feature: BTreeMap<&str, Vec<(&str, usize)>> = BTreeMap::new();
        for (column, design) in table.columns().iter().enumerate() {
            if let [factor] = design.product.as_slice()
                && let Some(level) = &factor.level
            {
                by_feature.entry(&factor.feature).or_default().push((level, column));
            }
        }
        let features = table.signature().features().iter();
        let levels = features.filter_map(|feature| {
            let others = by_feature.get(feature.name.as_str())?;
            let mut without_column =
                feature.levels.iter().filter(|level| others.iter().all(|(other, _)| other != level));
            // Of several, one left the design for another reason.
            let (Some(level), None) = (without_column.next(), without_column.next()) else { return None };
            let (other, _) = others.first()?;
            let columns = others.iter().map(|(_, column)| *column).collect();
            Some(ReferenceLevel {
                feature: feature.name.clone(),
                level: level.clone(),
                other: (*other).to_owned(),
                columns,
            })
        });
        let levels: Vec<ReferenceLevel> = levels.collect();
        let names = levels.iter().map(|reference| format!("{}={}", reference.feature, reference.level)).collect();
        Self { rows: TrainingRows { table, holdout: None }, names, levels }
    }
}

impl DesignRows for ReferenceLevels<'_> {
    fn columns(&self) -> &[String] {
        &self.names
    }

    fn scan<E: From<SpoolError> + Send>(&self, each: &mut dyn FnMut(DesignRow<'_>) -> Result<(), E>) -> Result<(), E> {
        let mut design = Vec::with_capacity(self.levels.len());
        self.rows.scan(&mut |row| {
            let is_other = |column: &usize| row.design.get(*column).is_some_and(|value| *value != 0.0);
            design.clear();
            design.extend(
                self.levels.iter().map(|reference| f64::from(u8::from(!reference.columns.iter().any(is_other)))),
            );
            each(DesignRow { design: &design, ..row })
        })
    }
}

//! How a model computes intervals or prediction sets, in words.

use ordinate_model::artifact::Document;
use ordinate_model::estimator::Coefficients;
use ordinate_model::task::Task;
use ordinate_train::plan::TEST_ROWS;

/// A description for `train` and `inspect`. `inspect --json` and `GET /models/{name}` have the same facts as data.
pub(super) fn describe(document: &Document) -> String {
    let inference = document.inference.as_ref();
    if let Some(freedom) = inference.and_then(|inference| inference.degrees_of_freedom) {
        let biased = if matches!(document.estimator, Coefficients::Ridge(_)) {
            "; too narrow if the regularization is far too strong"
        } else {
            ""
        };
        return format!("Student's t, {freedom} degrees of freedom{biased}");
    }
    let mean = match inference.and_then(|inference| inference.dispersion) {
        Some(_) => "; of the mean: normal on the logarithmic scale",
        None => "",
    };
    let Some(conformal) = inference.and_then(|inference| inference.conformal.as_ref()) else {
        return format!("not available; hold out rows (--test-fraction above 0, or --test FILE) to compute them{mean}");
    };
    let sets = if document.task == Task::Classification { "prediction sets, " } else { "" };
    let rows = conformal.rows;
    if document.training.parameters.contains_key(TEST_ROWS) {
        format!("{sets}conformal, from the errors on {rows} test rows{mean}")
    } else {
        format!(
            "{sets}conformal, from the errors on {rows} held-out rows; slightly wide, as the model is fitted to all rows{mean}"
        )
    }
}

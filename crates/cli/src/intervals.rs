//! How a model computes intervals or prediction sets, in words.

use ordinate_model::artifact::Document;
use ordinate_model::estimator::Coefficients;
use ordinate_model::task::Task;
use ordinate_train::measured_rows::MeasuredRows;

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
    let measured = MeasuredRows::from_training(&document.training);
    let refitted = match measured {
        MeasuredRows::HeldOut => "; slightly wide, as the model is fitted to all rows",
        MeasuredRows::TestData => "",
    };
    format!("{sets}conformal, from the errors on {} {}{refitted}{mean}", conformal.rows, measured.noun())
}

//! Pickles, joblib and skops files: what is read becomes a model file that loads again, or an error with advice.

use ordinate_import::file::read;
use ordinate_import::{Column, Draft, Facts, sklearn};
use ordinate_model::Model;
use ordinate_model::identity::ModelName;

/// The most features of a model that are made up for a file without names.
const MAX_WIDTH: usize = 64;

/// Checks a file.
pub(crate) fn check(file: &[u8]) -> bool {
    let fitted = match read(file) {
        Ok(fitted) => fitted,
        Err(error) => {
            assert!(error.to_string().contains("\nhelp: "), "{error}");
            return false;
        }
    };
    let width = fitted.width.unwrap_or(1).min(MAX_WIDTH);
    let names = fitted.names.unwrap_or_else(|| (0..width).map(|position| format!("x{position}")).collect());
    let facts = Facts {
        name: ModelName::from_text_lossy("fuzz"),
        target: "y".to_owned(),
        created: "2026-01-01T00:00:00Z".to_owned(),
        tool: "fuzz".to_owned(),
        library: "scikit-learn".to_owned(),
        columns: names.iter().map(|name| Column::new(name)).collect(),
    };
    let document = sklearn::draft(&fitted.estimator, &facts).and_then(Draft::seal_without_data);
    document.is_ok_and(|document| {
        Model::from_json(document.to_json().unwrap()).unwrap();
        true
    })
}

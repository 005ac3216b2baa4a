//! The extension module `ordinate._core`. The package's Python code turns tables into columns and answers into tables;
//! this module has the models, the imports and the command line.

mod cells;
mod errors;
mod interrupt;
mod model;

use std::ffi::OsString;
use std::process::ExitCode;

use ordinate_import::{Draft, Facts, ImportError, Value, sklearn, statsmodels};
use ordinate_model::artifact::Golden;
use pyo3::prelude::*;

#[pymodule]
mod _core {
    #[pymodule_export]
    use super::model::Model;
    #[pymodule_export]
    use super::{default_target, from_sklearn, from_statsmodels, main};

    #[pymodule_init]
    fn init(module: &pyo3::Bound<'_, pyo3::types::PyModule>) -> pyo3::PyResult<()> {
        use pyo3::types::PyModuleMethods;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}

/// The model file of a fitted estimator of scikit-learn, as JSON: from its objects, the facts about it, and golden rows.
#[pyfunction]
fn from_sklearn(py: Python<'_>, estimator: &str, facts: &str, golden: &str) -> PyResult<String> {
    import(py, sklearn::draft, [estimator, facts, golden])
}

/// The same for results of statsmodels.
#[pyfunction]
fn from_statsmodels(py: Python<'_>, results: &str, facts: &str, golden: &str) -> PyResult<String> {
    import(py, statsmodels::draft, [results, facts, golden])
}

/// The name of a target when none is given: one that none of the features has.
#[pyfunction]
// Python passes a list.
#[allow(clippy::needless_pass_by_value)]
fn default_target(names: Vec<String>) -> String {
    ordinate_import::default_target(names.iter().map(String::as_str))
}

/// The model file, as JSON, of the JSON forms of a fitted model, of its facts, and of its golden rows.
fn import(
    py: Python<'_>,
    draft: fn(&Value, &Facts) -> Result<Draft, ImportError>,
    [fitted, facts, golden]: [&str; 3],
) -> PyResult<String> {
    let import = || {
        let malformed = |error: serde_json::Error| ("ValueError", error.to_string());
        let facts: Facts = serde_json::from_str(facts).map_err(malformed)?;
        let golden: Golden = serde_json::from_str(golden).map_err(malformed)?;
        let imported = |error: ImportError| ("NotExportableError", error.to_string());
        let fitted = Value::from_json(fitted.as_bytes()).map_err(imported)?;
        let document = draft(&fitted, &facts).and_then(|draft| draft.seal(golden)).map_err(imported)?;
        document.to_json().map_err(|error| ("NotExportableError", error.to_string()))
    };
    py.detach(import).map_err(|(class, message)| errors::error(py, class, &message))
}

/// Runs the command line and returns its exit code. Wrong usage and `--help` end the process, as on the command line.
#[pyfunction]
fn main(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    let code = py.detach(|| ordinate_cli::run_from(arguments));
    u8::from(code != ExitCode::SUCCESS)
}

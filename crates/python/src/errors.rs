//! The exceptions of the package, which its Python code defines.

use ordinate_model::frame::Faults;
use ordinate_model::wording::counted;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// An exception of `ordinate._errors` or a built-in one.
pub(crate) fn error(py: Python<'_>, class: &str, message: &str) -> PyErr {
    let class = |module: &str| py.import(module)?.getattr(class)?.call1((message,));
    match class("ordinate._errors").or_else(|_| class("builtins")) {
        Ok(exception) => PyErr::from_value(exception),
        Err(_) => PyRuntimeError::new_err(message.to_owned()),
    }
}

/// `row 3, "bmi": expected a number, got the string "high"`, one line a fault.
pub(crate) fn faults_message(faults: &Faults) -> String {
    let mut lines: Vec<String> = faults
        .listed
        .iter()
        .map(|fault| {
            let row = fault.place.row.map(|row| format!("row {row}"));
            let feature = fault.place.feature.as_ref().map(|feature| format!("{feature:?}"));
            let place = row.into_iter().chain(feature).collect::<Vec<_>>().join(", ");
            match (place.is_empty(), fault.detail.starts_with("is ") || fault.detail.starts_with("has ")) {
                (true, _) => fault.detail.clone(),
                (false, true) => format!("{place} {}", fault.detail),
                (false, false) => format!("{place}: {}", fault.detail),
            }
        })
        .collect();
    let unlisted = faults.total - faults.listed.len();
    if unlisted > 0 {
        lines.push(format!("and {} more", counted(unlisted as u64, "fault", "faults")));
    }
    lines.join("\n")
}

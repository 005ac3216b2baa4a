//! A step of a pipeline: an object of scikit-learn with its place, and readers of its fitted attributes.

use super::sparse;
use crate::error::ImportError;
use crate::value::{Elements, Object, Value};

/// An object of scikit-learn, and its place in the estimator.
#[derive(Debug, Clone)]
pub(super) struct Step<'v> {
    /// The name as in `set_params`: `columns__number__scale`; empty for the estimator itself.
    path: String,
    value: &'v Value,
}

impl<'v> Step<'v> {
    pub(super) fn root(value: &'v Value) -> Result<Self, ImportError> {
        let step = Self { path: String::new(), value };
        step.class().map(|_| step)
    }

    /// A part of this step with a name.
    pub(super) fn part(&self, name: &str, value: &'v Value) -> Self {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}__{name}", self.path) };
        Self { path, value }
    }

    /// The object in a fitted attribute, with the name of the parameter that it was cloned from.
    pub(super) fn child(&self, attribute: &str, parameter: &str) -> Result<Self, ImportError> {
        Ok(self.part(parameter, self.fitted(attribute)?))
    }

    /// The object in an attribute, which has the place of this step in messages.
    pub(super) fn same_place(&self, attribute: &str) -> Result<Self, ImportError> {
        Ok(Self { path: self.path.clone(), value: self.fitted(attribute)? })
    }

    /// The class, which must be scikit-learn's.
    pub(super) fn class(&self) -> Result<&'v str, ImportError> {
        let (module, name) = match self.value {
            Value::Object(Object { module, name, .. }) | Value::Global { module, name } => {
                (module.as_str(), name.as_str())
            }
            _ => ("", "value"),
        };
        if module.split('.').next() == Some("sklearn") {
            return Ok(name);
        }
        let reason =
            if module.is_empty() { "it is no estimator".to_owned() } else { format!("{module}.{name} is unknown") };
        Err(self.error(reason, "use estimators and transformers of scikit-learn itself"))
    }

    pub(super) fn is_none(&self) -> bool {
        *self.value == Value::None
    }

    /// The text that stands for a step: `passthrough`, `drop`.
    pub(super) fn text(&self) -> Option<&'v str> {
        self.value.text()
    }

    /// An attribute, unless it is `None`.
    pub(super) fn get(&self, attribute: &str) -> Option<&'v Value> {
        self.value.object()?.get(attribute)
    }

    /// An attribute that a fitted object has.
    pub(super) fn fitted(&self, attribute: &str) -> Result<&'v Value, ImportError> {
        self.get(attribute).ok_or_else(|| ImportError::Unfitted { step: self.name(), attribute: attribute.to_owned() })
    }

    /// Whether the object has an attribute, which may be `None`.
    pub(super) fn has(&self, attribute: &str) -> bool {
        self.value.object().is_some_and(|object| object.state.contains_key(attribute))
    }

    /// Checks that a fitted object has an attribute, which may be `None`.
    pub(super) fn check_fitted(&self, attribute: &str) -> Result<(), ImportError> {
        if self.has(attribute) { Ok(()) } else { self.fitted(attribute).map(drop) }
    }

    /// Checks that the object was fitted to so many columns, if it has their number.
    pub(super) fn check_width(&self, width: usize) -> Result<(), ImportError> {
        let stored = self.value.object().and_then(|object| object.state.get("n_features_in_"));
        let Some(of_fit) = stored else { return Ok(()) };
        let Value::Int(of_fit) = of_fit else { return Err(self.unreadable("n_features_in_")) };
        if usize::try_from(*of_fit) == Ok(width) {
            return Ok(());
        }
        let found = format!("n_features_in_ is {of_fit}, and its input has {width}");
        let help = "fit the whole estimator again, with all of its steps";
        Err(self.error(format!("it was fitted to another number of columns: {found}"), help))
    }

    /// The truth of a parameter as in Python, or the default where the parameter is absent.
    pub(super) fn flag(&self, name: &str, default: bool) -> Result<bool, ImportError> {
        match self.value.object().and_then(|object| object.state.get(name)) {
            None => Ok(default),
            Some(Value::None) => Ok(false),
            Some(Value::Bool(value)) => Ok(*value),
            Some(Value::Int(value)) => Ok(*value != 0),
            Some(Value::Float(value)) => Ok(*value != 0.0),
            Some(_) => Err(self.unreadable(name)),
        }
    }

    /// The text of a parameter; `None` where it is absent or `None`.
    pub(super) fn parameter(&self, name: &str) -> Result<Option<&'v str>, ImportError> {
        self.get(name).map(|value| value.text().ok_or_else(|| self.unreadable(name))).transpose()
    }

    /// The number of a parameter; `None` where it is absent or `None`.
    pub(super) fn number(&self, name: &str) -> Result<Option<f64>, ImportError> {
        self.get(name).map(|value| value.number().ok_or_else(|| self.unreadable(name))).transpose()
    }

    /// The elements of a fitted attribute, so many.
    pub(super) fn elements(&self, attribute: &str, length: usize) -> Result<Vec<Value>, ImportError> {
        self.list(attribute, length)?.elements().ok_or_else(|| self.unreadable(attribute))
    }

    /// A fitted attribute that is a list or an array of one dimension, of so many elements.
    pub(super) fn list(&self, attribute: &str, length: usize) -> Result<&'v Value, ImportError> {
        let value = self.fitted(attribute)?;
        let is_list = !matches!(value, Value::Array(array) if array.shape.len() != 1);
        let fits = is_list && value.length() == Some(length);
        fits.then_some(value).ok_or_else(|| self.unreadable(attribute))
    }

    /// The numbers of a fitted attribute, so many, some of them perhaps NaN or infinite.
    pub(super) fn statistics(&self, attribute: &str, length: usize) -> Result<Vec<f64>, ImportError> {
        self.list(attribute, length)?.floats().ok_or_else(|| self.unreadable(attribute))
    }

    /// The finite numbers of a fitted attribute, so many.
    pub(super) fn vector(&self, attribute: &str, length: usize) -> Result<Vec<f64>, ImportError> {
        self.finite(attribute, self.statistics(attribute, length)?)
    }

    /// The numbers of an attribute, which must be finite.
    pub(super) fn finite(&self, attribute: &str, numbers: Vec<f64>) -> Result<Vec<f64>, ImportError> {
        if numbers.iter().all(|number| number.is_finite()) { Ok(numbers) } else { Err(self.not_finite(attribute)) }
    }

    pub(super) fn not_finite(&self, attribute: &str) -> ImportError {
        self.error(format!("{attribute} is not finite"), "fit it again")
    }

    /// The finite numbers of a matrix with so many columns, row-major. A vector is a matrix of one row.
    pub(super) fn matrix(&self, attribute: &str, columns: usize) -> Result<Vec<f64>, ImportError> {
        let matrix = match self.fitted(attribute)? {
            Value::Array(array) => {
                let fits = array.shape.last() == Some(&columns) && array.shape.len() <= 2;
                if fits && matches!(array.data, Elements::TooMany(_)) {
                    return Err(self.too_many_columns());
                }
                fits.then(|| array.floats()).flatten()
            }
            Value::Object(object) if sparse::is_rows(object) => sparse::dense(object, columns),
            other => return Err(self.not_an_array(attribute, other)),
        };
        self.finite(attribute, matrix.ok_or_else(|| self.unreadable(attribute))?)
    }

    fn not_an_array(&self, attribute: &str, value: &Value) -> ImportError {
        let own = format!("step.{attribute}");
        let (found, array) = match value {
            Value::List(_) => ("a list", format!("numpy.asarray({own})")),
            Value::Object(object) if object.name == "MaskedArray" => {
                ("a masked array", format!("numpy.ma.filled({own}, 0.0)"))
            }
            Value::Object(object) if object.module.starts_with("scipy.sparse") => {
                ("a sparse matrix that is not in CSR format", format!("{own}.toarray()"))
            }
            _ => ("no array", format!("numpy.asarray({own})")),
        };
        self.error(
            format!("{attribute} is {found}"),
            format!("make it an array before the import, where step is this estimator: {own} = {array}"),
        )
    }

    pub(super) fn error(&self, reason: impl Into<String>, help: impl Into<String>) -> ImportError {
        ImportError::Step { step: self.name(), reason: reason.into(), help: help.into() }
    }

    /// The place and the class.
    pub(super) fn name(&self) -> String {
        let class = match self.value {
            Value::Object(Object { name, .. }) | Value::Global { name, .. } => name.clone(),
            // A text of a hostile file may contain control characters.
            Value::Str(text) => text.escape_debug().to_string(),
            _ => "value".to_owned(),
        };
        if self.path.is_empty() { class } else { format!("step {:?} ({class})", self.path) }
    }

    pub(super) fn unreadable(&self, attribute: &str) -> ImportError {
        self.error(format!("{attribute} is not what this class has"), "fit the estimator again with a released version")
    }

    pub(super) fn too_many_columns(&self) -> ImportError {
        self.error("the model would have too many columns", "use fewer columns or a lower degree")
    }
}

//! A loaded model.

use std::sync::Arc;

use ordinate_export::Dialect;
use ordinate_model::answer::WarningScope;
use ordinate_model::{Answer, Prediction, Wanted};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyDict, PyTuple};

use crate::cells::{Column, frame};
use crate::errors::{error, faults_message};

/// A model that was loaded and verified.
#[pyclass(module = "ordinate._core", frozen)]
#[derive(Debug)]
pub(crate) struct Model {
    inner: Arc<ordinate_model::Model>,
}

#[pymethods]
impl Model {
    /// Reads the content of a model file and verifies its golden rows.
    #[new]
    fn from_json(py: Python<'_>, text: &[u8]) -> PyResult<Self> {
        let model = py.detach(|| ordinate_model::Model::from_json(text));
        let model = model.map_err(|reason| error(py, "ModelFormatError", &reason.to_string()))?;
        Ok(Self { inner: Arc::new(model) })
    }

    /// Loads a model from a path, an address or a catalog, or a bundled model by its name.
    #[staticmethod]
    fn load(py: Python<'_>, place: &str) -> PyResult<Self> {
        let model = py.detach(|| ordinate_cli::load_model(place).map_err(|error| error.to_string()));
        let inner = model.map_err(|message| error(py, "ModelFormatError", &message))?;
        Ok(Self { inner })
    }

    /// The content of the model file.
    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        self.inner.document().to_json().map_err(|reason| error(py, "ModelFormatError", &reason.to_string()))
    }

    /// The prediction as SQL expressions, or with a table as a statement.
    #[pyo3(signature = (dialect, table=None))]
    fn sql(&self, py: Python<'_>, dialect: &str, table: Option<&str>) -> PyResult<String> {
        let dialect =
            dialect.parse::<Dialect>().map_err(|reason| PyValueError::new_err(format!("dialect: {reason}")))?;
        ordinate_export::sql(&self.inner, dialect, table)
            .map_err(|reason| error(py, "NotExportableError", &reason.to_string()))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let text = pyo3::types::PyBytes::new(py, self.to_json(py)?.as_bytes());
        let parts = (py.get_type::<Self>(), (text,));
        Ok(parts.into_pyobject(py)?.into_any())
    }

    /// Predicts the rows of columns, each a tuple of name, kind (`double`, `date`, `cells`) and values.
    #[pyo3(signature = (columns, *, interval=None, mean_interval=None, prediction_sets=None, explain=false, warnings=false))]
    // Python passes a list, and six options by keyword.
    #[allow(clippy::needless_pass_by_value, clippy::too_many_arguments)]
    fn answer<'py>(
        &self,
        py: Python<'py>,
        columns: Vec<Column>,
        interval: Option<f64>,
        mean_interval: Option<f64>,
        prediction_sets: Option<f64>,
        explain: bool,
        warnings: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        let warnings = if warnings { WarningScope::All } else { WarningScope::None };
        let wanted = Wanted { interval, mean_interval, prediction_sets, explanation: explain, warnings };
        let answer = py.detach(|| {
            let frame = frame(self.inner.signature(), &columns);
            let frame = frame.map_err(|faults| ("SignatureError", faults_message(&faults)))?;
            self.inner.answer(&frame, &wanted).map_err(|error| ("PredictionError", error.to_string()))
        });
        let answer = answer.map_err(|(class, message)| error(py, class, &message))?;
        to_dict(py, &answer)
    }
}

/// The parts of an answer: numbers as bytes, from which numpy makes arrays.
fn to_dict<'py>(py: Python<'py>, answer: &Answer<'_>) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    match &answer.prediction {
        Prediction::Values(values) => dict.set_item("y", doubles(py, values.iter().copied()))?,
        Prediction::Classes { chosen, .. } => {
            let bytes: Vec<u8> = chosen.iter().flat_map(|class| (*class as u64).to_ne_bytes()).collect();
            dict.set_item("chosen", PyByteArray::new(py, &bytes))?;
        }
    }
    if let Some(probabilities) = &answer.probabilities {
        dict.set_item("probabilities", doubles(py, probabilities.rows().flatten().copied()))?;
    }
    if let Some(intervals) = &answer.intervals {
        dict.set_item("intervals", doubles(py, intervals.iter().flatten().copied()))?;
    }
    if let Some(intervals) = &answer.mean_intervals {
        // Not a number where the training data do not determine the mean.
        let ends = intervals.iter().flat_map(|ends| ends.unwrap_or([f64::NAN; 2]));
        dict.set_item("mean_intervals", doubles(py, ends))?;
    }
    if let Some(sets) = &answer.prediction_sets {
        let labels: Vec<Vec<String>> = sets.iter().map(|set| set.iter().map(|label| label.label()).collect()).collect();
        dict.set_item("prediction_sets", labels)?;
    }
    if let Some(explanation) = &answer.explanation {
        let unit = serde_json::to_value(explanation.unit()).unwrap_or_default();
        let base = doubles(py, explanation.base().iter().copied());
        let values = doubles(py, explanation.values().iter().copied());
        let parts = PyTuple::new(
            py,
            [unit.as_str().unwrap_or_default().into_pyobject(py)?.into_any(), base.into_any(), values.into_any()],
        )?;
        dict.set_item("explanation", parts)?;
    }
    let listed = serde_json::to_string(&answer.warnings.listed).unwrap_or_default();
    dict.set_item("warnings", listed)?;
    Ok(dict)
}

fn doubles(py: Python<'_>, values: impl Iterator<Item = f64>) -> Bound<'_, PyByteArray> {
    let bytes: Vec<u8> = values.flat_map(f64::to_ne_bytes).collect();
    PyByteArray::new(py, &bytes)
}

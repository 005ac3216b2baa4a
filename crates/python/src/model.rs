//! A loaded model.

use std::sync::Arc;

use numpy::{PyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use ordinate_cli::LoadModelError;
use ordinate_export::Dialect;
use ordinate_model::answer::{Doubles, WarningScope};
use ordinate_model::{Answer, AnswerError, PredictError, Prediction, Wanted};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::cells::{BorrowedColumn, Column, doubles, frame};
use crate::errors::{error, faults_message};
use crate::interrupt::{Interrupt, wait};

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
    fn load(py: Python<'_>, place: String) -> PyResult<Self> {
        let model = wait(py, move || ordinate_cli::load_model(&place))?;
        let inner = model.map_err(|failure| match failure {
            LoadModelError::NotFound(message) => error(py, "ModelNotFoundError", &message),
            LoadModelError::Other(message) => error(py, "ModelFormatError", &message),
        })?;
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

    /// The predictions for an array of doubles, rows × features, from its own memory. `None` if it is another array, or
    /// if the model needs more than sums: then `answer` has the predictions or the reasons.
    fn predict_array<'py>(&self, py: Python<'py>, rows: &Bound<'py, PyAny>) -> Option<Bound<'py, PyArray1<f64>>> {
        let array: PyReadonlyArray2<'py, f64> = rows.extract().ok()?;
        let (&[length, width], Ok(values)) = (array.shape(), array.as_slice()) else { return None };
        let is_by_rows = array.is_c_contiguous();
        if width != self.inner.signature().width() || length == 0 {
            return None;
        }
        let predicted = py.detach(|| {
            if is_by_rows {
                return self.inner.predict_doubles(Doubles::Rows(values));
            }
            let columns: Vec<&[f64]> = values.chunks_exact(length).collect();
            self.inner.predict_doubles(Doubles::Columns(&columns))
        });
        predicted.map(|values| PyArray1::from_vec(py, values))
    }

    /// Predicts the rows of columns, each a tuple of name, kind (`double`, `date`, `cells`) and values.
    #[pyo3(signature = (columns, *, interval=None, mean_interval=None, prediction_sets=None, explain=false, warnings=false))]
    // Python passes a list, and six options by keyword.
    #[allow(clippy::needless_pass_by_value, clippy::too_many_arguments)]
    fn answer<'py>(
        &self,
        py: Python<'py>,
        columns: Vec<Column<'py>>,
        interval: Option<f64>,
        mean_interval: Option<f64>,
        prediction_sets: Option<f64>,
        explain: bool,
        warnings: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        let warnings = if warnings { WarningScope::All } else { WarningScope::None };
        let wanted = Wanted { interval, mean_interval, prediction_sets, explanation: explain, warnings };
        let columns = columns.iter().map(Column::borrowed).collect::<PyResult<Vec<_>>>()?;
        if wanted == Wanted::default()
            && let Some(values) = py.detach(|| predict_columns(&self.inner, &columns))
        {
            let answer = PyDict::new(py);
            answer.set_item("y", PyArray1::from_vec(py, values))?;
            return Ok(answer);
        }
        match py.detach(|| answer(&self.inner, &columns, &wanted)) {
            Ok(answer) => to_dict(py, answer),
            Err(Failure::Interrupted(exception)) => Err(exception),
            Err(Failure::Error(class, message)) => Err(error(py, class, &message)),
        }
    }
}

/// The predictions for columns of doubles, from their own memory; `None` if the model or the columns need more.
fn predict_columns(model: &ordinate_model::Model, columns: &[BorrowedColumn<'_>]) -> Option<Vec<f64>> {
    let columns = doubles(model.signature(), columns)?;
    model.predict_doubles(Doubles::Columns(&columns))
}

/// Why there is no answer.
enum Failure {
    /// The exception of a signal handler.
    Interrupted(PyErr),
    /// The class of an exception, and its message.
    Error(&'static str, String),
}

fn answer<'m>(
    model: &'m ordinate_model::Model,
    columns: &[BorrowedColumn<'_>],
    wanted: &Wanted,
) -> Result<Answer<'m>, Failure> {
    let interrupt = Interrupt::default();
    let stop = || interrupt.arrived();
    let Some(frame) = frame(model.signature(), columns, &stop) else {
        return Err(Failure::Interrupted(interrupt.into_error()));
    };
    let frame = frame.map_err(|faults| Failure::Error("SignatureError", faults_message(&faults)))?;
    let answer =
        model.predictor(wanted).map_err(AnswerError::from).and_then(|predictor| predictor.answer_unless(&frame, &stop));
    answer.map_err(|error| match error {
        AnswerError::Predict(PredictError::Stopped) => Failure::Interrupted(interrupt.into_error()),
        error => Failure::Error("PredictionError", error.to_string()),
    })
}

/// The parts of an answer; numbers are flat arrays.
fn to_dict<'py>(py: Python<'py>, answer: Answer<'_>) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    match answer.prediction {
        Prediction::Values(values) => dict.set_item("y", PyArray1::from_vec(py, values))?,
        Prediction::Classes { chosen, .. } => dict.set_item("chosen", PyArray1::from_vec(py, chosen))?,
    }
    if let Some(probabilities) = &answer.probabilities {
        dict.set_item("probabilities", array(py, probabilities.rows().flatten().copied()))?;
    }
    if let Some(intervals) = answer.intervals {
        dict.set_item("intervals", PyArray1::from_vec(py, intervals.into_flattened()))?;
    }
    if let Some(intervals) = &answer.mean_intervals {
        // Not a number where the training data do not determine the mean.
        let ends = intervals.iter().flat_map(|ends| ends.unwrap_or([f64::NAN; 2]));
        dict.set_item("mean_intervals", array(py, ends))?;
    }
    if let Some(sets) = &answer.prediction_sets {
        let labels: Vec<Vec<String>> = sets.iter().map(|set| set.iter().map(|label| label.label()).collect()).collect();
        dict.set_item("prediction_sets", labels)?;
    }
    if let Some(explanation) = &answer.explanation {
        let unit = serde_json::to_value(explanation.unit()).unwrap_or_default();
        let base = array(py, explanation.base().iter().copied());
        let values = array(py, explanation.values().iter().copied());
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

fn array(py: Python<'_>, values: impl Iterator<Item = f64>) -> Bound<'_, PyArray1<f64>> {
    PyArray1::from_vec(py, values.collect())
}

//! The JSON of an inference request, except for the values of its tensors.

use jiter::Peek;

use super::{Data, INPUTS, Input, frame, reject};
use crate::http::decode::json::{LEVEL, Reader, Terms, not_empty, once, unknown};
use crate::http::decode::utf8;
use crate::http::server::error::{ApiError, ErrorCode};
use ordinate_model::frame::Frame;
use ordinate_model::wording::shorten;

/// The maximum length of an `id` in bytes. The response repeats it, so a long one that cannot be compressed would
/// exceed the limit of the response.
const LONGEST_ID: usize = 1024;

/// A request whose tensor values are not decoded yet.
#[derive(Debug)]
pub(in crate::http) struct InferRequest<'j> {
    /// The id, which the response repeats.
    pub(in crate::http) id: Option<String>,
    /// The requested outputs; without any, the default outputs.
    pub(in crate::http) outputs: Vec<RequestedOutput>,
    /// Whether outputs are binary by default.
    pub(in crate::http) binary_outputs: bool,
    /// The default level of intervals and prediction sets.
    pub(in crate::http) level: Option<f64>,
    /// The name of the model, if the body repeats it.
    pub(in crate::http) model_name: Option<String>,
    /// The version of the model, if the body repeats it.
    pub(in crate::http) model_version: Option<String>,
    inputs: Vec<Input<'j>>,
}

/// A requested output.
#[derive(Debug)]
pub(in crate::http) struct RequestedOutput {
    /// The name of the output.
    pub(in crate::http) name: String,
    parameters: OutputParameters,
}

/// Parameters of supported extensions, and of unsupported ones that must not be ignored since they change the response.
#[derive(Debug, Default)]
struct OutputParameters {
    binary_data: Option<bool>,
    level: Option<f64>,
    classification: Option<usize>,
    shared_memory_region: bool,
}

#[derive(Debug, Default)]
struct RequestParameters {
    binary_data_output: Option<bool>,
    interval: Option<f64>,
}

#[derive(Debug, Default)]
struct InputParameters {
    binary_data_size: Option<usize>,
    shared_memory_region: bool,
}

impl InferRequest<'_> {
    /// The rows of the tensors.
    ///
    /// # Errors
    /// 400 if a tensor does not match its shape and datatype, 413 above the limit of rows, 422 if the rows do not fit
    /// the signature.
    pub(in crate::http) fn frame<'s>(&self, terms: Terms<'s>) -> Result<Frame<'s>, ApiError> {
        frame(&self.inputs, terms)
    }
}

impl RequestedOutput {
    /// The level of this output, if it has one.
    pub(in crate::http) fn level(&self) -> Option<f64> {
        self.parameters.level
    }

    /// The number of classes that are requested in the place of the values (the classification extension).
    pub(in crate::http) fn classes(&self) -> Option<usize> {
        self.parameters.classification.filter(|count| *count > 0)
    }

    /// Whether this output is binary, if it has the parameter.
    ///
    /// # Errors
    /// 400 if it is requested in an unsupported form.
    pub(in crate::http) fn binary(&self) -> Result<Option<bool>, ApiError> {
        if self.parameters.shared_memory_region {
            let detail = format!("output {:?}: shared memory is not supported; omit it", shorten(&self.name));
            return Err(ApiError::new(ErrorCode::NotSupported, detail));
        }
        Ok(self.parameters.binary_data)
    }
}

/// Reads a body: JSON of `json_length` bytes (by default, the whole body), then the bytes of binary tensors in their
/// order.
///
/// # Errors
/// 400 if it is not JSON, 422 if it is not an inference request.
pub(in crate::http) fn read(body: &[u8], json_length: Option<usize>) -> Result<InferRequest<'_>, ApiError> {
    let length = json_length.unwrap_or(body.len());
    let Some((json, mut bytes)) = body.split_at_checked(length) else {
        let detail = format!("expected JSON of {length} bytes, got a body of {} bytes", body.len());
        return Err(ApiError::new(ErrorCode::InvalidBody, detail));
    };
    let text = utf8(json).map_err(|error| if json_length.is_some() { error } else { with_length(error) })?;
    not_empty(text, EXAMPLE)?;
    let mut reader = Reader::new(text);
    let (mut id, mut outputs, mut parameters, mut inputs) = (None, None, None, None);
    let (mut model_name, mut model_version) = (None, None);
    reader.object("an inference request", |reader, key| match key {
        "id" => once(&mut id, key, reader.option(key, "a string")?),
        "outputs" => once(&mut outputs, key, reader.outputs(key)?),
        "parameters" => once(&mut parameters, key, Some(reader.request_parameters(key)?)),
        INPUTS => once(&mut inputs, key, Some(reader.inputs(&mut bytes)?)),
        // The caller compares them with the path.
        "model_name" => once(&mut model_name, key, reader.option(key, "a string")?),
        "model_version" => once(&mut model_version, key, reader.option(key, "a string")?),
        other => Err(unknown(other, "the keys are id, inputs, outputs and parameters")),
    })?;
    reader.finish()?;
    if let Some(length) = id.as_ref().map(String::len).filter(|length| *length > LONGEST_ID) {
        let detail = format!("\"id\" must have at most {LONGEST_ID} bytes, got {length}");
        return Err(ApiError::new(ErrorCode::InvalidOption, detail));
    }
    if !bytes.is_empty() {
        let detail = format!("{} bytes after the last input; check each \"binary_data_size\"", bytes.len());
        return Err(ApiError::new(ErrorCode::InvalidBody, detail));
    }
    let Some(inputs) = inputs else {
        return Err(ApiError::new(ErrorCode::MissingKey, "missing key \"inputs\" with the tensors"));
    };
    let RequestParameters { binary_data_output, interval: level } = parameters.unwrap_or_default();
    let (outputs, binary_outputs) = (outputs.unwrap_or_default(), binary_data_output.unwrap_or(false));
    Ok(InferRequest { id, outputs, binary_outputs, level, model_name, model_version, inputs })
}

/// Adds a hint to the error of a body that is not text: it may have binary tensors without the header.
fn with_length(error: ApiError) -> ApiError {
    let detail = format!(
        "{}; if binary tensors follow the JSON, send its length in the header Inference-Header-Content-Length",
        error.detail
    );
    ApiError { detail, ..error }
}

impl<'j> Reader<'j> {
    fn request_parameters(&mut self, key: &str) -> Result<RequestParameters, ApiError> {
        let mut parameters = RequestParameters::default();
        self.members(key, "{\"binary_data_output\": true}", |reader, key| match key {
            "binary_data_output" => once(&mut parameters.binary_data_output, key, reader.option(key, "true or false")?),
            "interval" => once(&mut parameters.interval, key, reader.option(key, LEVEL)?),
            "level" => reader.unsupported(key, "the level of all outputs is the parameter \"interval\""),
            // Options of `/predict`, which are outputs in this protocol.
            "explain" => reader.unsupported(key, "request the output \"explain\""),
            "probabilities" => reader.unsupported(key, "request the output \"predict_proba\" of a classifier"),
            _ => reader.skip(),
        })?;
        Ok(parameters)
    }

    /// The requested outputs, or `None` for `null`.
    fn outputs(&mut self, key: &str) -> Result<Option<Vec<RequestedOutput>>, ApiError> {
        match self.peek()? {
            Peek::Null => {
                self.skip()?;
                Ok(None)
            }
            Peek::Array => {
                let mut outputs = Vec::new();
                self.each(|reader| {
                    outputs.push(reader.output()?);
                    Ok(())
                })?;
                Ok(Some(outputs))
            }
            _ => {
                let got = self.cell()?;
                let detail = format!("{key:?} must be a list of objects with a \"name\", got {got}");
                Err(ApiError::new(ErrorCode::InvalidOption, detail))
            }
        }
    }

    fn output(&mut self) -> Result<RequestedOutput, ApiError> {
        let (mut name, mut parameters) = (None, OutputParameters::default());
        self.object("an output with a \"name\"", |reader, key| match key {
            "name" => once(&mut name, key, reader.option(key, "a string")?),
            "parameters" => reader.members(key, "{\"binary_data\": true}", |reader, key| {
                match key {
                    "binary_data" => once(&mut parameters.binary_data, key, reader.option(key, "true or false")?)?,
                    "level" => once(&mut parameters.level, key, reader.option(key, LEVEL)?)?,
                    "interval" => reader.unsupported(key, "the level of an output is the parameter \"level\"")?,
                    "classification" => once(&mut parameters.classification, key, reader.option(key, CLASSES)?)?,
                    "shared_memory_region" => parameters.shared_memory_region = reader.is_present()?,
                    _ => reader.skip()?,
                }
                Ok(())
            }),
            _ => reader.skip(),
        })?;
        let missing = || ApiError::new(ErrorCode::MissingKey, "an output has no \"name\"");
        Ok(RequestedOutput { name: name.ok_or_else(missing)?, parameters })
    }

    fn input_parameters(&mut self, key: &str) -> Result<InputParameters, ApiError> {
        let mut parameters = InputParameters::default();
        self.members(key, "{\"binary_data_size\": 8}", |reader, key| {
            match key {
                "binary_data_size" => {
                    let size = reader.option(key, "a non-negative whole number of bytes")?;
                    once(&mut parameters.binary_data_size, key, size)?;
                }
                "shared_memory_region" => parameters.shared_memory_region = reader.is_present()?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        Ok(parameters)
    }

    /// The tensors. The bytes of binary tensors are removed from the start of `bytes`.
    fn inputs(&mut self, bytes: &mut &'j [u8]) -> Result<Vec<Input<'j>>, ApiError> {
        if self.peek()? != Peek::Array {
            let got = self.cell()?;
            let detail = format!("\"inputs\" must be a list of tensors, got {got}");
            return Err(ApiError::new(ErrorCode::InvalidBody, detail));
        }
        let mut inputs = Vec::new();
        self.each(|reader| {
            inputs.push(reader.input(bytes)?);
            Ok(())
        })?;
        Ok(inputs)
    }

    fn input(&mut self, bytes: &mut &'j [u8]) -> Result<Input<'j>, ApiError> {
        let (mut name, mut shape, mut datatype, mut parameters, mut json) = (None, None, None, None, None);
        self.object("an input", |reader, key| match key {
            "name" => once(&mut name, key, reader.option::<String>(key, "a string")?),
            "shape" => once(&mut shape, key, reader.option(key, "a list of whole numbers such as [1, 4]")?),
            "datatype" => once(&mut datatype, key, reader.option(key, DATATYPES)?),
            "parameters" => once(&mut parameters, key, Some(reader.input_parameters(key)?)),
            "data" => match reader.peek()? {
                Peek::Array => once(&mut json, key, Some(reader.raw()?)),
                Peek::Null => reader.skip(),
                _ => {
                    let got = reader.cell()?;
                    let detail = format!("\"data\" must be a list, got {got}");
                    Err(ApiError::new(ErrorCode::InvalidOption, detail))
                }
            },
            other => Err(unknown(other, "the keys are name, shape, datatype, parameters and data")),
        })?;
        let missing = |key: &str| {
            let detail = format!("an input has no {key:?}; it needs a name, a shape, a datatype and data");
            ApiError::new(ErrorCode::MissingKey, detail)
        };
        let name = name.ok_or_else(|| missing("name"))?;
        let InputParameters { binary_data_size, shared_memory_region } = parameters.unwrap_or_default();
        let data = match (json, binary_data_size) {
            (Some(text), None) => Data::Json(text),
            (None, Some(size)) => {
                let Some((own, rest)) = bytes.split_at_checked(size) else {
                    let left = bytes.len();
                    let detail = format!(
                        "expected {size} bytes by \"binary_data_size\", got {left}; check it and the header \
                         Inference-Header-Content-Length"
                    );
                    return Err(reject(&name, detail));
                };
                *bytes = rest;
                Data::Binary(own)
            }
            (Some(_), Some(_)) => {
                return Err(reject(&name, "has both \"data\" and \"binary_data_size\"; send one of them"));
            }
            (None, None) if shared_memory_region => {
                let detail = format!("input {:?}: shared memory is not supported; send \"data\"", shorten(&name));
                return Err(ApiError::new(ErrorCode::NotSupported, detail));
            }
            (None, None) => return Err(missing("data")),
        };
        let (shape, datatype) = (shape.ok_or_else(|| missing("shape"))?, datatype.ok_or_else(|| missing("datatype"))?);
        Ok(Input { name, shape, datatype, data })
    }
}

const EXAMPLE: &str = r#"{"inputs": [{"name": "X", "shape": [1, 4], "datatype": "FP64", "data": […]}]}"#;

const CLASSES: &str = "a number of classes such as 3";

const DATATYPES: &str =
    "one of BOOL, UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, INT64, FP16, FP32, FP64 and BYTES";

//! The JSON of a request, up to its tensors' values.

use jiter::Peek;

use super::{Data, INPUTS, Input, frame, refuse};
use crate::http::decode::json::{LEVEL, Reader, Terms, not_empty, once, unknown};
use crate::http::decode::utf8;
use crate::http::server::error::{ApiError, ErrorCode};
use ordinate_model::frame::Frame;
use ordinate_model::wording::shorten;

/// The most bytes of an `id`. It is the one thing that answers repeat: incompressible, packed and in base64, one of 6 MB would
/// be larger than what can be sent.
const LONGEST_ID: usize = 1024;

/// A request, its tensors not looked into yet.
#[derive(Debug)]
pub(in crate::http) struct InferRequest<'j> {
    /// What the answer repeats.
    pub(in crate::http) id: Option<String>,
    /// The outputs that are wanted; none are the usual ones.
    pub(in crate::http) outputs: Vec<RequestedOutput>,
    /// Whether outputs that do not say otherwise are wanted as bytes.
    pub(in crate::http) binary_outputs: bool,
    /// The level of intervals and prediction sets whose outputs do not say otherwise.
    pub(in crate::http) level: Option<f64>,
    /// The model's name, where the body repeats it.
    pub(in crate::http) model_name: Option<String>,
    /// Its version, likewise.
    pub(in crate::http) model_version: Option<String>,
    inputs: Vec<Input<'j>>,
}

/// An output that is wanted.
#[derive(Debug)]
pub(in crate::http) struct RequestedOutput {
    /// Its name.
    pub(in crate::http) name: String,
    parameters: OutputParameters,
}

/// Parameters of the extensions that are served, and of those that would change the answer if they were passed over.
#[derive(Debug, Default)]
struct OutputParameters {
    binary_data: Option<bool>,
    level: Option<f64>,
    classification: bool,
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
    /// 400 when a tensor is not what its shape and datatype say, 413 past the limit of rows, 422 when the rows do not fit the
    /// signature.
    pub(in crate::http) fn frame<'s>(&self, terms: Terms<'s>) -> Result<Frame<'s>, ApiError> {
        frame(&self.inputs, terms)
    }
}

impl RequestedOutput {
    /// The level of its intervals or prediction sets, where it says so.
    pub(in crate::http) fn level(&self) -> Option<f64> {
        self.parameters.level
    }

    /// Whether it is wanted as bytes, where it says so.
    ///
    /// # Errors
    /// 400 when it is wanted in a form that is not served.
    pub(in crate::http) fn binary(&self) -> Result<Option<bool>, ApiError> {
        let parameters = &self.parameters;
        for (asked, name, instead) in [
            (parameters.classification, "classification", "ask for \"predict_proba\" and choose there"),
            (parameters.shared_memory_region, "shared_memory_region", "leave it out"),
        ] {
            if asked {
                let detail = format!("output {:?}: {name:?} is not served; {instead}", shorten(&self.name));
                return Err(ApiError::new(ErrorCode::NotSupported, detail));
            }
        }
        Ok(parameters.binary_data)
    }
}

/// Reads a body: all of it is JSON, or as many bytes as `json_length` says; then the tensors' bytes follow in their order.
///
/// # Errors
/// 400 when it is not JSON, 422 when it is not an inference request.
pub(in crate::http) fn read(body: &[u8], json_length: Option<usize>) -> Result<InferRequest<'_>, ApiError> {
    let length = json_length.unwrap_or(body.len());
    let Some((json, mut bytes)) = body.split_at_checked(length) else {
        let detail = format!("the JSON should have {length} bytes, and the body has {}", body.len());
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
        // What the path says, said again.
        "model_name" => once(&mut model_name, key, reader.option(key, "a string")?),
        "model_version" => once(&mut model_version, key, reader.option(key, "a string")?),
        other => Err(unknown(other, "there are id, inputs, outputs and parameters")),
    })?;
    reader.finish()?;
    if let Some(length) = id.as_ref().map(String::len).filter(|length| *length > LONGEST_ID) {
        let detail = format!("\"id\" has {length} bytes; it comes back with the answer and may have {LONGEST_ID}");
        return Err(ApiError::new(ErrorCode::InvalidOption, detail));
    }
    if !bytes.is_empty() {
        let detail =
            format!("{} bytes follow that belong to no input; is each \"binary_data_size\" right?", bytes.len());
        return Err(ApiError::new(ErrorCode::InvalidBody, detail));
    }
    let Some(inputs) = inputs else {
        return Err(ApiError::new(ErrorCode::MissingKey, "the key \"inputs\" with the tensors is missing"));
    };
    let RequestParameters { binary_data_output, interval: level } = parameters.unwrap_or_default();
    let (outputs, binary_outputs) = (outputs.unwrap_or_default(), binary_data_output.unwrap_or(false));
    Ok(InferRequest { id, outputs, binary_outputs, level, model_name, model_version, inputs })
}

/// What is not text may be tensors whose sender did not say where they begin.
fn with_length(error: ApiError) -> ApiError {
    let detail = format!(
        "{}; where tensors follow the JSON as bytes, the header Inference-Header-Content-Length must be its length",
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
            "level" => {
                reader.unless_wanted(key, "an output has a level; for the whole request it is called \"interval\"")
            }
            // What our own route gives for these: here they are outputs.
            "explain" => reader.unless_wanted(key, "name the output \"explain\""),
            "probabilities" => reader.unless_wanted(key, "of a classifier, name the output \"predict_proba\""),
            _ => reader.skip(),
        })?;
        Ok(parameters)
    }

    /// The outputs that are wanted; `null` is no choice.
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
                    "interval" => reader.unless_wanted(key, "an output's level is called \"level\"")?,
                    "classification" => parameters.classification = reader.is_there()?,
                    "shared_memory_region" => parameters.shared_memory_region = reader.is_there()?,
                    _ => reader.skip()?,
                }
                Ok(())
            }),
            _ => reader.skip(),
        })?;
        let lacks = || ApiError::new(ErrorCode::MissingKey, "an output has no \"name\"");
        Ok(RequestedOutput { name: name.ok_or_else(lacks)?, parameters })
    }

    fn input_parameters(&mut self, key: &str) -> Result<InputParameters, ApiError> {
        let mut parameters = InputParameters::default();
        self.members(key, "{\"binary_data_size\": 8}", |reader, key| {
            match key {
                "binary_data_size" => {
                    let size = reader.option(key, "a whole number of bytes from 0")?;
                    once(&mut parameters.binary_data_size, key, size)?;
                }
                "shared_memory_region" => parameters.shared_memory_region = reader.is_there()?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        Ok(parameters)
    }

    /// The tensors; those that are bytes are taken from `bytes`, one after the other.
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
            other => Err(unknown(other, "there are name, shape, datatype, parameters and data")),
        })?;
        let lacks = |key: &str| {
            let detail = format!("an input has no {key:?}; each has a name, a shape, a datatype and data");
            ApiError::new(ErrorCode::MissingKey, detail)
        };
        let name = name.ok_or_else(|| lacks("name"))?;
        let InputParameters { binary_data_size, shared_memory_region } = parameters.unwrap_or_default();
        let data = match (json, binary_data_size) {
            (Some(text), None) => Data::Json(text),
            (None, Some(size)) => {
                let Some((own, rest)) = bytes.split_at_checked(size) else {
                    let left = bytes.len();
                    let detail = format!(
                        "\"binary_data_size\" is {size}, and {left} bytes are left behind the JSON, whose length the header \
                         Inference-Header-Content-Length says"
                    );
                    return Err(refuse(&name, detail));
                };
                *bytes = rest;
                Data::Binary(own)
            }
            (Some(_), Some(_)) => {
                return Err(refuse(&name, "has both \"data\" and \"binary_data_size\"; send one of them"));
            }
            (None, None) if shared_memory_region => {
                let detail = format!("input {:?}: shared memory is not served; send \"data\"", shorten(&name));
                return Err(ApiError::new(ErrorCode::NotSupported, detail));
            }
            (None, None) => return Err(lacks("data")),
        };
        let (shape, datatype) = (shape.ok_or_else(|| lacks("shape"))?, datatype.ok_or_else(|| lacks("datatype"))?);
        Ok(Input { name, shape, datatype, data })
    }
}

const EXAMPLE: &str = r#"{"inputs": [{"name": "X", "shape": [1, 4], "datatype": "FP64", "data": […]}]}"#;

const DATATYPES: &str =
    "one of BOOL, UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, INT64, FP16, FP32, FP64 and BYTES";

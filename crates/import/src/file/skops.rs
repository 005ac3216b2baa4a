//! Files of skops: a zip archive with a JSON schema of the objects, and members for the arrays. Members are read into memory
//! by the names in the schema; nothing is unpacked to a folder, and a name with a path is an error.

mod archive;
mod npy;
mod sparse;

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::Value as Json;

use super::MAX_BYTES;
use super::array::{Dtype, Kind};
use super::error::{FileError, IN_PYTHON, printable};
use super::globals::{self, Role};
use super::graph::{Array, Graph, Id, Node, Object};
use archive::Archive;
use npy::Npy;

const SCHEMA: &str = "schema.json";

/// The most bytes of the schema.
const MAX_SCHEMA: usize = 32 << 20;

/// The most values of the schema.
const MAX_SCHEMA_VALUES: usize = 2 << 20;

/// The object in a skops file.
pub(super) fn load(file: &[u8], graph: &mut Graph<'_>) -> Result<Id, FileError> {
    let archive = Archive::open(file)?;
    if !archive.has(SCHEMA) {
        let help = "name a file that pickle.dump, joblib.dump or skops.io.dump wrote";
        return Err(FileError::Format { found: format!("a zip archive without {SCHEMA}"), help });
    }
    let mut skops = Skops { archive, bytes: 0, members: HashMap::new(), ids: HashMap::new(), graph };
    let schema = skops.member(SCHEMA, MAX_SCHEMA)?;
    // Each value but the first follows one of these.
    let values = schema.iter().filter(|byte| b",[{".contains(byte)).count();
    if values > MAX_SCHEMA_VALUES {
        return Err(FileError::TooLarge { limit: format!("{MAX_SCHEMA_VALUES} values in {SCHEMA}") });
    }
    // The nesting of the schema is limited to 128 by serde_json.
    let schema: Json =
        serde_json::from_slice(&schema).map_err(|error| FileError::damaged(SCHEMA, error.to_string()))?;
    skops.node(&schema)
}

/// An archive that is read.
struct Skops<'f, 'g, 'a> {
    archive: Archive<'f>,
    /// The decompressed bytes so far.
    bytes: usize,
    /// The arrays of members that were read, by name.
    members: HashMap<String, Id>,
    /// The nodes by the numbers of their objects.
    ids: HashMap<i64, Id>,
    graph: &'g mut Graph<'a>,
}

impl<'a> Skops<'_, '_, 'a> {
    fn member(&mut self, name: &str, limit: usize) -> Result<Vec<u8>, FileError> {
        let content = self.archive.read(name, limit.min(MAX_BYTES.saturating_sub(self.bytes)))?;
        self.bytes += content.len();
        Ok(content)
    }

    /// The object of a part of the schema.
    fn node(&mut self, json: &Json) -> Result<Id, FileError> {
        self.graph.step()?;
        let text = |key: &str| json.get(key).and_then(Json::as_str).ok_or_else(|| without(key));
        let loader = text("__loader__")?;
        let number = json.get("__id__").and_then(Json::as_i64);
        if loader == "CachedNode" {
            let id = number.and_then(|number| self.ids.get(&number)).copied();
            return id.ok_or_else(|| without("__id__"));
        }
        let content = json.get("content").unwrap_or(&Json::Null);
        let id = match loader {
            "JsonNode" => {
                let node = primitive(text("content")?)?;
                self.graph.add(node)?
            }
            "ListNode" | "TupleNode" => {
                let items = self.nodes(content)?;
                self.graph.add(if loader == "ListNode" { Node::List(items) } else { Node::Tuple(items) })?
            }
            "SetNode" => self.graph.add(Node::Set)?,
            "DictNode" => self.dict(content)?,
            "DefaultDictNode" => self.node(content.get("main").ok_or_else(|| without("main"))?)?,
            "NdArrayNode" => self.array(json)?,
            "DTypeNode" => self.graph.add(Node::Dtype(Dtype { kind: Kind::Other, size: 1, is_big_endian: false }))?,
            "FunctionNode" | "TypeNode" => {
                let node = self.named(text("__module__")?, text("__class__")?)?;
                self.graph.add(node)?
            }
            "SparseMatrixNode" if json.get("type").and_then(Json::as_str) == Some("scipy") => self.sparse(json)?,
            "ObjectNode"
            | "SliceNode"
            | "LossNode"
            | "RandomStateNode"
            | "RandomGeneratorNode"
            | "MaskedArrayNode"
            | "SparseMatrixNode" => {
                let is_object = loader == "ObjectNode" && !content.is_null();
                let state = if is_object { Some(self.node(content)?) } else { None };
                let (module, name) = (text("__module__")?, text("__class__")?);
                let node = match self.named(module, name)? {
                    Node::Global(class) if class.role == Role::Class => Node::Object(Box::new(Object { class, state })),
                    Node::Unlisted(class) => Node::Unlisted(Box::new(class.object(state.into_iter().collect()))),
                    _ => return Err(FileError::global(SCHEMA, module, name)),
                };
                self.graph.add(node)?
            }
            other => {
                let name = [text("__module__")?, text("__class__")?].join(".");
                let reason = format!("{} ({}) is not read", printable(&name), printable(other));
                return Err(FileError::Unsupported { place: SCHEMA.to_owned(), reason, help: IN_PYTHON });
            }
        };
        self.ids.extend(number.map(|number| (number, id)));
        Ok(id)
    }

    /// A class or function.
    fn named(&mut self, module: &str, name: &str) -> Result<Node<'a>, FileError> {
        match globals::find(module, name) {
            Some(known) => Ok(Node::Global(known)),
            None => self.graph.unlisted(SCHEMA.to_owned(), module, name),
        }
    }

    fn nodes(&mut self, content: &Json) -> Result<Vec<Id>, FileError> {
        let parts = content.as_array().ok_or_else(|| without("content"))?;
        parts.iter().map(|part| self.node(part)).collect()
    }

    fn dict(&mut self, content: &Json) -> Result<Id, FileError> {
        let members = content.as_object().ok_or_else(|| without("content"))?;
        let mut entries = Vec::new();
        for (key, value) in members {
            self.graph.step()?;
            let key = self.graph.add(Node::Text(Cow::Owned(key.clone())))?;
            entries.push((key, self.node(value)?));
        }
        self.graph.add(Node::Dict(entries))
    }

    /// An array, or a number of numpy: an array without dimensions.
    fn array(&mut self, json: &Json) -> Result<Id, FileError> {
        let text = |key: &str| json.get(key).and_then(Json::as_str).ok_or_else(|| without(key));
        let class = known(text("__module__")?, text("__class__")?)?;
        if text("type")? == "numpy" {
            let name = text("file")?;
            if let Some(id) = self.members.get(name) {
                return Ok(*id);
            }
            let member = self.member(name, MAX_BYTES)?;
            let npy = npy::parse(&member).map_err(|reason| FileError::damaged(name, reason))?;
            let node = if class.role == Role::Ndarray {
                let content = self.graph.add(Node::Bytes(Cow::Owned(npy.content.to_vec())))?;
                let Npy { dtype, is_fortran, shape, .. } = npy;
                let array = Array { shape, dtype, is_fortran, content: Some(content) };
                if !array.is_complete(self.graph) {
                    return Err(FileError::damaged(name, "the array has another size than its shape"));
                }
                Node::Array(Box::new(array))
            } else {
                npy.dtype.scalar(npy.content).ok_or_else(|| FileError::damaged(name, "it is not a number"))?
            };
            let id = self.graph.add(node)?;
            self.members.insert(name.to_owned(), id);
            return Ok(id);
        }
        let content = self.nodes(json.get("content").unwrap_or(&Json::Null))?;
        let shape = self.node(json.get("shape").ok_or_else(|| without("shape"))?)?;
        let shape = self.graph.shape(shape).ok_or_else(|| without("shape"))?;
        let dtype = Dtype { kind: Kind::Object, size: 8, is_big_endian: false };
        let content = Some(self.graph.add(Node::List(content))?);
        let array = Array { shape, dtype, is_fortran: false, content };
        if !array.is_complete(self.graph) {
            return Err(FileError::damaged(SCHEMA, "an array has another size than its shape"));
        }
        self.graph.add(Node::Array(Box::new(array)))
    }
}

fn without(key: &str) -> FileError {
    FileError::damaged(SCHEMA, format!("a part has no {key}"))
}

fn known(module: &str, name: &str) -> Result<&'static globals::Known, FileError> {
    globals::find(module, name).ok_or_else(|| FileError::global(SCHEMA, module, name))
}

/// A number, text, boolean or `None` as Python's `json.dumps` writes it.
fn primitive<'a>(text: &str) -> Result<Node<'a>, FileError> {
    let special = match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    };
    if let Some(value) = special {
        return Ok(Node::Float(value));
    }
    let json: Json = serde_json::from_str(text).map_err(|error| FileError::damaged(SCHEMA, error.to_string()))?;
    Ok(match json {
        Json::Null => Node::None,
        Json::Bool(value) => Node::Bool(value),
        Json::String(text) => Node::Text(Cow::Owned(text)),
        Json::Number(number) => match number.as_i64() {
            Some(value) => Node::Int(value),
            None if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') => Node::BigInt,
            None => Node::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::Array(_) | Json::Object(_) => return Err(FileError::damaged(SCHEMA, "a primitive value has parts")),
    })
}

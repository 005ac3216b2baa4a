//! Sparse matrices of scipy in a skops file: an archive of arrays, which `scipy.sparse.save_npz` wrote.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::archive::Archive;
use super::{MAX_BYTES, SCHEMA, Skops, known, npy, without};
use crate::file::array::Kind;
use crate::file::error::FileError;
use crate::file::globals::Role;
use crate::file::graph::{Array, Id, Node, Object};
use crate::value::Elements;

/// The arrays in the archive that are read, and the attributes of scipy.
const PARTS: [(&str, &str); 4] =
    [("data.npy", "data"), ("indices.npy", "indices"), ("indptr.npy", "indptr"), ("shape.npy", "_shape")];

impl Skops<'_, '_, '_> {
    /// The object with the attributes that it has in a pickle.
    pub(super) fn sparse(&mut self, json: &Json) -> Result<Id, FileError> {
        let text = |key: &str| json.get(key).and_then(Json::as_str).ok_or_else(|| without(key));
        let (module, name, file) = (text("__module__")?, text("__class__")?, text("file")?);
        let class = known(module, name)?;
        if class.role != Role::Class {
            return Err(FileError::global(SCHEMA, module, name));
        }
        let content = self.member(file, MAX_BYTES)?;
        let archive = Archive::open(&content)?;
        let mut state = Vec::new();
        for (member, attribute) in PARTS.into_iter().filter(|(member, _)| archive.has(member)) {
            let array = archive.read(member, MAX_BYTES.saturating_sub(self.bytes))?;
            self.bytes += array.len();
            let value = self.part(attribute, &array).map_err(|reason| FileError::damaged(member, reason))?;
            let value = self.graph.add(value)?;
            let attribute = self.graph.add(Node::Text(Cow::Borrowed(attribute)))?;
            state.push((attribute, value));
        }
        let state = Some(self.graph.add(Node::Dict(state))?);
        self.graph.add(Node::Object(Box::new(Object { class, state })))
    }

    /// An array; the shape is a tuple in a pickle.
    fn part<'n>(&mut self, attribute: &str, file: &[u8]) -> Result<Node<'n>, String> {
        let array = npy::parse(file)?;
        let wrong = || "the array has another size than its shape".to_owned();
        let length = array.dtype.bytes(&array.shape).filter(|length| *length == array.content.len());
        let length = length.filter(|_| array.shape.len() == 1 && array.dtype.kind != Kind::Object).ok_or_else(wrong)?;
        if attribute == "_shape" {
            let count = length / array.dtype.size.max(1);
            let Some(Elements::Ints(lengths)) = array.dtype.elements(array.content, count) else { return Err(wrong()) };
            let lengths = lengths.into_iter().take(crate::file::array::MAX_DIMENSIONS);
            let lengths = lengths.map(|length| self.graph.add(Node::Int(length))).collect::<Result<_, _>>();
            return lengths.map(Node::Tuple).map_err(|error| error.to_string());
        }
        let content = self.graph.add(Node::Bytes(Cow::Owned(array.content.to_vec())));
        let content = Some(content.map_err(|error| error.to_string())?);
        let npy::Npy { dtype, is_fortran, shape, .. } = array;
        Ok(Node::Array(Box::new(Array { shape, dtype, is_fortran, content })))
    }
}

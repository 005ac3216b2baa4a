//! The objects of a file as nodes, with references between them as in the file: shared and recursive parts are not copied.
//!
//! A file makes at most one node for each of at most four million opcodes or JSON values. Content is borrowed from the
//! file. So the memory for a hostile file is bounded, and so is the time; what is made of the nodes has its own limit.

use std::borrow::Cow;

use std::collections::BTreeSet;

use super::array::Dtype;
use super::error::{FileError, printable};
use super::globals::Known;

/// The most opcodes of a pickle, and the most values of a skops file.
const MAX_STEPS: usize = 4 << 20;

/// The most bytes that are decoded from text.
const MAX_DECODED: usize = 256 << 20;

/// The position of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Id(u32);

impl Id {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A plain value whose parts are other nodes.
#[derive(Debug)]
pub(super) enum Node<'a> {
    None,
    Bool(bool),
    Int(i64),
    /// An integer of more than 64 bits.
    BigInt,
    Float(f64),
    Text(Cow<'a, str>),
    Bytes(Cow<'a, [u8]>),
    List(Vec<Id>),
    Tuple(Vec<Id>),
    Set,
    Dict(Vec<(Id, Id)>),
    Global(&'static Known),
    Dtype(Dtype),
    Array(Box<Array>),
    Object(Box<Object>),
    Unlisted(Box<Unlisted>),
}

/// An array of numpy.
#[derive(Debug)]
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    pub(super) dtype: Dtype,
    pub(super) is_fortran: bool,
    /// Bytes, or a list if the type is that of objects; nothing before the array is complete.
    pub(super) content: Option<Id>,
}

/// An object of a class. Its constructor is not called.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) class: &'static Known,
    pub(super) state: Option<Id>,
}

/// A class or function that is not in the closed list, or an object of such a class. It may be where the import does not
/// read: in the memory of a pipeline, for example.
#[derive(Debug)]
pub(super) struct Unlisted {
    module: String,
    name: String,
    /// Where the file names it.
    place: String,
    /// Its class, arguments and state.
    pub(super) parts: Vec<Id>,
}

impl Unlisted {
    /// The error of a file that uses it.
    pub(super) fn error(&self) -> FileError {
        FileError::global(self.place.as_str(), &self.module, &self.name)
    }

    /// The module and the name.
    pub(super) fn full_name(&self) -> String {
        format!("{}.{}", printable(&self.module), printable(&self.name))
    }

    /// An object of this class.
    pub(super) fn object(&self, parts: Vec<Id>) -> Self {
        let Self { module, name, place, .. } = self;
        Self { module: module.clone(), name: name.clone(), place: place.clone(), parts }
    }
}

/// The nodes of a file.
#[derive(Debug, Default)]
pub(super) struct Graph<'a> {
    nodes: Vec<Node<'a>>,
    steps: usize,
    decoded: usize,
}

impl<'a> Graph<'a> {
    /// Counts an opcode or a value.
    pub(super) fn step(&mut self) -> Result<(), FileError> {
        self.steps_of(1)
    }

    /// Counts values that are copied or searched.
    pub(super) fn steps_of(&mut self, count: usize) -> Result<(), FileError> {
        self.steps = self.steps.saturating_add(count);
        if self.steps > MAX_STEPS {
            return Err(FileError::TooLarge { limit: format!("{MAX_STEPS} parts") });
        }
        Ok(())
    }

    /// Counts bytes that are copied.
    pub(super) fn decode(&mut self, bytes: usize) -> Result<(), FileError> {
        self.decoded = self.decoded.saturating_add(bytes);
        if self.decoded > MAX_DECODED {
            return Err(FileError::TooLarge { limit: format!("{} MiB of encoded arrays", MAX_DECODED >> 20) });
        }
        Ok(())
    }

    pub(super) fn add(&mut self, node: Node<'a>) -> Result<Id, FileError> {
        let id = u32::try_from(self.nodes.len()).ok().filter(|_| self.nodes.len() <= 2 * MAX_STEPS);
        let id = id.ok_or_else(|| FileError::TooLarge { limit: format!("{MAX_STEPS} parts") })?;
        self.nodes.push(node);
        Ok(Id(id))
    }

    /// A name that is not in the closed list.
    pub(super) fn unlisted(&mut self, place: String, module: &str, name: &str) -> Result<Node<'a>, FileError> {
        self.decode(module.len().saturating_add(name.len()))?;
        let (module, name) = (module.to_owned(), name.to_owned());
        Ok(Node::Unlisted(Box::new(Unlisted { module, name, place, parts: Vec::new() })))
    }

    /// The names below a node that are not in the closed list.
    ///
    /// # Errors
    /// [`FileError::Global`] for a name that the file uses elsewhere: to make something that is not part of the node.
    pub(super) fn unlisted_names(&self, root: Id) -> Result<BTreeSet<String>, FileError> {
        let mut names = BTreeSet::new();
        if !self.nodes.iter().any(|node| matches!(node, Node::Unlisted(_))) {
            return Ok(names);
        }
        let mut found = vec![false; self.nodes.len()];
        let mut open = vec![root];
        while let Some(id) = open.pop() {
            match found.get_mut(id.index()) {
                Some(is_found) if !*is_found => *is_found = true,
                _ => continue,
            }
            match self.node(id) {
                Node::List(items) | Node::Tuple(items) => open.extend(items),
                Node::Dict(entries) => open.extend(entries.iter().flat_map(|(key, value)| [key, value])),
                Node::Array(array) => open.extend(array.content),
                Node::Object(object) => open.extend(object.state),
                Node::Unlisted(unlisted) => {
                    names.insert(unlisted.full_name());
                    open.extend(&unlisted.parts);
                }
                _ => {}
            }
        }
        let mut elsewhere = self.nodes.iter().zip(&found).filter(|(_, is_found)| !**is_found);
        let used = elsewhere.find_map(|(node, _)| if let Node::Unlisted(used) = node { Some(used) } else { None });
        used.map_or(Ok(names), |used| Err(used.error()))
    }

    /// The number of nodes.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn node(&self, id: Id) -> &Node<'a> {
        self.nodes.get(id.index()).unwrap_or(&Node::None)
    }

    pub(super) fn node_mut(&mut self, id: Id) -> Option<&mut Node<'a>> {
        self.nodes.get_mut(id.index())
    }

    pub(super) fn text(&self, id: Id) -> Option<&str> {
        if let Node::Text(text) = self.node(id) { Some(text) } else { None }
    }

    pub(super) fn bytes(&self, id: Id) -> Option<&[u8]> {
        if let Node::Bytes(bytes) = self.node(id) { Some(bytes) } else { None }
    }

    /// The elements of a tuple or a list.
    pub(super) fn sequence(&self, id: Id) -> Option<&[Id]> {
        if let Node::Tuple(items) | Node::List(items) = self.node(id) { Some(items) } else { None }
    }

    pub(super) fn dtype(&self, id: Id) -> Option<Dtype> {
        if let Node::Dtype(dtype) = self.node(id) { Some(*dtype) } else { None }
    }

    /// A length or a dimension.
    pub(super) fn length(&self, id: Id) -> Option<usize> {
        if let Node::Int(length) = self.node(id) { usize::try_from(*length).ok() } else { None }
    }

    /// The shape of an array: a tuple of lengths.
    pub(super) fn shape(&self, id: Id) -> Option<Vec<usize>> {
        let lengths = self.sequence(id).filter(|lengths| lengths.len() <= super::array::MAX_DIMENSIONS)?;
        lengths.iter().map(|length| self.length(*length)).collect()
    }

    /// The number of the attributes of an object.
    pub(super) fn attributes(&self, id: Id) -> usize {
        match self.node(id) {
            Node::Object(object) => match object.state.map(|state| self.node(state)) {
                Some(Node::Dict(entries)) => entries.len(),
                _ => 0,
            },
            _ => 0,
        }
    }

    /// An attribute of an object.
    pub(super) fn attribute(&self, id: Id, name: &str) -> Option<Id> {
        let Node::Object(object) = self.node(id) else { return None };
        self.entry(object.state?, name)
    }

    /// The value of a text in a dictionary; the last one counts.
    pub(super) fn entry(&self, id: Id, key: &str) -> Option<Id> {
        let Node::Dict(entries) = self.node(id) else { return None };
        entries.iter().rev().find(|(name, _)| self.text(*name) == Some(key)).map(|(_, value)| *value)
    }
}

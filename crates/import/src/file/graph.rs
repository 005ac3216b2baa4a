//! The objects of a file as nodes, with references between them as in the file: shared and recursive parts are not copied.
//!
//! A file makes at most one node for each of at most four million opcodes or JSON values. Content is borrowed from the
//! file. So the memory for a hostile file is bounded, and so is the time; what is made of the nodes has its own limit.

use std::borrow::Cow;

use super::array::Dtype;
use super::error::FileError;
use super::globals::Known;

/// The most opcodes of a pickle, and the most values of a skops file.
const MAX_STEPS: usize = 4 << 20;

/// The most bytes that are decoded from text.
const MAX_DECODED: usize = 256 << 20;

/// The position of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Id(u32);

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

    pub(super) fn node(&self, id: Id) -> &Node<'a> {
        self.nodes.get(id.0 as usize).unwrap_or(&Node::None)
    }

    pub(super) fn node_mut(&mut self, id: Id) -> Option<&mut Node<'a>> {
        self.nodes.get_mut(id.0 as usize)
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

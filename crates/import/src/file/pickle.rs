//! An interpreter of pickle's opcodes, protocols 0 to 5, that makes plain nodes and runs nothing.
//!
//! It follows the `Unpickler` of Python (`Lib/pickle.py`), and joblib's, which continues with the bytes of an array after the
//! object that describes it. A name that is not in the closed list is never called, and an error where the import would
//! use it; persistent ids, extension codes and buffers outside of the file are errors.

mod construct;
mod literal;
mod reader;

use std::collections::HashMap;

use super::error::FileError;
use super::globals;
use super::graph::{Graph, Id, Node};
use reader::Reader;

/// The object in a pickle.
pub(super) fn load<'a>(content: &'a [u8], graph: &mut Graph<'a>) -> Result<Id, FileError> {
    let mut machine = Machine::new(Reader::new(content), graph, true);
    let root = machine.run()?;
    match machine.input.remaining() {
        0 => Ok(root),
        rest => Err(FileError::damaged(machine.input.place(), format!("{rest} bytes follow the end of the pickle"))),
    }
}

/// The state of the interpreter.
struct Machine<'a, 'g> {
    input: Reader<'a>,
    graph: &'g mut Graph<'a>,
    stack: Vec<Id>,
    /// The lengths of the stack at each mark.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
    /// Whether arrays of joblib may be in it: not in a pickle within a file of joblib.
    is_outer: bool,
}

impl<'a, 'g> Machine<'a, 'g> {
    fn new(input: Reader<'a>, graph: &'g mut Graph<'a>, is_outer: bool) -> Self {
        Self { input, graph, stack: Vec::new(), marks: Vec::new(), memo: HashMap::new(), is_outer }
    }

    /// Interprets opcodes up to the end of the pickle.
    fn run(&mut self) -> Result<Id, FileError> {
        loop {
            self.graph.step()?;
            let opcode = self.input.opcode()?;
            if opcode == b'.' {
                return self.pop();
            }
            match self.input.literal(opcode, self.graph)? {
                Some(node) => self.push(node)?,
                None => self.apply(opcode)?,
            }
        }
    }

    /// Any opcode that is not a literal.
    fn apply(&mut self, opcode: u8) -> Result<(), FileError> {
        match opcode {
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_mark()?),
            b'2' => self.stack.push(self.top()?),
            b't' | b'l' | b'd' | 0x90 | 0x91 | 0x85..=0x87 => return self.container(opcode),
            b'a' | b'e' => {
                let items = if opcode == b'a' { vec![self.pop()?] } else { self.pop_mark()? };
                let list = self.top()?;
                return self.extend(list, items);
            }
            b's' | b'u' => {
                let items = if opcode == b's' { self.pop_many(2)? } else { self.pop_mark()? };
                let dict = self.top()?;
                return self.insert(dict, &items);
            }
            b'p' | b'q' | b'r' | 0x94 | b'g' | b'h' | b'j' => return self.memo(opcode),
            b'c' => {
                let (module, name) = (self.input.line()?, self.input.line()?);
                return self.global(module, name);
            }
            0x93 => {
                let names = self.pop_many(2)?;
                let [Some(module), Some(name)] = [0, 1].map(|at| Some(self.graph.text(*names.get(at)?)?.to_owned()))
                else {
                    return Err(self.damaged("the name of a class is not a text"));
                };
                return self.global(&module, &name);
            }
            b'R' | 0x81 | 0x92 | b'i' | b'o' => return self.call(opcode),
            b'b' => return self.build(),
            0x80 | 0x95 | 0x98 => return self.frame(opcode),
            other => return Err(self.refused(other)),
        }
        Ok(())
    }

    /// Lists, tuples and dictionaries of the topmost values.
    fn container(&mut self, opcode: u8) -> Result<(), FileError> {
        let items = match opcode {
            0x85..=0x87 => self.pop_many(usize::from(opcode - 0x84))?,
            _ => self.pop_mark()?,
        };
        match opcode {
            b'l' => self.push(Node::List(items)),
            b'd' => {
                let dict = self.graph.add(Node::Dict(Vec::new()))?;
                self.stack.push(dict);
                self.insert(dict, &items)
            }
            // The elements of sets are not used.
            0x90 => self.top().map(drop),
            0x91 => self.push(Node::Set),
            _ => self.push(Node::Tuple(items)),
        }
    }

    fn extend(&mut self, list: Id, items: Vec<Id>) -> Result<(), FileError> {
        match self.graph.node_mut(list) {
            Some(Node::List(list)) => list.extend(items),
            // A subclass of list, whose elements are not used.
            Some(Node::Object(_)) => {}
            Some(Node::Unlisted(unlisted)) => unlisted.parts.extend(items),
            _ => return Err(self.damaged("elements are added to something that is not a list")),
        }
        Ok(())
    }

    fn insert(&mut self, dict: Id, items: &[Id]) -> Result<(), FileError> {
        let (pairs, []) = items.as_chunks::<2>() else {
            return Err(self.damaged("a dictionary has a key without value"));
        };
        match self.graph.node_mut(dict) {
            Some(Node::Dict(entries)) => entries.extend(pairs.iter().map(|[key, value]| (*key, *value))),
            Some(Node::Object(_)) => {}
            Some(Node::Unlisted(unlisted)) => unlisted.parts.extend(items),
            _ => return Err(self.damaged("entries are added to something that is not a dictionary")),
        }
        Ok(())
    }

    /// Stores or loads a memo.
    fn memo(&mut self, opcode: u8) -> Result<(), FileError> {
        let key = match opcode {
            b'p' | b'g' => self.input.number()?,
            b'q' | b'h' => self.input.byte()?.into(),
            b'r' | b'j' => u32::from_le_bytes(self.input.array()?),
            _ => u32::try_from(self.memo.len()).unwrap_or(u32::MAX),
        };
        if matches!(opcode, b'g' | b'h' | b'j') {
            let id = self.memo.get(&key).copied();
            let id = id.ok_or_else(|| self.damaged(format!("memo {key} is not defined")))?;
            self.stack.push(id);
        } else {
            let top = self.top()?;
            self.memo.insert(key, top);
        }
        Ok(())
    }

    fn global(&mut self, module: &str, name: &str) -> Result<(), FileError> {
        let node = match globals::find(module, name) {
            Some(known) => Node::Global(known),
            None => self.graph.unlisted(self.input.place(), module, name)?,
        };
        self.push(node)
    }

    /// Protocol, frame and read-only buffer: nothing to do.
    fn frame(&mut self, opcode: u8) -> Result<(), FileError> {
        match opcode {
            0x80 => match self.input.byte()? {
                0..=5 => Ok(()),
                protocol => Err(FileError::unsupported(self.input.place(), format!("pickle protocol {protocol}"))),
            },
            0x95 => {
                let length = u64::from_le_bytes(self.input.array()?);
                let fits = usize::try_from(length).is_ok_and(|length| length <= self.input.remaining());
                if fits {
                    Ok(())
                } else {
                    Err(self.damaged(format!("a frame of {length} bytes is longer than the file")))
                }
            }
            _ => self.top().map(drop),
        }
    }

    fn refused(&self, opcode: u8) -> FileError {
        let reason = match opcode {
            b'P' | b'Q' => "a persistent id refers to something outside of the file",
            0x82..=0x84 => "an extension code stands for a name that is not in the file",
            0x97 => "an array is in a buffer outside of the file",
            b'S' | b'T' | b'U' => "a string of Python 2",
            other => return self.damaged(format!("{other:#04x} is not an opcode of pickle")),
        };
        FileError::unsupported(self.input.place(), reason)
    }

    fn push(&mut self, node: Node<'a>) -> Result<(), FileError> {
        let id = self.graph.add(node)?;
        self.stack.push(id);
        Ok(())
    }

    /// The number of values below the last mark, which opcodes do not reach.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn top(&self) -> Result<Id, FileError> {
        let top = self.stack.last().filter(|_| self.stack.len() > self.floor());
        top.copied().ok_or_else(|| self.damaged("an opcode needs a value"))
    }

    fn pop(&mut self) -> Result<Id, FileError> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    /// The topmost values, the lowest first.
    fn pop_many(&mut self, count: usize) -> Result<Vec<Id>, FileError> {
        let start = self.stack.len().checked_sub(count).filter(|start| *start >= self.floor());
        let start = start.ok_or_else(|| self.damaged("an opcode needs values"))?;
        Ok(self.stack.split_off(start))
    }

    /// The values above the last mark.
    fn pop_mark(&mut self) -> Result<Vec<Id>, FileError> {
        let mark = self.marks.pop().ok_or_else(|| self.damaged("an opcode needs a mark"))?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    fn damaged(&self, reason: impl Into<String>) -> FileError {
        FileError::damaged(self.input.place(), reason)
    }
}

//! Opcodes that make objects: a class or function of the closed list with arguments, and the state of an object. Nothing is
//! called; see [`Role`].

use std::borrow::Cow;

use super::Machine;
use crate::file::array::{Dtype, Kind};
use crate::file::error::FileError;
use crate::file::globals::{Known, Role};
use crate::file::graph::{Array, Id, Node, Object};

/// The attributes of joblib's description of an array.
const WRAPPER_ATTRIBUTES: usize = 5;

impl<'a> Machine<'a, '_> {
    /// A class or function with arguments.
    pub(super) fn call(&mut self, opcode: u8) -> Result<(), FileError> {
        if opcode == b'i' {
            let (module, name) = (self.input.line()?, self.input.line()?);
            let arguments = self.pop_mark()?;
            self.global(module, name)?;
            let class = self.pop()?;
            return self.make(class, &arguments);
        }
        if opcode == b'o' {
            let mut items = self.pop_mark()?.into_iter();
            let class = items.next().ok_or_else(|| self.damaged("an object has no class"))?;
            return self.make(class, &items.collect::<Vec<_>>());
        }
        // Named arguments of a constructor, which is not called.
        let named = if opcode == 0x92 { Some(self.pop()?) } else { None };
        let arguments = self.pop()?;
        let class = self.pop()?;
        if opcode != b'R'
            && let Node::Unlisted(unlisted) = self.graph.node(class)
        {
            let parts = [Some(class), Some(arguments), named].into_iter().flatten().collect();
            let object = Node::Unlisted(Box::new(unlisted.object(parts)));
            return self.push(object);
        }
        self.graph.steps_of(self.graph.sequence(arguments).map_or(0, <[Id]>::len))?;
        let arguments = self.graph.sequence(arguments).map(<[Id]>::to_vec);
        self.make(class, &arguments.ok_or_else(|| self.damaged("the arguments of a class are not a tuple"))?)
    }

    fn make(&mut self, class: Id, arguments: &[Id]) -> Result<(), FileError> {
        let known: &'static Known = match self.graph.node(class) {
            Node::Global(known) => known,
            Node::Unlisted(unlisted) => return Err(unlisted.error()),
            _ => return Err(self.damaged("something that is not a class is called")),
        };
        let malformed = || self.damaged(format!("{}.{} has other arguments than numpy's", known.module, known.name));
        let node = match known.role {
            Role::Class | Role::ArrayWrapper => object(known),
            Role::Dict => Node::Dict(Vec::new()),
            Role::Set => Node::Set,
            Role::NoBytes if arguments.is_empty() => Node::Bytes(Cow::Borrowed(&[])),
            Role::NoBytes => return Err(malformed()),
            Role::Unpickler | Role::Reconstructor => match arguments.first().map(|class| self.graph.node(*class)) {
                Some(Node::Global(class)) if class.role == Role::Class => object(class),
                Some(Node::Global(class)) if class.role == Role::Dict => Node::Dict(Vec::new()),
                Some(Node::Unlisted(class)) => Node::Unlisted(Box::new(class.object(arguments.to_vec()))),
                _ => object(known),
            },
            Role::EmptyArray => self.empty_array(arguments)?,
            Role::Dtype => {
                let code = arguments.first().and_then(|code| self.graph.text(*code)).ok_or_else(malformed)?;
                Node::Dtype(Dtype::parse(code).ok_or_else(|| self.unknown_type(code))?)
            }
            Role::FromBuffer => self.buffered(arguments).ok_or_else(malformed)?,
            Role::Scalar => {
                let bytes = arguments.get(1).and_then(|bytes| self.graph.bytes(*bytes)).ok_or_else(malformed)?.len();
                self.graph.decode(bytes)?;
                self.scalar(arguments)
                    .ok_or_else(|| self.damaged("a number of numpy has another size than its type"))?
            }
            Role::Encode => {
                let text = arguments.first().and_then(|text| self.graph.text(*text)).ok_or_else(malformed)?;
                let length = text.len();
                let bytes: Option<Vec<u8>> = text.chars().map(|one| u8::try_from(u32::from(one)).ok()).collect();
                let bytes = bytes.ok_or_else(malformed)?;
                self.graph.decode(length)?;
                Node::Bytes(Cow::Owned(bytes))
            }
            Role::Function | Role::Ufunc | Role::Ndarray => {
                let reason = format!("it calls {}.{}", known.module, known.name);
                return Err(FileError::unsupported(self.input.place(), reason));
            }
        };
        self.push(node)
    }

    /// An array without a shape or content, of numpy's own class only.
    fn empty_array(&self, arguments: &[Id]) -> Result<Node<'a>, FileError> {
        self.check_array_class(arguments.first().copied())?;
        let dtype = Dtype { kind: Kind::Other, size: 1, is_big_endian: false };
        Ok(Node::Array(Box::new(Array { shape: vec![0], dtype, is_fortran: false, content: None })))
    }

    fn unknown_type(&self, code: &str) -> FileError {
        let code: String = code.chars().take(20).collect();
        FileError::unsupported(self.input.place(), format!("an array has the type {code:?}"))
    }

    /// `_frombuffer(buffer, dtype, shape, order)`.
    fn buffered(&self, arguments: &[Id]) -> Option<Node<'a>> {
        let [content, dtype, shape, order, rest @ ..] = arguments else { return None };
        let is_plain = rest.iter().all(|axes| matches!(self.graph.node(*axes), Node::None));
        let is_fortran = match self.graph.text(*order)? {
            "C" if is_plain => false,
            "F" if is_plain => true,
            _ => return None,
        };
        let array = Array {
            shape: self.graph.shape(*shape)?,
            dtype: self.graph.dtype(*dtype).filter(|dtype| dtype.kind != Kind::Object)?,
            is_fortran,
            content: Some(*content),
        };
        array.is_complete(self.graph).then(|| Node::Array(Box::new(array)))
    }

    /// `scalar(dtype, bytes)`: a number.
    fn scalar(&self, arguments: &[Id]) -> Option<Node<'a>> {
        let [dtype, bytes] = arguments else { return None };
        self.graph.dtype(*dtype)?.scalar(self.graph.bytes(*bytes)?)
    }

    /// The state of the topmost object.
    pub(super) fn build(&mut self) -> Result<(), FileError> {
        let state = self.pop()?;
        let target = self.top()?;
        let is_wrapper =
            matches!(self.graph.node(target), Node::Object(object) if object.class.role == Role::ArrayWrapper);
        match self.graph.node(target) {
            Node::Dtype(dtype) => {
                let dtype = self.dtype(*dtype, state)?;
                self.replace(target, Node::Dtype(dtype));
            }
            Node::Array(_) => {
                let array = self.array(state).filter(|array| array.is_complete(self.graph));
                let array = array.ok_or_else(|| self.damaged("an array has another size than its shape"))?;
                self.replace(target, Node::Array(Box::new(array)));
            }
            Node::Object(object) => {
                let class = object.class;
                let state = Some(self.attributes(state));
                self.replace(target, Node::Object(Box::new(Object { class, state })));
            }
            // The attributes of a subclass of dict.
            Node::Dict(_) => {}
            Node::Unlisted(_) => {
                if let Some(Node::Unlisted(unlisted)) = self.graph.node_mut(target) {
                    unlisted.parts.push(state);
                }
            }
            _ => return Err(self.damaged("a value of a class without attributes gets attributes")),
        }
        if is_wrapper {
            self.pop()?;
            return self.joblib_array(target);
        }
        Ok(())
    }

    fn replace(&mut self, target: Id, node: Node<'a>) {
        if let Some(old) = self.graph.node_mut(target) {
            *old = node;
        }
    }

    /// The attributes in a state: a dictionary, or a dictionary and the values of slots.
    fn attributes(&self, state: Id) -> Id {
        match self.graph.node(state) {
            Node::Tuple(parts) => match parts.as_slice() {
                [attributes, _] => *attributes,
                _ => state,
            },
            _ => state,
        }
    }

    /// `(version, order, subtype, names, fields, size, alignment, flags[, metadata])`.
    fn dtype(&self, dtype: Dtype, state: Id) -> Result<Dtype, FileError> {
        let Some([_, order, subtype, names, fields, ..]) = self.graph.sequence(state) else {
            return Err(self.damaged("a type of arrays has no state"));
        };
        if [subtype, names, fields].iter().any(|part| !matches!(self.graph.node(**part), Node::None)) {
            return Err(FileError::unsupported(self.input.place(), "a structured array"));
        }
        let is_big_endian = match self.graph.text(*order) {
            Some(">") => true,
            Some("<" | "|" | "=") => false,
            _ => return Err(self.damaged("a type of arrays has no byte order")),
        };
        Ok(Dtype { is_big_endian, ..dtype })
    }

    /// Checks that an array is one of numpy itself, and not of a subclass.
    fn check_array_class(&self, class: Option<Id>) -> Result<(), FileError> {
        let class = match class.map(|class| self.graph.node(class)) {
            Some(Node::Global(class)) if class.role == Role::Ndarray => return Ok(()),
            Some(Node::Global(class)) => format!("{}.{}", class.module, class.name),
            Some(Node::Unlisted(class)) => class.full_name(),
            _ => "a value".to_owned(),
        };
        Err(FileError::unsupported(self.input.place(), format!("{class} in place of numpy.ndarray")))
    }

    /// `(version, shape, dtype, is_fortran, content)`.
    fn array(&self, state: Id) -> Option<Array> {
        let [_, shape, dtype, is_fortran, content] = self.graph.sequence(state)? else { return None };
        let is_fortran = match self.graph.node(*is_fortran) {
            Node::Bool(is_fortran) => *is_fortran,
            Node::Int(is_fortran) => *is_fortran != 0,
            _ => return None,
        };
        let (shape, dtype) = (self.graph.shape(*shape)?, self.graph.dtype(*dtype)?);
        Some(Array { shape, dtype, is_fortran, content: Some(*content) })
    }

    /// The array after an object of joblib that describes it: its bytes after some padding, or a pickle of an array of
    /// objects.
    fn joblib_array(&mut self, wrapper: Id) -> Result<(), FileError> {
        if !self.is_outer {
            return Err(FileError::unsupported(self.input.place(), "a joblib file in a joblib file"));
        }
        // Each of the attributes is searched.
        self.graph.steps_of(self.graph.attributes(wrapper).saturating_mul(WRAPPER_ATTRIBUTES))?;
        self.check_array_class(self.graph.attribute(wrapper, "subclass"))?;
        let (shape, dtype, is_fortran) =
            self.described(wrapper).ok_or_else(|| self.damaged("an array of joblib has no shape"))?;
        if dtype.kind == Kind::Object {
            let mut inner = Machine::new(self.input, self.graph, false);
            let array = inner.run()?;
            self.input = inner.input;
            if !matches!(self.graph.node(array), Node::Array(_)) {
                return Err(self.damaged("an array of joblib is not an array"));
            }
            self.stack.push(array);
            return Ok(());
        }
        let alignment = self.graph.attribute(wrapper, "numpy_array_alignment_bytes");
        if alignment.is_some_and(|alignment| !matches!(self.graph.node(alignment), Node::None)) {
            let padding = self.input.byte()?;
            self.input.take(padding.into())?;
        }
        let length = dtype.bytes(&shape).ok_or_else(|| self.damaged("an array is longer than the file"))?;
        let bytes = self.input.take(length as u64)?;
        let content = self.graph.add(Node::Bytes(Cow::Borrowed(bytes)))?;
        self.push(Node::Array(Box::new(Array { shape, dtype, is_fortran, content: Some(content) })))
    }

    fn described(&self, wrapper: Id) -> Option<(Vec<usize>, Dtype, bool)> {
        let attribute = |name: &str| self.graph.attribute(wrapper, name);
        let shape = self.graph.shape(attribute("shape")?)?;
        let dtype = self.graph.dtype(attribute("dtype")?)?;
        let order = self.graph.text(attribute("order")?)?;
        Some((shape, dtype, order == "F"))
    }
}

fn object<'a>(class: &'static Known) -> Node<'a> {
    Node::Object(Box::new(Object { class, state: None }))
}

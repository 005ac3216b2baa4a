//! The objects of a fitted model as plain values: what remains of Python objects when nothing of them is run.

mod json;

use indexmap::IndexMap;

/// A plain value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float, perhaps NaN or infinite.
    Float(f64),
    /// A text.
    Str(String),
    /// A list or a tuple.
    List(Vec<Value>),
    /// A dictionary, in its order.
    Dict(Vec<(Value, Value)>),
    /// An array of numpy.
    Array(Array),
    /// An object of a class, with its attributes.
    Object(Object),
    /// A function or a class.
    Global {
        /// The module that defines it.
        module: String,
        /// Its name in the module.
        name: String,
    },
}

/// An array of numpy, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// The length of each dimension.
    pub shape: Vec<usize>,
    /// The elements: as many as the product of the shape.
    pub data: Elements,
}

/// The elements of an array.
#[derive(Debug, Clone, PartialEq)]
pub enum Elements {
    /// Floats of any size.
    Floats(Vec<f64>),
    /// Integers of any size.
    Ints(Vec<i64>),
    /// Booleans.
    Bools(Vec<bool>),
    /// Texts.
    Texts(Vec<String>),
    /// Objects: texts, numbers and `None` in one array, for example.
    Objects(Vec<Value>),
    /// So many elements: more than a model file can have. They are not read.
    TooMany(usize),
}

/// An object of a class.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// The module of the class.
    pub module: String,
    /// The name of the class.
    pub name: String,
    /// Its attributes.
    pub state: IndexMap<String, Value>,
}

impl Object {
    /// An attribute; `None` if it is absent or is Python's `None`.
    #[must_use]
    pub fn get(&self, attribute: &str) -> Option<&Value> {
        self.state.get(attribute).filter(|value| **value != Value::None)
    }
}

impl Value {
    /// The value of a number or a boolean, also of an array with one element.
    #[must_use]
    // Counts and statistics are far below 2⁵³, up to which every integer is a double.
    #[allow(clippy::cast_precision_loss)]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Bool(value) => Some(f64::from(u8::from(*value))),
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            Self::Array(array) => match array.floats()?.as_slice() {
                [only] => Some(*only),
                _ => None,
            },
            _ => None,
        }
    }

    /// The numbers of an array, or of a list of numbers.
    #[must_use]
    pub fn floats(&self) -> Option<Vec<f64>> {
        match self {
            Self::Array(array) => array.floats(),
            Self::List(values) => values.iter().map(Self::number).collect(),
            _ => None,
        }
    }

    /// The elements of an array or a list, one by one.
    #[must_use]
    pub fn elements(&self) -> Option<Vec<Value>> {
        match self {
            Self::List(values) => Some(values.clone()),
            Self::Array(Array { data, .. }) => Some(match data {
                Elements::TooMany(_) => return None,
                Elements::Floats(values) => values.iter().copied().map(Self::Float).collect(),
                Elements::Ints(values) => values.iter().copied().map(Self::Int).collect(),
                Elements::Bools(values) => values.iter().copied().map(Self::Bool).collect(),
                Elements::Texts(values) => values.iter().cloned().map(Self::Str).collect(),
                Elements::Objects(values) => values.clone(),
            }),
            _ => None,
        }
    }

    /// The number of elements of an array or a list.
    #[must_use]
    pub fn length(&self) -> Option<usize> {
        match self {
            Self::List(values) => Some(values.len()),
            Self::Array(Array { data, .. }) => Some(match data {
                Elements::Floats(values) => values.len(),
                Elements::Ints(values) => values.len(),
                Elements::Bools(values) => values.len(),
                Elements::Texts(values) => values.len(),
                Elements::Objects(values) => values.len(),
                Elements::TooMany(count) => *count,
            }),
            _ => None,
        }
    }

    /// Positions in a list or an array.
    #[must_use]
    pub fn positions(&self) -> Option<Vec<usize>> {
        let position = |value: &Self| match value {
            Self::Int(value) => usize::try_from(*value).ok(),
            _ => None,
        };
        self.elements()?.iter().map(position).collect()
    }

    /// A text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if let Self::Str(text) = self { Some(text) } else { None }
    }

    /// An object.
    #[must_use]
    pub fn object(&self) -> Option<&Object> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }
}

impl Array {
    /// The elements as doubles.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn floats(&self) -> Option<Vec<f64>> {
        match &self.data {
            Elements::Floats(values) => Some(values.clone()),
            Elements::Ints(values) => Some(values.iter().map(|value| *value as f64).collect()),
            Elements::Bools(values) => Some(values.iter().map(|value| f64::from(u8::from(*value))).collect()),
            Elements::Objects(values) => values.iter().map(Value::number).collect(),
            Elements::Texts(_) | Elements::TooMany(_) => None,
        }
    }
}

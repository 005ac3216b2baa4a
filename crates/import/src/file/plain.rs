//! From the nodes of a file to the values that the import reads, the same as those that Python makes of the objects.

use std::collections::HashSet;
use std::sync::OnceLock;

use indexmap::IndexMap;

use super::Fitted;
use super::array::{self, Kind};
use super::error::FileError;
use super::globals::Role;
use super::graph::{self, Graph, Id, Node};
use crate::value::{Array, Elements, Object, Value};

/// The deepest nesting of values.
const MAX_DEPTH: usize = 200;

/// The most values: an element of an array counts one, any other value [`VALUE`]. A part that other parts share is copied
/// each time, which has a smaller limit: few bytes of a file can stand for very many values.
const MAX_VALUES: usize = 16 << 20;
const MAX_COPIES: usize = 4 << 20;
const VALUE: usize = 16;

/// The most elements of an array that are read: more than a model file can have.
const MAX_ELEMENTS: usize = 4 << 20;

/// The attributes of objects of scikit-learn that are read: those that Python passes, and below them those from which
/// Python computes which columns a selector keeps.
const ATTRIBUTES: &str = "\
    steps transformers_ transformer_list transformer_weights _transformer_to_input_indices \
    mean_ scale_ center_ min_ with_mean with_std with_centering with_scaling clip \
    statistics_ indicator_ features_ missing_values keep_empty_features \
    categories_ handle_unknown drop_idx_ _drop_idx_after_grouping _infrequent_enabled _infrequent_indices \
    _default_to_infrequent_mappings \
    _min_degree _max_degree n_output_features_ interaction_only include_bias \
    func inverse_func kw_args \
    components_ explained_variance_ whiten \
    support_ variances_ threshold scores_ k \
    coef_ intercept_ classes_ multi_class solver loss power link _base_loss \
    estimator estimator_ base_estimator best_estimator_ regressor_ transformer_ \
    calibrated_classifiers_ calibrators method classes a_ b_ n_features_in_ \
    percentile pvalues_ alpha mode param prefit importance_getter norm_order max_features max_features_ \
    penalty l1_ratio l1_ratio_";

/// The attributes of scipy's sparse matrices that are read.
const SPARSE: [&str; 4] = ["data", "indices", "indptr", "_shape"];

/// Whether an attribute of an object of scikit-learn is read.
fn is_read(name: &str) -> bool {
    static NAMES: OnceLock<HashSet<&str>> = OnceLock::new();
    NAMES.get_or_init(|| ATTRIBUTES.split_ascii_whitespace().collect()).contains(name)
}

/// The fitted estimator at the root of a file.
pub(super) fn fitted(graph: &Graph<'_>, root: Id) -> Result<Fitted, FileError> {
    if let Node::Unlisted(unlisted) = graph.node(root) {
        return Err(unlisted.error());
    }
    let Node::Object(object) = graph.node(root) else {
        let found = match graph.node(root) {
            Node::Dict(_) => "a file with a dict",
            Node::List(_) => "a file with a list",
            Node::Tuple(_) => "a file with a tuple",
            Node::Array(_) => "a file with an array",
            _ => "a file with another value",
        };
        let help = "save the fitted pipeline itself: joblib.dump(pipeline, \"model.joblib\")";
        return Err(FileError::Format { found: found.to_owned(), help });
    };
    let mut plain = Plain { graph, values: 0, copies: 0, converted: vec![false; graph.len()] };
    let estimator = plain.value(root, 0)?;
    let unused = graph.unlisted_names(root)?.into_iter().collect();
    let version = graph.attribute(root, "_sklearn_version").and_then(|version| graph.text(version));
    Ok(Fitted {
        estimator,
        class: object.class.name.to_owned(),
        version: version.filter(|version| is_version(version)).map(str::to_owned),
        names: plain.of_input(root, "feature_names_in_", 0)?.map(|names| plain.names(names)).transpose()?.flatten(),
        width: plain.of_input(root, "n_features_in_", 0)?.and_then(|width| graph.length(width)),
        unused,
    })
}

/// Whether a text is a version such as 1.5.2 or 1.6.dev0, which is printed.
fn is_version(text: &str) -> bool {
    text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+-".contains(&byte))
}

/// The conversion, with the number of values so far.
struct Plain<'g, 'a> {
    graph: &'g Graph<'a>,
    values: usize,
    /// Those of nodes that were converted before.
    copies: usize,
    converted: Vec<bool>,
}

impl Plain<'_, '_> {
    fn value(&mut self, id: Id, depth: usize) -> Result<Value, FileError> {
        if depth > MAX_DEPTH {
            return Err(FileError::TooLarge { limit: format!("{MAX_DEPTH} levels of nested values") });
        }
        self.count_node(id)?;
        let graph = self.graph;
        Ok(match graph.node(id) {
            Node::None => Value::None,
            Node::Bool(value) => Value::Bool(*value),
            Node::Int(value) => Value::Int(*value),
            Node::Float(value) => Value::Float(*value),
            Node::Text(text) => Value::Str(text.clone().into_owned()),
            Node::List(items) | Node::Tuple(items) => Value::List(self.list(items, depth)?),
            Node::Dict(entries) => {
                let mut values = Vec::new();
                for (key, value) in entries {
                    values.push((self.value(*key, depth + 1)?, self.value(*value, depth + 1)?));
                }
                Value::Dict(values)
            }
            Node::Global(known) => {
                let module = if known.role == Role::Ufunc { "numpy" } else { known.module };
                Value::Global { module: module.to_owned(), name: known.name.to_owned() }
            }
            Node::Array(array) => self.array(array, depth)?,
            Node::Object(object) => self.object(id, object, depth)?,
            Node::BigInt => builtin("int"),
            Node::Bytes(_) => builtin("bytes"),
            Node::Set => builtin("set"),
            Node::Dtype(_) => builtin("dtype"),
            Node::Unlisted(unlisted) => return Err(unlisted.error()),
        })
    }

    /// Counts what is made of a node itself.
    fn count_node(&mut self, id: Id) -> Result<(), FileError> {
        let own = match self.graph.node(id) {
            Node::Text(text) => text.len(),
            Node::Object(_) => self.graph.attributes(id),
            Node::Array(array) => {
                let length = array::count(&array.shape).unwrap_or(usize::MAX);
                match array.dtype.kind {
                    Kind::Other => length.saturating_mul(1 + VALUE),
                    Kind::Text => length
                        .saturating_mul(1 + VALUE)
                        .saturating_add(array.dtype.bytes(&array.shape).unwrap_or(usize::MAX)),
                    Kind::Object => length,
                    _ if length > MAX_ELEMENTS => 0,
                    _ => length,
                }
            }
            _ => 0,
        };
        let own = own.saturating_add(VALUE);
        match self.converted.get_mut(id.index()) {
            Some(converted) if !*converted => *converted = true,
            _ => self.copies = self.copies.saturating_add(own),
        }
        if self.copies > MAX_COPIES {
            return Err(FileError::TooLarge { limit: format!("{MAX_COPIES} values of parts that others share") });
        }
        self.count(own)
    }

    /// Counts values before they are made.
    fn count(&mut self, values: usize) -> Result<(), FileError> {
        self.values = self.values.saturating_add(values);
        if self.values > MAX_VALUES {
            return Err(FileError::TooLarge { limit: format!("{MAX_VALUES} values") });
        }
        Ok(())
    }

    fn list(&mut self, items: &[Id], depth: usize) -> Result<Vec<Value>, FileError> {
        items.iter().map(|item| self.value(*item, depth + 1)).collect()
    }

    fn object(&mut self, id: Id, object: &graph::Object, depth: usize) -> Result<Value, FileError> {
        if object.class.name == "_RemainderColsList" {
            let data = self.graph.attribute(id, "data");
            return data.map_or(Ok(Value::List(Vec::new())), |data| self.value(data, depth + 1));
        }
        let mut state = IndexMap::new();
        let is_wanted: fn(&str) -> bool = match object.class.module.split('.').next() {
            Some("sklearn") => is_read,
            Some("scipy") => |name| SPARSE.contains(&name),
            _ => |_| false,
        };
        if let Some(Node::Dict(entries)) = object.state.map(|state| self.graph.node(state)) {
            for (name, value) in entries {
                if let Some(name) = self.graph.text(*name)
                    && is_wanted(name)
                {
                    state.insert(name.to_owned(), self.value(*value, depth + 1)?);
                }
            }
        }
        Ok(Value::Object(Object { module: object.class.module.to_owned(), name: object.class.name.to_owned(), state }))
    }

    fn array(&mut self, array: &graph::Array, depth: usize) -> Result<Value, FileError> {
        let incomplete = || FileError::damaged("an array", "it has no elements");
        let length = array::count(&array.shape).ok_or_else(incomplete)?;
        let content = array.content.ok_or_else(incomplete)?;
        let mut data = match array.dtype.kind {
            Kind::Object => Elements::Objects(self.list(self.graph.sequence(content).unwrap_or_default(), depth)?),
            Kind::Other => Elements::Objects(vec![builtin("bytes"); length]),
            Kind::Bool | Kind::Int | Kind::Unsigned | Kind::Float if length > MAX_ELEMENTS => Elements::TooMany(length),
            _ => {
                let bytes = self.graph.bytes(content).unwrap_or_default();
                let elements = array.dtype.elements(bytes, length);
                elements.ok_or_else(|| FileError::damaged("an array", "an element is not in the range of its type"))?
            }
        };
        if array.is_fortran && array.shape.len() > 1 {
            data = data.row_major(&array.shape);
        }
        Ok(Value::Array(Array { shape: array.shape.clone(), data }))
    }

    /// An attribute of an estimator that describes its input, or the same of the step that has the input: the first one,
    /// or a later one after steps that pass all columns through.
    fn of_input(&mut self, id: Id, attribute: &str, depth: usize) -> Result<Option<Id>, FileError> {
        if depth > MAX_DEPTH {
            return Ok(None);
        }
        let own = self.attribute(id, attribute)?;
        if let Some(own) = own.filter(|own| !matches!(self.graph.node(*own), Node::None)) {
            return Ok(Some(own));
        }
        if let Some(steps) = self.attribute(id, "steps")? {
            for step in self.parts(steps)? {
                let found = self.of_input(step, attribute, depth + 1)?;
                if found.is_some() || !self.passes_through(step, depth + 1)? {
                    return Ok(found);
                }
            }
        }
        if let Some(parts) = self.attribute(id, "transformer_list")? {
            for part in self.parts(parts)? {
                if let Some(found) = self.of_input(part, attribute, depth + 1)? {
                    return Ok(Some(found));
                }
            }
        }
        let is_frozen = matches!(self.graph.node(id), Node::Object(object) if object.class.name == "FrozenEstimator");
        let frozen = is_frozen.then_some("estimator");
        for name in ["best_estimator_", "regressor_", "estimator_"].into_iter().chain(frozen) {
            if let Some(inner) = self.attribute(id, name)? {
                return self.of_input(inner, attribute, depth + 1);
            }
        }
        Ok(None)
    }

    /// The parts of a composition.
    fn parts(&mut self, parts: Id) -> Result<Vec<Id>, FileError> {
        let parts = self.graph.sequence(parts).unwrap_or_default();
        self.count(parts.len())?;
        let step = |part: &Id| self.graph.sequence(*part).and_then(|part| part.get(1)).copied();
        Ok(parts.iter().filter_map(step).collect())
    }

    /// Whether the output of a step has the columns of its input.
    fn passes_through(&mut self, id: Id, depth: usize) -> Result<bool, FileError> {
        let object = match self.graph.node(id) {
            Node::None | Node::Text(_) => return Ok(true),
            Node::Object(object) => object,
            _ => return Ok(false),
        };
        match object.class.name {
            "FunctionTransformer" => Ok(true),
            "Pipeline" if depth <= MAX_DEPTH => {
                let steps = self.attribute(id, "steps")?;
                let steps = steps.map(|steps| self.parts(steps)).transpose()?.unwrap_or_default();
                for step in steps {
                    if !self.passes_through(step, depth + 1)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// An attribute of an object, whose attributes are counted.
    fn attribute(&mut self, id: Id, name: &str) -> Result<Option<Id>, FileError> {
        self.count(self.graph.attributes(id))?;
        Ok(self.graph.attribute(id, name))
    }

    /// The names in an array of texts.
    fn names(&mut self, names: Id) -> Result<Option<Vec<String>>, FileError> {
        let names = match self.value(names, 0)? {
            Value::Array(Array { data: Elements::Texts(names), .. }) => return Ok(Some(names)),
            Value::Array(Array { data: Elements::Objects(names), .. }) | Value::List(names) => names,
            Value::Array(_) => return Ok(None),
            _ => Vec::new(),
        };
        Ok(names.iter().map(|name| name.text().map(str::to_owned)).collect::<Option<Vec<_>>>())
    }
}

impl Elements {
    fn row_major(&self, shape: &[usize]) -> Self {
        match self {
            Self::Floats(values) => Self::Floats(array::row_major(values, shape)),
            Self::Ints(values) => Self::Ints(array::row_major(values, shape)),
            Self::Bools(values) => Self::Bools(array::row_major(values, shape)),
            Self::Texts(values) => Self::Texts(array::row_major(values, shape)),
            Self::Objects(values) => Self::Objects(array::row_major(values, shape)),
            Self::TooMany(count) => Self::TooMany(*count),
        }
    }
}

/// A value of Python without its content, which the import refuses by name.
fn builtin(name: &str) -> Value {
    Value::Object(Object { module: "builtins".to_owned(), name: name.to_owned(), state: IndexMap::new() })
}

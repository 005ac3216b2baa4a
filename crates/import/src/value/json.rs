//! The JSON form of values, in which Python passes them. Plain JSON values are themselves; everything else is an object
//! with one member: `{"float": "nan"}`, `{"dict": [[key, value], …]}`, `{"array": {"shape": […], "kind": "float", "data":
//! […]}}`, `{"object": {"module": …, "name": …, "state": {…}}}`, `{"global": {"module": …, "name": …}}`.

use serde_json::Value as Json;

use super::{Array, Elements, Object, Value};
use crate::error::ImportError;

impl Value {
    /// Reads the JSON form.
    ///
    /// # Errors
    /// [`ImportError::Malformed`].
    pub fn from_json(text: &[u8]) -> Result<Self, ImportError> {
        let json = serde_json::from_slice(text).map_err(|error| ImportError::Malformed(error.to_string()))?;
        value(&json).ok_or_else(|| ImportError::Malformed("expected the JSON form of a value".into()))
    }
}

fn value(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => Value::None,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match number.as_i64() {
            Some(value) => Value::Int(value),
            None => Value::Float(number.as_f64()?),
        },
        Json::String(text) => Value::Str(text.clone()),
        Json::Array(values) => Value::List(values.iter().map(value).collect::<Option<_>>()?),
        Json::Object(members) => {
            let mut members = members.iter();
            let (kind, content) = members.next().filter(|_| members.next().is_none())?;
            tagged(kind, content)?
        }
    })
}

fn tagged(kind: &str, content: &Json) -> Option<Value> {
    let text = |member: &str| Some(content.get(member)?.as_str()?.to_owned());
    Some(match kind {
        "float" => Value::Float(float(content)?),
        "dict" => {
            let pair = |pair: &Json| Some((value(pair.get(0)?)?, value(pair.get(1)?)?));
            Value::Dict(content.as_array()?.iter().map(pair).collect::<Option<_>>()?)
        }
        "array" => Value::Array(array(content)?),
        "global" => Value::Global { module: text("module")?, name: text("name")? },
        "object" => {
            let state = content.get("state")?.as_object()?;
            let state = state.iter().map(|(name, content)| Some((name.clone(), value(content)?)));
            Value::Object(Object { module: text("module")?, name: text("name")?, state: state.collect::<Option<_>>()? })
        }
        _ => return None,
    })
}

fn array(content: &Json) -> Option<Array> {
    let length = |length: &Json| usize::try_from(length.as_u64()?).ok();
    let shape: Vec<usize> = content.get("shape")?.as_array()?.iter().map(length).collect::<Option<_>>()?;
    let data = content.get("data")?.as_array()?;
    if shape.iter().try_fold(1_usize, |size, length| size.checked_mul(*length)) != Some(data.len()) {
        return None;
    }
    let text = |element: &Json| element.as_str().map(str::to_owned);
    let data = match content.get("kind")?.as_str()? {
        "float" => Elements::Floats(data.iter().map(float).collect::<Option<_>>()?),
        "int" => Elements::Ints(data.iter().map(Json::as_i64).collect::<Option<_>>()?),
        "bool" => Elements::Bools(data.iter().map(Json::as_bool).collect::<Option<_>>()?),
        "text" => Elements::Texts(data.iter().map(text).collect::<Option<_>>()?),
        "object" => Elements::Objects(data.iter().map(value).collect::<Option<_>>()?),
        _ => return None,
    };
    Some(Array { shape, data })
}

fn float(json: &Json) -> Option<f64> {
    match json {
        Json::String(text) => text.parse().ok(),
        other => other.as_f64(),
    }
}

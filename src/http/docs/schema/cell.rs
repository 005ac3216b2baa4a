//! The schema of one value of a feature.

use serde_json::{Value, json};
use utoipa::openapi::schema::{AnyOfBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};

use ordinate_model::signature::{Feature, FeatureType, MissingPolicy, OTHER_LEVEL, UnknownPolicy};

/// The largest integer up to which all integers are exact doubles.
const LARGEST_EXACT: i64 = 1 << 53;

/// The JSON types of a feature's values, without null.
pub(super) fn kinds(feature: &Feature) -> Vec<Type> {
    match feature.kind {
        FeatureType::Double => vec![Type::Number],
        FeatureType::Long => vec![Type::Integer],
        FeatureType::Boolean if feature.reading.boolean.is_some() => vec![Type::Boolean, Type::String],
        FeatureType::Boolean => vec![Type::Boolean],
        FeatureType::String | FeatureType::Date => vec![Type::String],
    }
}

/// One value of a feature. The range of the training data is a description, not a limit: other values are predicted,
/// too.
pub(super) fn cell(feature: &Feature) -> Schema {
    let is_nullable = feature.missing != MissingPolicy::Reject;
    if feature.kind == FeatureType::Date {
        return date(feature, is_nullable);
    }
    let mut kinds = kinds(feature);
    let is_integer = kinds == [Type::Integer];
    if is_nullable {
        kinds.push(Type::Null);
    }
    let kinds = match <[Type; 1]>::try_from(kinds) {
        Ok([only]) => SchemaType::Type(only),
        Err(several) => SchemaType::Array(several),
    };
    let mut schema = ObjectBuilder::new().schema_type(kinds).description(description(feature));
    if is_integer {
        schema = schema.minimum(Some(-LARGEST_EXACT)).maximum(Some(LARGEST_EXACT));
    }
    if feature.positive {
        schema = schema.exclusive_minimum(Some(0));
    }
    if feature.unknown != UnknownPolicy::Reject {
        return schema.examples(feature.levels.iter().map(|level| json!(level))).into();
    }
    let words = feature.reading.boolean.iter().filter(|_| feature.kind == FeatureType::Boolean).flatten();
    let mut values: Vec<Value> = feature.levels.iter().chain(words.clone()).map(|text| json!(text)).collect();
    if words.count() > 0 {
        values.extend([json!(true), json!(false)]);
    }
    if !values.is_empty() {
        values.extend(is_nullable.then_some(Value::Null));
        schema = schema.enum_values(Some(values));
    }
    schema.into()
}

/// A date, or a date and time, in ISO 8601.
fn date(feature: &Feature, is_nullable: bool) -> Schema {
    let text = |format| ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(format)));
    let date = text(KnownFormat::Date).description(description(feature));
    let either = AnyOfBuilder::new().item(date).item(text(KnownFormat::DateTime));
    if is_nullable { either.item(ObjectBuilder::new().schema_type(Type::Null)).into() } else { either.into() }
}

/// The training range, the treatment of missing and unknown values, and the conventions of CSV.
fn description(feature: &Feature) -> Option<String> {
    let range = feature.range_ends().map(|[low, high]| format!("from {low} to {high} in the training data"));
    let missing = match &feature.missing {
        MissingPolicy::Reject => None,
        MissingPolicy::Impute(value) => Some(format!("null is imputed with {value}")),
        MissingPolicy::Category(level) => Some(format!("null is the category {level}")),
    };
    let unknown = match feature.unknown {
        UnknownPolicy::Reject => None,
        UnknownPolicy::Ignore => Some("unknown categories are ignored".to_owned()),
        UnknownPolicy::Other => Some(format!("unknown categories are the category {OTHER_LEVEL}")),
    };
    let reading = feature.reading.describe().map(|conventions| format!("in CSV: {conventions}"));
    let parts: Vec<String> = [range, missing, unknown, reading].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

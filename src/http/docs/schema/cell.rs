//! The schema of one value of a feature.

use serde_json::json;
use utoipa::openapi::schema::{AnyOfBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};

use super::{optional, optional_one_of};
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

/// One value of a feature with its description. The range of the training data is not a limit: other values are
/// predicted, too.
pub(super) fn described(feature: &Feature) -> Schema {
    let mut schema = cell(feature);
    match &mut schema {
        Schema::Object(object) => object.description = description(feature),
        Schema::AnyOf(any) => any.description = description(feature),
        _ => {}
    }
    schema
}

/// One value of a feature. Enumerations have only texts, which generated clients support.
pub(super) fn cell(feature: &Feature) -> Schema {
    let is_nullable = feature.missing != MissingPolicy::Reject;
    match (feature.kind, &feature.reading.boolean) {
        (FeatureType::Date, _) => date(is_nullable),
        (FeatureType::Boolean, Some(words)) => {
            AnyOfBuilder::new().item(of_type(Type::Boolean, is_nullable)).item(one_of(words, is_nullable)).into()
        }
        (FeatureType::Boolean, None) => of_type(Type::Boolean, is_nullable).into(),
        (FeatureType::Double, _) => domain(of_type(Type::Number, is_nullable), feature).into(),
        (FeatureType::Long, _) => {
            let integer = of_type(Type::Integer, is_nullable);
            domain(integer.minimum(Some(-LARGEST_EXACT)).maximum(Some(LARGEST_EXACT)), feature).into()
        }
        (FeatureType::String, _) if feature.unknown == UnknownPolicy::Reject && !feature.levels.is_empty() => {
            one_of(&feature.levels, is_nullable).into()
        }
        (FeatureType::String, _) => {
            of_type(Type::String, is_nullable).examples(feature.levels.iter().map(|level| json!(level))).into()
        }
    }
}

fn of_type(kind: Type, is_nullable: bool) -> ObjectBuilder {
    if is_nullable { optional(kind) } else { ObjectBuilder::new().schema_type(kind) }
}

fn one_of(texts: &[String], is_nullable: bool) -> ObjectBuilder {
    let texts = texts.iter().map(String::as_str);
    if is_nullable { optional_one_of(texts) } else { super::one_of(texts) }
}

fn domain(number: ObjectBuilder, feature: &Feature) -> ObjectBuilder {
    let number = feature.minimum.iter().fold(number, |number, minimum| number.minimum(Some(*minimum)));
    if feature.positive { number.exclusive_minimum(Some(0)) } else { number }
}

/// A date, or a date and time, in ISO 8601.
fn date(is_nullable: bool) -> Schema {
    let text = |format| ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(format)));
    let either = AnyOfBuilder::new().item(text(KnownFormat::Date)).item(text(KnownFormat::DateTime));
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

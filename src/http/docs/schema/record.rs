//! Objects whose members have the names of features or classes.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, AnyOfBuilder, ObjectBuilder, Schema};

use super::{closed, names, one_of};

/// A member of an object.
pub(crate) struct Member<'a> {
    name: &'a str,
    schema: RefOr<Schema>,
    is_required: bool,
}

impl<'a> Member<'a> {
    pub(crate) fn required(name: &'a str, schema: impl Into<RefOr<Schema>>) -> Self {
        Self { name, schema: schema.into(), is_required: true }
    }

    pub(crate) fn optional(name: &'a str, schema: impl Into<RefOr<Schema>>) -> Self {
        Self { name, schema: schema.into(), is_required: false }
    }
}

/// An object with these members only. They are properties, except those whose names are the same in generated code:
/// such names are only in `propertyNames` and `required`, and generated code has them in a map.
pub(crate) fn of<'a>(members: impl IntoIterator<Item = Member<'a>>) -> ObjectBuilder {
    let members: Vec<_> = members.into_iter().collect();
    let all: Vec<_> = members.iter().map(|member| (member.name, member.is_required)).collect();
    let ambiguous = names::ambiguous(&all);
    let mut object = closed(ObjectBuilder::new());
    let mut others: Vec<RefOr<Schema>> = Vec::new();
    for Member { name, schema, is_required } in members {
        if is_required {
            object = object.required(name);
        }
        if !ambiguous.contains(name) {
            object = object.property(name, schema);
            continue;
        }
        let schema = named(name, schema);
        if !others.contains(&schema) {
            others.push(schema);
        }
    }
    let other = match others.len() {
        0 => return object,
        1 => others.remove(0),
        _ => others.into_iter().fold(AnyOfBuilder::new(), AnyOfBuilder::item).into(),
    };
    let known = one_of(all.into_iter().map(|(name, _)| name));
    object.property_names(Some(known.extensions(None))).additional_properties(Some(AdditionalProperties::RefOr(other)))
}

/// The schema with the name in its description, if it has one.
fn named(name: &str, mut schema: RefOr<Schema>) -> RefOr<Schema> {
    let description = match &mut schema {
        RefOr::T(Schema::Object(object)) => &mut object.description,
        RefOr::T(Schema::AnyOf(any)) => &mut any.description,
        _ => return schema,
    };
    *description = description.take().map(|text| format!("`{name}`: {text}"));
    schema
}

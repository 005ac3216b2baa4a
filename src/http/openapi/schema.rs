//! What bodies hold, as JSON Schema: one set of schemas a model, made from its signature, with its golden rows as examples.

use serde_json::{Map, Value, json};
use utoipa::openapi::schema::{
    AdditionalProperties, AnyOfBuilder, Array, ArrayBuilder, ComponentsBuilder, ObjectBuilder, Schema, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr};

use crate::model::Model;
use crate::model::scalar::Scalar;
use crate::model::signature::{Feature, FeatureType, Missing, Unknown};

/// The largest integer that no neighbouring integer is read as.
const LARGEST_EXACT: i64 = 1 << 53;

/// One model, as the document speaks of it.
pub(super) struct Described<'a> {
    /// The model.
    pub(super) model: &'a Model,
    max_rows: usize,
}

impl<'a> Described<'a> {
    /// A model whose requests may have so many rows.
    pub(super) fn new(model: &'a Model, max_rows: usize) -> Self {
        Self { model, max_rows }
    }

    /// A reference to one of this model's schemas.
    pub(super) fn reference(&self, what: &str) -> Ref {
        Ref::from_schema_name(self.schema_name(what))
    }

    /// A dot keeps the names of models apart from the names that all share.
    fn schema_name(&self, what: &str) -> String {
        format!("{}.{what}", self.model.name())
    }

    fn features(&self) -> &'a [Feature] {
        self.model.signature().features()
    }

    /// Adds all schemas of this model.
    pub(super) fn define(&self, components: ComponentsBuilder) -> ComponentsBuilder {
        let add = |components: ComponentsBuilder, (what, schema): (&str, Schema)| {
            components.schema(self.schema_name(what), schema)
        };
        let schemas = [
            ("values", self.positional()),
            ("row", self.named()),
            ("rows", self.rows()),
            ("columns", self.columns()),
            ("prediction", self.prediction()),
        ];
        let components = schemas.into_iter().fold(components, add);
        if self.model.classes().is_some() {
            add(components, ("probabilities", self.probabilities()))
        } else {
            components
        }
    }

    fn positional(&self) -> Schema {
        let width = self.features().len();
        let names = self.features().iter().map(|feature| feature.name.as_str()).collect::<Vec<_>>().join(", ");
        // Never needed, since no row is longer; readers that do not know `prefixItems` show it.
        let mut kinds: Vec<Type> = Vec::new();
        for kind in self.features().iter().map(kind) {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        let each = ObjectBuilder::new().schema_type(SchemaType::Array(kinds));
        ArrayBuilder::new()
            .description(Some(format!("One row by position: {names}")))
            .prefix_items(self.features().iter().map(cell))
            .items(RefOr::<Schema>::from(each))
            .min_items(Some(width))
            .max_items(Some(width))
            .into()
    }

    fn named(&self) -> Schema {
        let row = ObjectBuilder::new().description(Some("One row by name, in any order"));
        let row = self
            .features()
            .iter()
            .fold(row, |row, feature| row.property(&feature.name, cell(feature)).required(&feature.name));
        row.additional_properties(Some(AdditionalProperties::FreeForm(false))).into()
    }

    fn columns(&self) -> Schema {
        let table = ObjectBuilder::new().description(Some("Columns by name, all of one length"));
        let table = self.features().iter().fold(table, |table, feature| {
            table.property(&feature.name, self.list(cell(feature))).required(&feature.name)
        });
        table.additional_properties(Some(AdditionalProperties::FreeForm(false))).into()
    }

    /// All rows of a request are laid out alike.
    fn rows(&self) -> Schema {
        let layouts =
            AnyOfBuilder::new().item(self.list(self.reference("row"))).item(self.list(self.reference("values")));
        match self.features() {
            [only] => layouts.item(self.list(cell(only))),
            _ => layouts,
        }
        .into()
    }

    fn prediction(&self) -> Schema {
        let each = match self.model.classes() {
            None => ObjectBuilder::new().schema_type(Type::Number),
            Some(classes) => {
                let texts = classes.iter().all(|class| matches!(class, Scalar::Text(_)));
                let kind = if texts { SchemaType::Type(Type::String) } else { SchemaType::AnyValue };
                let labels = classes.iter().map(|class| json!(class));
                ObjectBuilder::new().schema_type(kind).enum_values(Some(labels))
            }
        };
        let target = &self.model.signature().target().name;
        self.list(each.description(Some(format!("{target}, one a row"))))
    }

    fn probabilities(&self) -> Schema {
        let classes = self.model.classes().unwrap_or_default();
        let names = classes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let probability = ObjectBuilder::new().schema_type(Type::Number).minimum(Some(0)).maximum(Some(1));
        let row = ArrayBuilder::new()
            .description(Some(format!("The probabilities of {names}")))
            .items(RefOr::<Schema>::from(probability))
            .min_items(Some(classes.len()))
            .max_items(Some(classes.len()));
        self.list(row)
    }

    fn list(&self, each: impl Into<RefOr<Schema>>) -> Schema {
        let list: Array =
            ArrayBuilder::new().items(each.into()).min_items(Some(1)).max_items(Some(self.max_rows)).build();
        list.into()
    }

    /// A row of the training data: its values in the order of the signature.
    fn golden_row(&self) -> &'a [Scalar] {
        self.model.document().golden.x.first().map_or(&[], Vec::as_slice)
    }

    /// That row by position.
    pub(super) fn example_values(&self) -> Value {
        json!(self.golden_row())
    }

    /// That row by name.
    pub(super) fn example_row(&self) -> Value {
        Value::Object(self.named_values().map(|(name, value)| (name.to_owned(), json!(value))).collect())
    }

    /// That row as a table of columns.
    pub(super) fn example_columns(&self) -> Value {
        Value::Object(self.named_values().map(|(name, value)| (name.to_owned(), json!([value]))).collect::<Map<_, _>>())
    }

    /// That row as CSV with a header.
    pub(super) fn example_csv(&self) -> Option<String> {
        let mut writer = ::csv::Writer::from_writer(Vec::new());
        writer.write_record(self.named_values().map(|(name, _)| name)).ok()?;
        let field = |value: &Scalar| if *value == Scalar::Missing { String::new() } else { value.to_string() };
        writer.write_record(self.golden_row().iter().map(field)).ok()?;
        String::from_utf8(writer.into_inner().ok()?).ok()
    }

    /// What the model says to that row.
    pub(super) fn example_prediction(&self) -> Value {
        json!(self.model.document().golden.y.first().map_or(&[][..], std::slice::from_ref))
    }

    fn named_values(&self) -> impl Iterator<Item = (&'a str, &'a Scalar)> {
        self.features().iter().map(|feature| feature.name.as_str()).zip(self.golden_row())
    }
}

fn kind(feature: &Feature) -> Type {
    match feature.kind {
        FeatureType::Double => Type::Number,
        FeatureType::Long => Type::Integer,
        FeatureType::Boolean => Type::Boolean,
        FeatureType::String => Type::String,
    }
}

/// One value of a feature. What the training data held is a description, not a limit: values beyond it are predicted too.
fn cell(feature: &Feature) -> Schema {
    let kind = kind(feature);
    let imputed = match &feature.missing {
        Missing::Reject => None,
        Missing::Impute(value) => Some(value),
    };
    let kinds = match imputed {
        None => SchemaType::Type(kind.clone()),
        Some(_) => SchemaType::Array(vec![kind.clone(), Type::Null]),
    };
    let range = feature.range.map(|[low, high]| format!("from {low} to {high} in the training data"));
    let missing = imputed.map(|value| format!("null stands for {value}"));
    let unknown = (feature.unknown == Unknown::Ignore).then(|| "other categories count as none of these".to_owned());
    let description: Vec<String> = [range, missing, unknown].into_iter().flatten().collect();

    let mut schema = ObjectBuilder::new().schema_type(kinds);
    if !description.is_empty() {
        schema = schema.description(Some(description.join("; ")));
    }
    if kind == Type::Integer {
        schema = schema.minimum(Some(-LARGEST_EXACT)).maximum(Some(LARGEST_EXACT));
    }
    if feature.unknown == Unknown::Ignore {
        return schema.examples(feature.levels.iter().map(|level| json!(level))).into();
    }
    if !feature.levels.is_empty() {
        let levels = feature.levels.iter().map(|level| json!(level)).chain(imputed.map(|_| Value::Null));
        schema = schema.enum_values(Some(levels));
    }
    schema.into()
}

/// An object that has exactly these properties.
pub(super) fn object<'a>(properties: impl IntoIterator<Item = (&'a str, RefOr<Schema>)>) -> ObjectBuilder {
    properties
        .into_iter()
        .fold(ObjectBuilder::new(), |object, (name, schema)| object.property(name, schema).required(name))
}

/// A string.
pub(super) fn text(description: &str) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).description(Some(description)).into()
}

/// A truth value.
pub(super) fn truth(description: &str) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::Boolean).description(Some(description)).into()
}

/// A number from 0 without a fraction.
pub(super) fn count(description: &str) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).description(Some(description)).into()
}

/// One of these strings.
pub(super) fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names))
}

/// A list.
pub(super) fn list(each: impl Into<RefOr<Schema>>) -> RefOr<Schema> {
    RefOr::T(Array::new(each).into())
}

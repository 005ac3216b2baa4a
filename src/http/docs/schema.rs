//! The bodies as JSON Schema: one set of schemas per model, from its signature. The example is a synthetic row of the
//! model, because an actual row of the training data can be personal data.

mod cell;
pub(crate) mod names;
pub(crate) mod record;

use std::sync::Arc;

use serde_json::{Map, Value, json};
use utoipa::openapi::schema::{
    AdditionalProperties, AnyOfBuilder, Array, ArrayBuilder, Components, ComponentsBuilder, KnownFormat, ObjectBuilder,
    Schema, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr};

use cell::cell;
use ordinate_model::Model;
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::{Feature, FeatureType, MissingPolicy};
pub(crate) use record::Member;

/// A model and its schemas.
pub(crate) struct ModelSchemas<'a> {
    pub(crate) model: &'a Model,
    /// Its name in the names of its schemas and operations.
    name: String,
    max_rows: usize,
    /// The example row of the model, in the order of the signature.
    example: Vec<Scalar>,
}

impl<'a> ModelSchemas<'a> {
    /// The schemas of a model, for requests of at most `max_rows` rows.
    pub(crate) fn new(model: &'a Model, max_rows: usize) -> Self {
        Self { model, name: model.name().to_owned(), max_rows, example: model.example().into_values().collect() }
    }

    /// The schemas of each model, with names that stay different from each other and the common ones in generated code.
    pub(crate) fn of_models(models: &'a [Arc<Model>], common: &Components, max_rows: usize) -> Vec<Self> {
        let common = common.schemas.keys().map(|name| names::key(name)).collect();
        let names = names::of_models(&models.iter().map(|model| model.name()).collect::<Vec<_>>(), &common);
        models.iter().zip(names).map(|(model, name)| Self { name, ..Self::new(model, max_rows) }).collect()
    }

    /// Its name in the names of its schemas and operations.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A reference to one of this model's schemas.
    pub(crate) fn reference(&self, suffix: &str) -> Ref {
        Ref::from_schema_name(self.schema_name(suffix))
    }

    /// The name of one of this model's schemas. The dot separates it from the names of common schemas.
    pub(crate) fn schema_name(&self, suffix: &str) -> String {
        format!("{}.{suffix}", self.name)
    }

    fn features(&self) -> &'a [Feature] {
        self.model.signature().features()
    }

    /// Adds the schemas of this model's rows.
    pub(crate) fn define(&self, components: ComponentsBuilder) -> ComponentsBuilder {
        components
            .schema(self.schema_name("row"), self.named())
            .schema(self.schema_name("values"), self.positional())
            .schema(self.schema_name("columns"), self.columns())
    }

    fn positional(&self) -> Schema {
        let width = self.features().len();
        let names = self.features().iter().map(|feature| feature.name.as_str()).collect::<Vec<_>>().join(", ");
        // Redundant, since rows have no further items; for readers that do not support `prefixItems`.
        let mut kinds: Vec<Type> = Vec::new();
        for kind in self.features().iter().flat_map(cell::kinds) {
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
        let members = self.features().iter().map(|feature| Member::required(&feature.name, cell::described(feature)));
        record::of(members.chain(self.ignored())).description(Some("One row by name, in any order")).into()
    }

    /// One row by name, in which features that accept missing values are optional. Columns that are not used are absent,
    /// so that nobody looks for their values.
    pub(crate) fn tool_row(&self) -> Schema {
        let row = self.features().iter().fold(ObjectBuilder::new(), |row, feature| {
            let row = row.property(&feature.name, cell::described(feature));
            if feature.missing == MissingPolicy::Reject { row.required(&feature.name) } else { row }
        });
        closed(row).into()
    }

    fn columns(&self) -> Schema {
        let members = self.features().iter().map(|feature| Member::required(&feature.name, self.list(cell(feature))));
        record::of(members.chain(self.ignored())).description(Some("Columns by name, all of the same length")).into()
    }

    /// The columns that requests may contain and that are not used.
    fn ignored(&self) -> impl Iterator<Item = Member<'a>> {
        let ignored = self.model.signature().ignored().iter();
        ignored.map(|name| Member::optional(name, any("Accepted and not used")))
    }

    /// `X`: rows or columns. All rows of a request have the same form, but they are one list here, since generated code
    /// encodes the elements of any list in the form of the first list of a choice.
    pub(crate) fn x(&self) -> Schema {
        let row = AnyOfBuilder::new().item(self.reference("row")).item(self.reference("values"));
        // A single value, for a model with one feature.
        let row = match self.features() {
            [only] => row.item(cell(only)),
            _ => row,
        };
        AnyOfBuilder::new().item(self.list(row)).item(self.reference("columns")).into()
    }

    /// The predictions of all rows.
    pub(crate) fn prediction(&self) -> Schema {
        let target = &self.model.signature().target().name;
        self.list(self.predicted().description(Some(format!("{target}, one element per row"))))
    }

    /// The prediction of one row. Only texts and whole numbers are enumerations, which generated clients support.
    pub(crate) fn predicted(&self) -> ObjectBuilder {
        let Some(classes) = self.model.classes() else { return number() };
        let kind = match classes {
            _ if classes.iter().all(|class| matches!(class, Scalar::Text(_))) => Type::String,
            _ if classes.iter().all(|class| matches!(class, Scalar::Integer(_))) => Type::Integer,
            _ if classes.iter().all(|class| matches!(class, Scalar::Boolean(_))) => {
                return ObjectBuilder::new().schema_type(Type::Boolean);
            }
            _ => return any("A class"),
        };
        let texts = classes.iter().filter_map(|class| match class {
            Scalar::Text(text) => Some(text.as_str()),
            _ => None,
        });
        let class = ObjectBuilder::new().schema_type(kind).extensions(names::of_values(texts));
        class.enum_values(Some(classes.iter().map(|class| json!(class))))
    }

    /// The names of the features, in their order.
    pub(crate) fn names(&self) -> Vec<&'a str> {
        self.features().iter().map(|feature| feature.name.as_str()).collect()
    }

    /// Whether all features are numbers.
    pub(crate) fn is_numeric(&self) -> bool {
        self.features().iter().all(|feature| matches!(feature.kind, FeatureType::Double | FeatureType::Long))
    }

    /// A list with one element per row.
    pub(crate) fn list(&self, each: impl Into<RefOr<Schema>>) -> Schema {
        let list: Array =
            ArrayBuilder::new().items(each.into()).min_items(Some(1)).max_items(Some(self.max_rows)).build();
        list.into()
    }

    /// The example row by position.
    pub(crate) fn example_values(&self) -> Value {
        json!(self.example)
    }

    /// The example row by name.
    pub(crate) fn example_row(&self) -> Value {
        Value::Object(self.named_values().map(|(name, value)| (name.to_owned(), json!(value))).collect())
    }

    /// The example row as columns.
    pub(crate) fn example_columns(&self) -> Value {
        Value::Object(self.named_values().map(|(name, value)| (name.to_owned(), json!([value]))).collect::<Map<_, _>>())
    }

    /// The example row as CSV with a header.
    pub(crate) fn example_csv(&self) -> Option<String> {
        let mut writer = ::csv::Writer::from_writer(Vec::new());
        writer.write_record(self.named_values().map(|(name, _)| name)).ok()?;
        let fields = self.features().iter().zip(&self.example);
        writer.write_record(fields.map(|(feature, value)| feature.reading.field(value))).ok()?;
        String::from_utf8(writer.into_inner().ok()?).ok()
    }

    /// The example row as CSV without a header.
    pub(crate) fn example_line(&self) -> Option<String> {
        self.example_csv()?.split_once('\n').map(|(_, row)| row.to_owned())
    }

    /// The example row as tensors, one per feature: name, datatype, value.
    pub(crate) fn tensors(&self) -> impl Iterator<Item = (&'a str, &'static str, &Scalar)> {
        let datatype = |feature: &Feature| match feature.kind {
            FeatureType::Double => "FP64",
            FeatureType::Long => "INT64",
            FeatureType::Boolean => "BOOL",
            FeatureType::String | FeatureType::Date => "BYTES",
        };
        let described = move |(feature, value): (&'a Feature, _)| (feature.name.as_str(), datatype(feature), value);
        self.features().iter().zip(&self.example).map(described)
    }

    fn named_values(&self) -> impl Iterator<Item = (&'a str, &Scalar)> {
        self.features().iter().map(|feature| feature.name.as_str()).zip(&self.example)
    }
}

/// An object with these required properties.
pub(crate) fn object<'a>(properties: impl IntoIterator<Item = (&'a str, RefOr<Schema>)>) -> ObjectBuilder {
    properties
        .into_iter()
        .fold(ObjectBuilder::new(), |object, (name, schema)| object.property(name, schema).required(name))
}

/// The same object without additional properties.
pub(crate) fn closed(object: ObjectBuilder) -> ObjectBuilder {
    object.additional_properties(Some(AdditionalProperties::FreeForm(false)))
}

/// A number.
pub(crate) fn number() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Number)
}

/// A number from 0 to 1.
pub(crate) fn probability() -> ObjectBuilder {
    number().minimum(Some(0)).maximum(Some(1))
}

/// Any value at all.
pub(crate) fn any(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::AnyValue).description(Some(description))
}

/// A value of this type, or null, which is the same as a missing key.
pub(crate) fn optional(kind: Type) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::Array(vec![kind, Type::Null]))
}

/// Adds the schemas of rows and predictions in other protocols, which are the same for all models.
pub(crate) fn define_common(components: ComponentsBuilder, max_rows: usize) -> ComponentsBuilder {
    let many = |each: RefOr<Schema>| ArrayBuilder::new().items(each).min_items(Some(1)).max_items(Some(max_rows));
    let value = || SchemaType::Array(vec![Type::Number, Type::String, Type::Boolean, Type::Null]);
    let value = || ObjectBuilder::new().schema_type(value());
    let row = "A row by name as `{name}.row`, by position as `{name}.values`, or a single value, for the model {name}";
    let row = AnyOfBuilder::new()
        .description(Some(row))
        .item(ObjectBuilder::new().additional_properties(Some(Schema::from(value()))))
        .item(Array::new(value()))
        .item(value());
    let columns = "Columns by name, as `{name}.columns` for the model {name}";
    let columns =
        ObjectBuilder::new().description(Some(columns)).additional_properties(Some(Schema::from(many(value().into()))));
    let class = SchemaType::Array(vec![Type::Number, Type::String, Type::Boolean]);
    let predicted = AnyOfBuilder::new()
        .description(Some("A number, a class, or the probabilities of the classes"))
        .item(ObjectBuilder::new().schema_type(class))
        .item(Array::new(probability()));
    components
        .schema("AnyRow", row)
        .schema("Rows", many(Ref::from_schema_name("AnyRow").into()).description(Some("Rows, all of the same form")))
        .schema("Columns", columns)
        .schema("PredictionList", closed(object([("predictions", list(predicted))])))
}

/// A string.
pub(crate) fn text(description: &str) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).description(Some(description)).into()
}

/// A boolean.
pub(crate) fn boolean(description: &str) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::Boolean).description(Some(description)).into()
}

/// A non-negative integer.
pub(crate) fn count(description: &str) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).description(Some(description)).into()
}

/// One of these strings.
pub(crate) fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> ObjectBuilder {
    let names: Vec<_> = names.into_iter().collect();
    let different = names::of_values(names.iter().copied());
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).extensions(different)
}

/// One of these strings, or null, which is the same as a missing key.
pub(crate) fn optional_one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> ObjectBuilder {
    let names: Vec<_> = names.into_iter().collect();
    let different = names::of_values(names.iter().copied());
    let values = names.into_iter().map(|name| json!(name)).chain([Value::Null]);
    optional(Type::String).enum_values(Some(values)).extensions(different)
}

/// Bytes.
pub(crate) fn bytes(description: &str) -> RefOr<Schema> {
    // The format of OpenAPI 3.0, by which generators know bytes in 3.1, too.
    let bytes =
        ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)));
    bytes.description(Some(description)).into()
}

/// A list.
pub(crate) fn list(each: impl Into<RefOr<Schema>>) -> RefOr<Schema> {
    RefOr::T(Array::new(each).into())
}

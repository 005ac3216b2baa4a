//! Names in generated code. Generators of clients keep only the letters and digits of a name, and change their case, so
//! that names which differ in other characters become one name: `C++` and `C#`, `a.b` and `a_b`.

use std::collections::{BTreeMap, BTreeSet};

use ordinate_model::identity::short_digest;
use utoipa::openapi::extensions::{Extensions, ExtensionsBuilder};

/// The ends of the names of a model's schemas.
pub(super) const SUFFIXES: [&str; 6] = ["row", "values", "columns", "request", "answer", "scores"];

/// Names that properties cannot have, because openapi-python-client has methods and variables of these names.
const RESERVED: [&str; 9] =
    ["additionalkeys", "additionalproperties", "cast", "cls", "d", "fielddict", "fromdict", "srcdict", "todict"];

/// The part of a name that all generators keep.
pub(crate) fn key(name: &str) -> String {
    let is_kept = |letter: &char| letter.is_alphabetic() || letter.is_ascii_digit();
    name.chars().filter(is_kept).flat_map(char::to_lowercase).collect()
}

/// The name of each model in the names of its schemas and operations: its own, unless in generated code it is the same
/// as that of another model, or its schemas have the names of common schemas, of which these are the keys. Of models with
/// the same key, only the one in lower case with underscores keeps its name, so that no other model takes it.
pub(super) fn of_models(models: &[&str], common: &BTreeSet<String>) -> Vec<String> {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let is_snake_case = |model: &str| model.bytes().all(is_allowed);
    let name = |model: &str| {
        let key = key(model);
        let is_rival = |other: &&&str| **other != model && self::key(other) == key;
        let mut rivals = models.iter().filter(is_rival).peekable();
        let is_first = rivals.peek().is_none() || (is_snake_case(model) && !rivals.any(|other| is_snake_case(other)));
        if is_first && !SUFFIXES.iter().any(|suffix| common.contains(&format!("{key}{suffix}"))) {
            return model.to_owned();
        }
        format!("{model}-{}", short_digest(model))
    };
    models.iter().map(|model| name(model)).collect()
}

/// `x-enum-varnames`: the names of the values of an enumeration, if generators would give two values one name.
pub(crate) fn of_values<'v>(values: impl IntoIterator<Item = &'v str>) -> Option<Extensions> {
    let values: Vec<&str> = values.into_iter().collect();
    // Values that do not begin with a letter are called by their position.
    let name = |(position, value): (usize, &&str)| {
        if value.starts_with(char::is_alphabetic) { key(value) } else { format!("value{position}") }
    };
    let unique: BTreeSet<String> = values.iter().enumerate().map(name).collect();
    if unique.len() == values.len() {
        return None;
    }
    let (mut taken, mut counts) = (BTreeSet::new(), BTreeMap::<String, usize>::new());
    let names = values.iter().map(|value| {
        let word = constant(value);
        let count = counts.entry(key(&word)).or_default();
        loop {
            *count += 1;
            let name = if *count == 1 { word.clone() } else { format!("{word}_{count}") };
            if taken.insert(key(&name)) {
                return name;
            }
        }
    });
    let names: Vec<String> = names.collect();
    Some(ExtensionsBuilder::new().add("x-enum-varnames", names).build())
}

/// The letters and digits of a text in upper case, with underscores between the words; it begins with a letter.
fn constant(text: &str) -> String {
    let words =
        text.split(|letter: char| key(letter.encode_utf8(&mut [0; 4])).is_empty()).filter(|word| !word.is_empty());
    let words = words.collect::<Vec<_>>().join("_").to_uppercase();
    if words.starts_with(char::is_alphabetic) {
        words
    } else {
        format!("VALUE_{words}").trim_end_matches('_').to_owned()
    }
}

/// The names that cannot be properties: in generated code they are the same as another one, or as a name of the code
/// itself. Of a required and an optional name, the required one can be a property.
pub(super) fn ambiguous<'n>(names: &[(&'n str, bool)]) -> BTreeSet<&'n str> {
    let mut counts: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    for (name, is_required) in names {
        let [all, required] = counts.entry(key(name)).or_default();
        *all += 1;
        *required += usize::from(*is_required);
    }
    let is_ambiguous = |(name, is_required): &&(&str, bool)| {
        let key = key(name);
        let [all, required] = counts.get(&key).copied().unwrap_or_default();
        RESERVED.contains(&key.as_str()) || (if *is_required { required } else { all }) > 1
    };
    names.iter().filter(is_ambiguous).map(|(name, _)| *name).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_model_keeps_its_name_unless_it_is_the_same_as_another_in_generated_code() {
        let common = ["McpAnswer", "V1Request", "Rows"].map(key).into();
        let models = ["a.b", "a_b", "a-b", "A_b", "breast-cancer", "x1", "x_1", "mcp", "v1", "row", "MCP2"];
        let names = of_models(&models, &common);
        let changed: Vec<_> =
            models.iter().zip(&names).filter(|(model, name)| *model != name).map(|(m, _)| *m).collect();
        assert_eq!(changed, ["a.b", "a-b", "A_b", "x1", "x_1", "mcp", "v1"]);
        assert!(names[0].starts_with("a.b-") && names[0].len() == 12, "{names:?}");
        let keys: BTreeSet<_> = names.iter().map(|name| key(name)).collect();
        assert_eq!(keys.len(), models.len());
        // The order and other models make no difference.
        assert_eq!(of_models(&["a-b", "a_b", "a.b"], &BTreeSet::new())[2], names[0]);
    }

    #[test]
    fn values_have_names_if_generators_would_give_two_of_them_one_name() {
        let names = |values: &[&str]| of_values(values.iter().copied()).map(|found| found["x-enum-varnames"].clone());
        assert_eq!(names(&["setosa", "C++", "+", "-", "Ärger"]), None);
        assert_eq!(names(&["Yes", "yes", "No"]), Some(json!(["YES", "YES_2", "NO"])));
        assert_eq!(
            names(&["C", "C++", "C2", "c_2", "n/a ok", "9", "", "+"]),
            Some(json!(["C", "C_2", "C2_2", "C_2_3", "N_A_OK", "VALUE_9", "VALUE", "VALUE_2"]))
        );
        assert!(names(&["+", "value 0"]).is_some());
    }

    #[test]
    fn properties_have_names_that_stay_different_in_generated_code() {
        let required = ["Name (kg)", "Name [kg]", "x", "d"].map(|name| (name, true));
        let names = [required.as_slice(), &[("X", false), ("y", false)]].concat();
        assert_eq!(ambiguous(&names), BTreeSet::from(["Name (kg)", "Name [kg]", "d", "X"]));
    }
}

//! Models in other languages: the prediction of a model as SQL expressions, so that rows are scored where they are.
//!
//! | module         | subject                                                                    |
//! | -------------- | -------------------------------------------------------------------------- |
//! | [`sql`]        | the expressions of a model, or a statement that selects them from a table   |
//! | [`Dialect`]    | how a database writes names, texts, numbers, and the functions that differ  |
//! | `inputs`       | the features: imputation, categories, and the rows that a model rejects     |
//! | `terms`        | scores as sums of centred and scaled columns times coefficients             |
//! | `arithmetic`   | products and powers that keep the digits of the model                       |
//! | `outputs`      | values, probabilities and labels                                           |

mod arithmetic;
mod dialect;
mod error;
mod inputs;
mod outputs;
mod terms;

use std::collections::HashMap;

use ordinate_model::Model;

pub use dialect::Dialect;
pub use error::ExportError;
pub use outputs::Output;

/// The prediction of a model, and the probabilities of a classifier, as a list of expressions with names; with a table,
/// a statement that adds them to its columns.
///
/// The table is written as it is: a name, or anything else that the dialect allows after `FROM`.
///
/// # Errors
/// [`ExportError`] for names, levels and classes that the dialect cannot write.
pub fn sql(model: &Model, dialect: Dialect, table: Option<&str>) -> Result<String, ExportError> {
    let outputs = outputs::outputs(model, dialect)?;
    check_names(model, dialect, &outputs, table.is_some())?;
    let list: Vec<String> =
        outputs.iter().map(|output| format!("{} AS {}", output.expression, dialect.alias(&output.name))).collect();
    let header = format!(
        "-- {}@{}, SHA-256 {}: SQL for {dialect} by ordinate. NULL for a row that the model rejects.\n",
        model.name(),
        model.version(),
        model.checksum()
    );
    let list = list.join(",\n");
    match table.map(str::trim) {
        None => Ok(format!("{header}{list}\n")),
        Some("") => Err(ExportError::Table { found: table.unwrap_or_default().to_owned() }),
        Some(table) => Ok(format!("{header}SELECT *,\n{list}\nFROM {table}\n")),
    }
}

/// Checks that the dialect can write the names, and distinguishes them.
fn check_names(model: &Model, dialect: Dialect, outputs: &[Output], is_statement: bool) -> Result<(), ExportError> {
    for Output { name, .. } in outputs {
        if let Some(character) = dialect.not_in_names(name) {
            let help = "rename the class in the training data, or choose another dialect";
            return Err(ExportError::Text { place: format!("output column {name:?}"), dialect, character, help });
        }
    }
    let key = |name: &str| dialect.folded(name);
    let features: Vec<&str> = model.signature().features().iter().map(|feature| feature.name.as_str()).collect();
    let names: Vec<&str> = outputs.iter().map(|output| output.name.as_str()).collect();
    let mut seen: HashMap<String, &str> = HashMap::new();
    for name in &features {
        if let Some(first) = seen.insert(key(name), name) {
            return Err(ExportError::SameName { first: first.to_owned(), second: (*name).to_owned(), dialect });
        }
    }
    match features.iter().find(|feature| is_statement && names.iter().any(|name| key(name) == key(feature))) {
        Some(name) => Err(ExportError::OutputName { name: (*name).to_owned() }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;

//! The values of options.

use std::str::FromStr;

use ordinate_model::date;
use ordinate_model::signature::FeatureType;
use ordinate_table::infer;
use ordinate_train::holdout::Holdout;
use ordinate_train::plan::PenaltyStrength;

pub(super) fn alpha(text: &str) -> Result<PenaltyStrength, String> {
    match text.parse() {
        Ok(0.0) => Ok(PenaltyStrength::Fixed(0.0)),
        _ => strength(text).map_err(|_| "expected a number of at least zero, or auto".to_owned()),
    }
}

pub(super) fn strength(text: &str) -> Result<PenaltyStrength, String> {
    match text.parse::<f64>() {
        _ if text == "auto" => Ok(PenaltyStrength::Auto),
        Ok(value) if value > 0.0 && value.is_finite() => Ok(PenaltyStrength::Fixed(value)),
        _ => Err("expected a number above zero, or auto".into()),
    }
}

/// An inverse regularization strength; infinite without a penalty.
pub(super) fn inverse_strength(text: &str) -> Result<PenaltyStrength, String> {
    match text.parse::<f64>() {
        _ if text == "none" => Ok(PenaltyStrength::Fixed(f64::INFINITY)),
        Ok(f64::INFINITY) => Ok(PenaltyStrength::Fixed(f64::INFINITY)),
        _ => strength(text).map_err(|_| "expected a number above zero, auto, or inf".to_owned()),
    }
}

pub(super) fn ratio(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|value| (0.0..=1.0).contains(value)).ok_or_else(|| "expected a number from 0 to 1".into())
}

pub(super) fn threshold(text: &str) -> Result<f64, String> {
    let within = |value: &f64| *value > 0.0 && *value < 1.0;
    text.parse().ok().filter(within).ok_or_else(|| "expected a number above 0 and below 1".into())
}

pub(super) fn fraction(text: &str) -> Result<f64, String> {
    let value = text.parse().map_err(|_| "expected a number from 0 to less than 1".to_owned())?;
    Holdout::new(value, 0).map(|_| value).map_err(|error| error.to_string())
}

/// Names in an option: a record of CSV.
#[derive(Debug, Clone)]
pub(super) struct Names(pub(super) Vec<String>);

impl FromStr for Names {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match infer::names(text) {
            names if names.is_empty() => Err("expected names, separated by commas".to_owned()),
            names => Ok(Self(names)),
        }
    }
}

pub(super) fn flat(lists: &[Names]) -> Vec<String> {
    lists.iter().flat_map(|Names(names)| names.iter().map(|name| name.trim().to_owned())).collect()
}

/// Columns with their types.
#[derive(Debug, Clone)]
pub(super) struct Types(pub(super) Vec<(String, FeatureType)>);

/// A column before the last `=`, if there is one, and the rest.
fn of_column(text: &str) -> (Option<String>, &str) {
    match text.rsplit_once('=') {
        Some((name, value)) if !name.is_empty() => (Some(name.to_owned()), value),
        _ => (None, text),
    }
}

pub(super) fn decimal_mark(text: &str) -> Result<(Option<String>, char), String> {
    match of_column(text) {
        (column, ".") => Ok((column, '.')),
        (column, ",") => Ok((column, ',')),
        _ => Err("expected . or , with NAME= before it for one column".to_owned()),
    }
}

pub(super) fn thousands_separator(text: &str) -> Result<(Option<String>, char), String> {
    let (column, value) = of_column(text);
    let mut characters = value.chars();
    match (characters.next(), characters.next()) {
        (Some(separator), None) if ".,'_ ".contains(separator) => Ok((column, separator)),
        _ => Err("expected one of . , ' _ or a space, with NAME= before it for one column".to_owned()),
    }
}

pub(super) fn marker_words(text: &str) -> Result<(Option<String>, Names), String> {
    // A marker hardly contains `=`, and a name may.
    let (column, words) = of_column(text);
    Ok((column, words.parse()?))
}

pub(super) fn date_format(text: &str) -> Result<(Option<String>, String), String> {
    // A name may contain `=`, and a format begins with `%`.
    let (name, format) = match text.rsplit_once("=%") {
        Some((name, format)) => (Some(name.to_owned()), format!("%{format}")),
        None => (None, text.to_owned()),
    };
    if date::is_format(&format) {
        return Ok((name, format));
    }
    Err("expected a format such as %d/%m/%Y with %Y or %y, %m or %b or %q, %d, and perhaps %a %H %I %M %S %p %z"
        .to_owned())
}

pub(super) fn reference(text: &str) -> Result<(String, String), String> {
    let (name, level) = text.split_once('=').ok_or("expected NAME=LEVEL")?;
    Ok((name.to_owned(), level.to_owned()))
}

pub(super) fn typed(text: &str) -> Result<Types, String> {
    infer::names(text).iter().map(|entry| typed_column(entry)).collect::<Result<_, _>>().map(Types)
}

fn typed_column(text: &str) -> Result<(String, FeatureType), String> {
    let expected = || "expected NAME=TYPE with type double, long, boolean, date or string".to_owned();
    let (name, kind) = text.rsplit_once('=').ok_or_else(expected)?;
    let kind = match kind {
        "double" => FeatureType::Double,
        "long" => FeatureType::Long,
        "boolean" => FeatureType::Boolean,
        "date" => FeatureType::Date,
        "string" => FeatureType::String,
        _ => return Err(expected()),
    };
    Ok((name.to_owned(), kind))
}

//! The names of the features, from the file or an option, and the name of the target.

use std::collections::HashMap;

use ordinate_import::file::Fitted;
use ordinate_import::{Column, Facts, ImportError, USUAL_TARGET, default_target, sklearn};
use ordinate_model::wording::counted;
use ordinate_table::{infer, shell_word};

/// The most names in the advice to name the features.
const LISTED: usize = 20;

/// The most features: more than a model file can have.
const MAX_FEATURES: usize = 1 << 17;

/// The names of the features, in the order of the fit, without spaces around them, as those of columns of CSV.
///
/// # Errors
/// A message for the user. A model that cannot be imported is reported before names that are not given; `facts` are those
/// about the model, without columns.
pub(super) fn names(option: Option<&str>, fitted: &Fitted, facts: &Facts) -> Result<Vec<String>, String> {
    let given: Option<Vec<String>> = option.map(infer::names);
    match (&fitted.names, given, fitted.width) {
        (Some(names), Some(_), _) => {
            // The advice is of no use for names that are not usable.
            trimmed(names, "the file")?;
            Err("the file has the names of the features\nhelp: leave out --features".to_owned())
        }
        (Some(names), None, _) => trimmed(names, "the file"),
        (None, _, Some(width)) if width > MAX_FEATURES => Err(format!(
            "the model has {width} features, more than a model file can have\nhelp: fit it to fewer columns"
        )),
        (None, Some(names), width) => {
            let names = trimmed(&names, "--features")?;
            match width {
                Some(width) if names.len() != width => {
                    let (features, got) = (counted(width, "feature", "features"), names.len());
                    Err(format!(
                        "the model has {features}, got {got}\n\
                         help: name all of them with --features, in the order of the fit"
                    ))
                }
                _ => Ok(names),
            }
        }
        (None, None, width) => {
            let example = |count: usize| (0..count).map(|position| format!("x{position}"));
            let columns = example(width.unwrap_or(1)).map(|name| Column::new(&name)).collect();
            let drafted = sklearn::draft(&fitted.estimator, &Facts { columns, ..facts.clone() });
            match (drafted, width) {
                // Without a width, any other error may be one of the width.
                (Err(error), width) if width.is_some() || matches!(error, ImportError::Unfitted { .. }) => {
                    Err(error.to_string())
                }
                (_, Some(width)) => {
                    let features = counted(width, "feature", "features");
                    let mut names: Vec<String> = example(width.min(LISTED)).collect();
                    names.extend((width > LISTED).then(|| "...".to_owned()));
                    let names = names.join(",");
                    Err(format!(
                        "the file has no names for its {features}\n\
                         help: name them in the order of the fit: --features {names}"
                    ))
                }
                (_, None) => Err("the file has no names of the features\n\
                                  help: name the columns of the training data in their order: --features x0,x1"
                    .to_owned()),
            }
        }
    }
}

/// The names without spaces around them.
fn trimmed(names: &[String], origin: &str) -> Result<Vec<String>, String> {
    let is_option = origin == "--features";
    let mut different: HashMap<&str, &str> = HashMap::new();
    for (position, full) in names.iter().enumerate() {
        let name = full.trim();
        if name.is_empty() {
            let help = if is_option {
                "give each feature a name"
            } else {
                "fit it to a table in which each column has a name"
            };
            return Err(format!("{origin} has no name for feature {}\nhelp: {help}", position + 1));
        }
        let Some(first) = different.insert(name, full) else { continue };
        let reason = if first == full {
            format!("{origin} has the name {full:?} twice")
        } else {
            format!("{origin} has the names {first:?} and {full:?}, which are one name without the spaces around them")
        };
        let help = if is_option {
            "give each feature a name of its own".to_owned()
        } else if first == full {
            "fit it to a table in which each column has a name of its own".to_owned()
        } else {
            let mut others = (2..).map(|number| format!("{name}_{number}"));
            let other = others.find(|other| !names.contains(other)).unwrap_or_default();
            format!("rename one of them before the fit: X = X.rename(columns={{{full:?}: {other:?}}})")
        };
        return Err(format!("{reason}\nhelp: {help}"));
    }
    Ok(names.iter().map(|name| name.trim().to_owned()).collect())
}

/// A line about names that have spaces around them in the file.
pub(super) fn trimmed_note(fitted: &Fitted) -> Option<String> {
    let names: Vec<String> = fitted.names.iter().flatten().filter(|name| name.trim() != *name).cloned().collect();
    let first = names.first()?;
    let trimmed = first.trim();
    let more = if names.len() > 1 { format!(", and so for {} more", names.len() - 1) } else { String::new() };
    Some(format!("names are without the spaces around them: {trimmed:?}, not {first:?}{more}"))
}

/// Checks the name of the target that is given, without spaces around it.
///
/// # Errors
/// A message for the user when it is no name.
pub(super) fn check_target(option: &str) -> Result<(), String> {
    let target = option.trim();
    let words = target.split(char::is_control).map(str::trim).filter(|word| !word.is_empty());
    let words = words.collect::<Vec<_>>().join(" ");
    if words.is_empty() {
        return Err("--target is empty\nhelp: name the target, or leave out --target".to_owned());
    }
    if target.contains(char::is_control) {
        let help = shell_word(&words);
        return Err(format!("--target {target:?} has a control character\nhelp: leave it out: --target {help}"));
    }
    Ok(())
}

/// The name of the target: the one that is given, or one that no feature has.
///
/// # Errors
/// A message for the user when it is the name of a feature.
pub(super) fn target(option: Option<&str>, names: &[String]) -> Result<String, String> {
    let Some(target) = option.map(str::trim) else {
        return Ok(default_target(names.iter().map(String::as_str)));
    };
    if names.iter().any(|name| name == target) {
        let other = shell_word(&format!("predicted_{target}"));
        return Err(format!(
            "the target {target:?} has the name of a feature\nhelp: give it another name, such as --target {other}"
        ));
    }
    Ok(target.to_owned())
}

/// A line about a target that has another name than usual, because a feature has that.
pub(super) fn target_note(option: Option<&str>, target: &str) -> Option<String> {
    (option.is_none() && target != USUAL_TARGET).then(|| {
        format!("the target is named {target:?}, since {USUAL_TARGET:?} is a feature; --target names it otherwise")
    })
}

//! Whether callers of one version of a model can call another.

use std::collections::BTreeSet;
use std::fmt;

use ordinate_model::Model;
use ordinate_model::answer::AvailableIntervals;
use ordinate_model::artifact::Document;
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::{Feature, FeatureType, MissingPolicy, UnknownPolicy};
use ordinate_model::wording::{NAMED, listed};

/// A difference that breaks requests or their answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breaking(String);

impl fmt::Display for Breaking {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// The differences between two models for which a request that `old` accepts is rejected by `new`, means something
/// else, or has another kind of answer.
#[must_use]
pub fn breaking_changes(old: &Model, new: &Model) -> Vec<Breaking> {
    let mut changes = Vec::new();
    let (before, after) = (old.document(), new.document());
    target(before, after, old.classes(), new.classes(), &mut changes);
    match (old.available_intervals(), new.available_intervals()) {
        (Some(_), None) => changes.push("intervals, or prediction sets, are not available any more".to_owned()),
        (Some(was), Some(is)) => {
            // The highest level of requests; any level below 1 without a limit.
            let level = |intervals: &AvailableIntervals| intervals.at_most(1.0);
            if level(&is) < level(&was) {
                changes.push(format!("intervals are available up to the level {} only", level(&is)));
            }
        }
        (None, _) => {}
    }
    let (known, wanted) = (before.signature.features(), after.signature.features());
    for feature in wanted {
        match known.iter().find(|other| other.name == feature.name) {
            Some(other) => compare(other, feature, &mut changes),
            None => changes.push(format!("feature {:?} is new, and requests have to contain it", feature.name)),
        }
    }
    let accepted: BTreeSet<&str> = wanted
        .iter()
        .map(|feature| feature.name.as_str())
        .chain(after.signature.ignored().iter().map(String::as_str))
        .collect();
    for name in known.iter().map(|feature| &feature.name).filter(|name| !accepted.contains(name.as_str())) {
        changes.push(format!("feature {name:?} is gone, and requests with it are rejected"));
    }
    for name in before.signature.ignored().iter().filter(|name| !accepted.contains(name.as_str())) {
        changes.push(format!("column {name:?} was accepted and not used, and requests with it are rejected"));
    }
    // Rows can be lists of values without names.
    let in_both = |features: &[Feature], others: &[Feature]| -> Vec<String> {
        let is_common = |feature: &&Feature| others.iter().any(|other| other.name == feature.name);
        features.iter().filter(is_common).map(|feature| feature.name.clone()).collect()
    };
    if in_both(known, wanted) != in_both(wanted, known) {
        changes.push("the order of the features has changed, and with it the meaning of rows without names".to_owned());
    }
    changes.into_iter().map(Breaking).collect()
}

fn target(
    before: &Document,
    after: &Document,
    old: Option<&[Scalar]>,
    new: Option<&[Scalar]>,
    changes: &mut Vec<String>,
) {
    if before.task != after.task {
        changes.push(format!("the task was {} and is {}", before.task, after.task));
    } else if old != new {
        let words = |classes: Option<&[Scalar]>| listed(classes.unwrap_or_default(), NAMED);
        changes.push(format!("the classes were {} and are {}", words(old), words(new)));
    }
    let (was, is) = (before.signature.target(), after.signature.target());
    if was.name != is.name {
        changes.push(format!("the target was {:?} and is {:?}", was.name, is.name));
    }
}

fn compare(old: &Feature, new: &Feature, changes: &mut Vec<String>) {
    let name = &new.name;
    if old.kind != new.kind && (old.kind, new.kind) != (FeatureType::Long, FeatureType::Double) {
        changes.push(format!("feature {name:?} was of type {} and is of type {}", old.kind, new.kind));
        return;
    }
    if old.missing != MissingPolicy::Reject && new.missing == MissingPolicy::Reject {
        changes.push(format!("feature {name:?} could be missing and cannot any more"));
    }
    if old.positive != new.positive && new.positive {
        changes.push(format!("feature {name:?} must be above zero"));
    }
    if old.reading != new.reading {
        changes.push(format!("feature {name:?} is read from CSV by other conventions"));
    }
    if new.unknown == UnknownPolicy::Reject {
        if old.unknown != UnknownPolicy::Reject {
            changes.push(format!("feature {name:?} accepted unknown categories and does not any more"));
        }
        let gone: Vec<_> = old.levels.iter().filter(|level| !new.levels.contains(level)).cloned().collect();
        if !gone.is_empty() {
            changes.push(format!("feature {name:?} does not accept {} any more", listed(&gone, NAMED)));
        }
    }
}

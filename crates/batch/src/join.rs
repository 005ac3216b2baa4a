//! One object from the outputs of its parts, with the bytes of a run over the whole.

use std::io;

use crate::error::BatchError;
use crate::identity::{IDENTITY, Identity};
use crate::rejected;
use crate::run::{Outcome, Part, Source};
use crate::s3::{LEAST_PART, ObjectReader, ObjectVersion, S3, copied};
use crate::score::Task;
use crate::store::{Output, Prefix, Store, replaceable};

/// The folder of the outputs of parts, below the prefix of outputs.
const FOLDER: &str = "_parts";

/// The name of the output of a part, below the prefix of outputs.
pub(crate) fn part_name(name: &str, identity: &Identity, part: usize) -> String {
    format!("{FOLDER}/{name}/{}/{part:05}", identity.short())
}

/// Joins the outputs of the parts of an object, and removes them.
///
/// # Errors
/// [`BatchError`] if a part was not scored, or the output cannot be written.
pub fn join(
    task: &Task,
    (s3, object): (&S3, &ObjectVersion),
    parts: &[Part],
    (store, name): (&Prefix, &str),
) -> Result<Outcome, BatchError> {
    let source = Source::Object { s3: s3.clone(), object: object.clone(), spool_limit: 0 };
    let identity = source.identity(task)?;
    let names: Vec<String> = (0..parts.len()).map(|part| part_name(name, &identity, part)).collect();
    let existing = replaceable(store, name, task.force)?;
    let outcome = if existing.is(&identity) {
        Outcome::Unchanged
    } else {
        let mut outputs = Vec::new();
        for (part, part_name) in parts.iter().zip(&names) {
            let expected = identity.of_part(part.start, part.end);
            let found = store.client().head(&store.location(part_name))?;
            let is_scored =
                |found: &ObjectVersion| found.metadata.get(IDENTITY).is_some_and(|it| it == expected.as_str());
            outputs.push(found.filter(is_scored).ok_or_else(|| BatchError::PartMissing {
                place: source.place(),
                start: part.start,
                end: part.end,
            })?);
        }
        join_rejected((store, name), &identity, &names, task.force)?;
        let whole = store.upload(name, &identity, Some(existing));
        let first = outputs.split_last().map_or(&[][..], |(_, first)| first);
        if first.iter().all(|part| part.size >= LEAST_PART) {
            // S3 copies them itself. A last part without rows has nothing to copy.
            let outputs: Vec<ObjectVersion> = outputs.into_iter().filter(|part| part.size > 0).collect();
            copied(whole, &outputs)?;
        } else {
            append(store, Box::new(whole), &outputs)?;
        }
        // How many rows it has is known by the executions of the parts.
        Outcome::Joined
    };
    store.sweep(name);
    for part in &names {
        store.remove(part)?;
        store.remove(&format!("{part}{}", rejected::SUFFIX))?;
    }
    Ok(outcome)
}

/// Joins the side files of rejected rows, of those parts that have one.
fn join_rejected(
    (store, name): (&Prefix, &str),
    identity: &Identity,
    names: &[String],
    force: bool,
) -> Result<(), BatchError> {
    let side = format!("{name}{}", rejected::SUFFIX);
    let mut found = Vec::new();
    for part in names {
        found.extend(store.client().head(&store.location(&format!("{part}{}", rejected::SUFFIX)))?);
    }
    if found.is_empty() {
        return store.remove(&side);
    }
    replaceable(store, &side, force)?;
    append(store, Box::new(store.upload(&side, identity, None)), &found)
}

/// Writes the content of objects, one after the other.
fn append(store: &Prefix, mut output: Box<dyn Output>, objects: &[ObjectVersion]) -> Result<(), BatchError> {
    for object in objects {
        let mut reader = ObjectReader::new(store.client(), object, 0, object.size);
        let place = object.location.to_string();
        io::copy(&mut reader, &mut output).map_err(|error| BatchError::from_failure(error.into(), &place))?;
    }
    output.commit()
}

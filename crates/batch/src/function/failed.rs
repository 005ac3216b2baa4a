//! The step `failed`: a note of the reason why an item was not scored.

use ordinate::source::ObjectLocation;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::event::{CaughtError, FailedRequest};
use super::handler::{Call, FunctionError};
use super::manifest::{Item, Names, place, write_document};
use crate::error::BatchError;

/// Why an item was not scored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct Reason {
    /// The type of the error.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// Its text.
    pub(super) message: String,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Note {
    error: Reason,
}

/// The payload of an error of a function.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
struct Payload {
    error_message: String,
}

impl Reason {
    fn new(caught: &CaughtError) -> Self {
        let message = serde_json::from_str::<Payload>(&caught.cause).map(|payload| payload.error_message);
        let message = message.unwrap_or_else(|_| caught.cause.clone());
        Self { kind: caught.error.clone(), message }
    }

    /// The reason that was noted for an item, if there is a note.
    pub(super) fn noted(call: &Call<'_>, names: &Names, item: &Item) -> Result<Option<Self>, BatchError> {
        let location: ObjectLocation = call.store.location(&names.note(item));
        let note = call.s3.read(&location)?;
        Ok(note.and_then(|note| serde_json::from_slice::<Note>(&note).ok()).map(|note| note.error))
    }
}

/// Writes the note, which the step `finish` reads.
pub(super) fn note(call: &Call<'_>, request: &FailedRequest) -> Result<Value, FunctionError> {
    let FailedRequest { manifest, item, error } = request;
    let name = Names::new(call, manifest).note(item);
    let reason = Reason::new(error);
    let text = json!({"item": item, "error": reason}).to_string();
    write_document(call, &name, text.as_bytes())?;
    let (input, kind) = (format!("s3://{}/{}", item.bucket, item.key), &reason.kind);
    tracing::error!(input, kind, error = reason.message, "an item failed");
    Ok(json!({"note": place(call, &name)}))
}

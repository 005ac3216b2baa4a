//! Events of the function: S3 (direct, by `EventBridge`, by a queue of SQS or a topic of SNS), and steps of a state
//! machine.

use jiff::civil::Date;
use ordinate::source::{ModelUri, ObjectLocation};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use thiserror::Error;

use super::manifest::Item;

/// An event.
#[derive(Debug)]
pub enum Event {
    /// Objects were created.
    Objects(Vec<ObjectLocation>),
    /// Messages of a queue, each with such an event.
    Messages(Vec<Message>),
    /// Objects are to be split into items.
    Plan(PlanRequest),
    /// Items are to be scored.
    Items(Vec<Item>),
    /// Captured requests are to be compared with the training data.
    Drift(DriftRequest),
    /// An item could not be scored.
    Failed(Box<FailedRequest>),
    /// The parts of objects are to be joined.
    Finish(FinishRequest),
}

/// A message of a queue.
#[derive(Debug)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// The objects of its event.
    pub objects: Result<Vec<ObjectLocation>, EventError>,
}

/// A request for a plan: of one object, or of all objects below a prefix.
#[derive(Debug, Clone, Deserialize)]
#[serde(expecting = "an object")]
pub struct PlanRequest {
    /// The bucket.
    pub bucket: String,
    /// The key of one object.
    pub key: Option<String>,
    /// The prefix of all objects.
    pub prefix: Option<String>,
    /// A name for the manifest, such as that of an execution.
    pub id: Option<String>,
}

/// A manifest whose items were scored.
#[derive(Debug, Clone, Deserialize)]
#[serde(expecting = "an object")]
pub struct FinishRequest {
    /// The manifest.
    pub manifest: ManifestLocation,
}

/// An item of a manifest that a state machine could not score.
#[derive(Debug, Clone, Deserialize)]
#[serde(expecting = "an object")]
pub struct FailedRequest {
    /// The manifest.
    pub manifest: ManifestLocation,
    /// The item.
    pub item: Item,
    /// The error that the state machine caught.
    pub error: CaughtError,
}

/// An error in the words of Step Functions.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object")]
pub struct CaughtError {
    /// Its type.
    pub error: String,
    /// Of an error of a function, JSON with `errorMessage`.
    #[serde(default)]
    pub cause: String,
}

/// A request for the metrics of drift.
#[derive(Debug, Clone, Deserialize)]
#[serde(expecting = "an object")]
pub struct DriftRequest {
    /// The day in UTC, such as 2026-11-30; by default, yesterday.
    #[serde(default, deserialize_with = "day")]
    pub day: Option<Date>,
}

fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let expected = |_| D::Error::custom(format!("day: expected a date such as 2026-11-30, got {text:?}"));
    text.parse().map(Some).map_err(expected)
}

/// Where a manifest is.
#[derive(Debug, Clone, Deserialize)]
#[serde(expecting = "an object")]
pub struct ManifestLocation {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
}

/// An event that the function does not understand.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "the event is not one of S3, EventBridge or SQS, and not an item with bucket and key: {0}\n\
     help: docs/OPERATIONS.md lists the events of the batch function"
)]
pub struct EventError(String);

fn unknown(reason: impl Into<String>) -> EventError {
    EventError(reason.into())
}

impl Event {
    /// Reads an event.
    ///
    /// # Errors
    /// [`EventError`] for another event. That of a message of a queue is in the message.
    pub fn parse(event: &Value) -> Result<Self, EventError> {
        if let Some(step) = event.get("step") {
            let parsed = match step.as_str() {
                Some("plan") => PlanRequest::deserialize(event).map(Self::Plan),
                Some("score") => items(event).map(Self::Items),
                Some("failed") => FailedRequest::deserialize(event).map(Box::new).map(Self::Failed),
                Some("finish") => FinishRequest::deserialize(event).map(Self::Finish),
                Some("drift") => DriftRequest::deserialize(event).map(Self::Drift),
                _ => {
                    return Err(unknown(format!("expected the step plan, score, failed, finish or drift, got {step}")));
                }
            };
            return parsed.map_err(|error| unknown(error.to_string()));
        }
        let records = event.get("Records").and_then(Value::as_array);
        if let Some(records) = records.filter(|records| records.iter().all(|record| source(record) == "aws:sqs")) {
            return Ok(Self::Messages(records.iter().map(message).collect()));
        }
        let is_item = ["bucket", "item"].iter().any(|key| event.get(key).is_some());
        if records.is_none() && is_item || event.get("Items").is_some() {
            return items(event).map(Self::Items).map_err(|error| unknown(error.to_string()));
        }
        objects(event).map(Self::Objects)
    }
}

/// One item, also in a selection of the input of a state machine, or a batch of items as its item batcher makes it.
fn items(event: &Value) -> Result<Vec<Item>, serde_json::Error> {
    match event.get("Items") {
        Some(items) => Vec::deserialize(items),
        None => Ok(vec![Item::deserialize(event.get("item").unwrap_or(event))?]),
    }
}

fn source(record: &Value) -> &str {
    record.get("eventSource").or_else(|| record.get("EventSource")).and_then(Value::as_str).unwrap_or_default()
}

fn message(record: &Value) -> Message {
    let text = |key: &str| record.get(key).and_then(Value::as_str).unwrap_or_default();
    let body = serde_json::from_str(text("body")).map_err(|error| unknown(error.to_string()));
    Message { id: text("messageId").to_owned(), objects: body.and_then(|body: Value| objects(&body)) }
}

/// The objects that an event of S3 reports as created.
fn objects(event: &Value) -> Result<Vec<ObjectLocation>, EventError> {
    // S3 sends it when a notification is configured.
    if event.get("Event").and_then(Value::as_str) == Some("s3:TestEvent") {
        return Ok(Vec::new());
    }
    if event.get("source").and_then(Value::as_str) == Some("aws.s3") {
        return object_of_event_bridge(event);
    }
    // A message of SNS in a queue, unless it is delivered raw.
    if let Some(text) = event.get("Message").and_then(Value::as_str) {
        let inner: Value = serde_json::from_str(text).map_err(|error| unknown(error.to_string()))?;
        return objects(&inner);
    }
    let Some(records) = event.get("Records").and_then(Value::as_array) else {
        let keys = event.as_object().map(|event| event.keys().cloned().collect::<Vec<_>>().join(", "));
        return Err(unknown(format!("got an event with {}", keys.unwrap_or_else(|| "no keys".to_owned()))));
    };
    let mut found = Vec::new();
    for record in records {
        match source(record) {
            "aws:s3" => found.extend(object_of_record(record)?),
            "aws:sns" => {
                let text = record.pointer("/Sns/Message").and_then(Value::as_str).unwrap_or_default();
                let inner: Value = serde_json::from_str(text).map_err(|error| unknown(error.to_string()))?;
                found.extend(objects(&inner)?);
            }
            other => return Err(unknown(format!("got a record of {other:?}"))),
        }
    }
    Ok(found)
}

/// The object of a record of S3, whose key is encoded as in a form; `None` for other events than a creation.
fn object_of_record(record: &Value) -> Result<Option<ObjectLocation>, EventError> {
    let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str);
    // Messages of old configurations have the prefix `s3:`.
    let name = text("/eventName").unwrap_or_default();
    if !name.trim_start_matches("s3:").starts_with("ObjectCreated:") {
        return Ok(None);
    }
    let (Some(bucket), Some(key)) = (text("/s3/bucket/name"), text("/s3/object/key")) else {
        return Err(unknown("a record of S3 without a bucket or key"));
    };
    let key = key.replace('+', " ");
    let key = percent_encoding::percent_decode_str(&key).decode_utf8().map_err(|error| unknown(error.to_string()))?;
    object(bucket, &key)
}

fn object_of_event_bridge(event: &Value) -> Result<Vec<ObjectLocation>, EventError> {
    if event.get("detail-type").and_then(Value::as_str) != Some("Object Created") {
        return Ok(Vec::new());
    }
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
    match (text("/detail/bucket/name"), text("/detail/object/key")) {
        (Some(bucket), Some(key)) => Ok(object(bucket, key)?.into_iter().collect()),
        _ => Err(unknown("an event of EventBridge without a bucket or key")),
    }
}

/// The object; `None` for the object of a folder, which some programs create.
pub(super) fn object(bucket: &str, key: &str) -> Result<Option<ObjectLocation>, EventError> {
    match format!("s3://{bucket}/{key}").parse::<ModelUri>() {
        Ok(ModelUri::S3(location)) => Ok(Some(location)),
        Ok(_) => Ok(None),
        Err(error) => Err(unknown(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn keys(event: &Value) -> Vec<String> {
        match Event::parse(event).unwrap() {
            Event::Objects(objects) => objects.iter().map(ToString::to_string).collect(),
            other => panic!("{other:?}"),
        }
    }

    fn record(name: &str, key: &str) -> Value {
        json!({"eventSource": "aws:s3", "eventName": name, "s3": {"bucket": {"name": "data"}, "object": {"key": key}}})
    }

    #[test]
    fn created_objects_are_read_from_events_of_s3() {
        let event = json!({"Records": [
            record("ObjectCreated:Put", "in/a+b%2B%C3%A9.csv"),
            record("s3:ObjectCreated:CompleteMultipartUpload", "in/c.csv"),
            record("ObjectRemoved:Delete", "in/d.csv"),
            record("ObjectCreated:Put", "in/folder/"),
        ]});
        assert_eq!(keys(&event), ["s3://data/in/a b+é.csv", "s3://data/in/c.csv"]);
        let event = json!({"source": "aws.s3", "detail-type": "Object Created",
            "detail": {"bucket": {"name": "data"}, "object": {"key": "in/a b+é.csv"}}});
        assert_eq!(keys(&event), ["s3://data/in/a b+é.csv"]);
        let deleted = json!({"source": "aws.s3", "detail-type": "Object Deleted", "detail": {}});
        assert_eq!(keys(&deleted), [""; 0]);
        assert_eq!(keys(&json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "data"})), [""; 0]);
        let notification = json!({"Records": [record("ObjectCreated:Put", "a.csv")]}).to_string();
        let topic = json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": notification}}]});
        assert_eq!(keys(&topic), ["s3://data/a.csv"]);
    }

    #[test]
    fn each_message_of_a_queue_has_its_own_objects_or_error() {
        let created = json!({"Records": [record("ObjectCreated:Put", "a.csv")]}).to_string();
        let event = json!({"Records": [
            {"eventSource": "aws:sqs", "messageId": "1", "body": created},
            {"eventSource": "aws:sqs", "messageId": "2", "body": "{"},
            {"eventSource": "aws:sqs", "messageId": "3", "body": json!({"Type": "Notification",
                "Message": json!({"Records": [record("ObjectCreated:Put", "b.csv")]}).to_string()}).to_string()},
        ]});
        let Event::Messages(messages) = Event::parse(&event).unwrap() else { panic!() };
        let counts: Vec<_> = messages
            .iter()
            .map(|message| (message.id.as_str(), message.objects.as_ref().map_or(9, Vec::len)))
            .collect();
        assert_eq!(counts, [("1", 1), ("2", 9), ("3", 1)]);
    }

    #[test]
    fn steps_of_a_state_machine_are_read() {
        let item = json!({"bucket": "data", "key": "a.csv"});
        assert!(matches!(Event::parse(&item), Ok(Event::Items(items)) if items.len() == 1));
        assert!(matches!(Event::parse(&json!({"Items": [item, item]})), Ok(Event::Items(items)) if items.len() == 2));
        assert!(matches!(Event::parse(&json!({"item": item})), Ok(Event::Items(items)) if items.len() == 1));
        let failed = json!({"step": "failed", "manifest": {"bucket": "out", "key": "_plans/1.json"}, "item": item,
            "error": {"Error": "Lambda.Unknown"}});
        assert!(matches!(Event::parse(&failed), Ok(Event::Failed(failed)) if failed.item.key == "a.csv"));
        let plan = json!({"step": "plan", "bucket": "data", "prefix": "in/"});
        assert!(matches!(Event::parse(&plan), Ok(Event::Plan(_))));
        let finish = json!({"step": "finish", "manifest": {"bucket": "out", "key": "_plans/1.json"}});
        assert!(matches!(Event::parse(&finish), Ok(Event::Finish(_))));
        for other in
            [json!({"step": "x"}), json!({"a": 1}), json!([1]), json!({"Records": [{"eventSource": "aws:kinesis"}]})]
        {
            let error = Event::parse(&other).unwrap_err().to_string();
            assert!(error.contains("help: docs/OPERATIONS.md"), "{error}");
        }
    }
}

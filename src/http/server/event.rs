//! Lambda events by kind: requests of HTTP services, bodies of direct invocations, and events of other services, for
//! which this is the wrong function.

use std::collections::HashMap;

use lambda_http::aws_lambda_events::alb::AlbTargetGroupRequest;
use lambda_http::aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayV2httpRequest};
use lambda_http::aws_lambda_events::vpc_lattice::VpcLatticeRequestV2;
use lambda_http::request::LambdaRequest;
use ordinate_model::wording::shorten;
use serde::Deserialize;
use serde::de::{Deserializer, Error};
use serde_json::value::RawValue;

/// An event.
#[derive(Debug)]
pub enum Event {
    /// A request of an HTTP service.
    Http(Box<LambdaRequest>),
    /// A request of an HTTP service that cannot be read, and why. Its sender expects an HTTP response.
    Unreadable(String),
    /// An event like a request that no HTTP service sends, and why. Its sender does not read an HTTP response.
    Invalid(String),
    /// A direct invocation: a body for the default model.
    Direct(String),
    /// An event of another service.
    Unsupported(&'static str),
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = Box::<RawValue>::deserialize(deserializer)?;
        Self::new(event.get()).map_err(D::Error::custom)
    }
}

impl Event {
    fn new(text: &str) -> Result<Self, serde_json::Error> {
        // Everything but an object is a body; its error is the one of a body.
        let keys: Keys<'_> = serde_json::from_str(text).unwrap_or_default();
        let context = members(&keys, "requestContext");
        // The emulator of cargo-lambda writes the keys of authorizers with null in all events.
        let given = keys.iter().filter(|(_, value)| value.get() != "null").map(|(key, value)| (*key, *value));
        if let Some(service) = other_service(&given.collect(), &context).or_else(|| service_of_batch(text)) {
            return Ok(Self::Unsupported(service));
        }
        if !is_http(&keys, &context) {
            return Ok(Self::Direct(text.to_owned()));
        }
        if let Some(reason) = why_not_from_http_service(&keys, &context) {
            return Ok(Self::Invalid(reason));
        }
        if let Some(reason) = why_too_large(&keys) {
            return Ok(Self::Unreadable(reason));
        }
        Ok(match serde_json::from_str(text)? {
            LambdaRequest::PassThrough(text) => Self::Unreadable(why_unreadable(&keys, &context, &text)),
            request => Self::Http(Box::new(request)),
        })
    }
}

/// The members of an event, which are not parsed.
type Keys<'e> = HashMap<&'e str, &'e RawValue>;

fn members<'e>(keys: &Keys<'e>, name: &str) -> Keys<'e> {
    keys.get(name).and_then(|value| serde_json::from_str(value.get()).ok()).unwrap_or_default()
}

fn text<'e>(keys: &Keys<'e>, name: &str) -> Option<&'e str> {
    keys.get(name).and_then(|value| serde_json::from_str(value.get()).ok())
}

/// Events with one of these keys and without a request's keys, and their service.
const SERVICES: [(&str, &str); 21] = [
    ("requestPayload", "LambdaDestination"),
    ("actionGroup", "BedrockAgent"),
    ("awslogs", "CloudWatchLogs"),
    ("alarmArn", "CloudWatchAlarm"),
    ("triggerSource", "Cognito"),
    ("datasetRecords", "Cognito"),
    ("deliveryStreamArn", "Firehose"),
    ("CodePipeline.job", "CodePipeline"),
    ("invokingEvent", "Config"),
    ("ResponseURL", "CloudFormation"),
    ("invocationSchemaVersion", "S3Batch"),
    ("getObjectContext", "S3ObjectLambda"),
    ("currentIntent", "Lex"),
    ("sessionState", "Lex"),
    ("rmqMessagesByQueue", "RabbitMQ"),
    ("deviceEvent", "IoT"),
    ("SecretId", "SecretsManager"),
    ("authorizationToken", "Authorizer"),
    ("methodArn", "Authorizer"),
    ("routeArn", "Authorizer"),
    ("detail-type", "EventBridge"),
];

/// The services of `eventSource`, which is in each record or in the event.
const SOURCES: [(&str, &str); 11] = [
    ("aws:sqs", "SQS"),
    ("aws:sns", "SNS"),
    ("aws:s3", "S3"),
    ("aws:kinesis", "Kinesis"),
    ("aws:dynamodb", "DynamoDB"),
    ("aws:ses", "SES"),
    ("aws:kafka", "Kafka"),
    ("SelfManagedKafka", "Kafka"),
    ("aws:mq", "ActiveMQ"),
    ("aws:rmq", "RabbitMQ"),
    ("aws:docdb", "DocumentDB"),
];

/// The service of an event that is not for this function.
fn other_service(keys: &Keys<'_>, context: &Keys<'_>) -> Option<&'static str> {
    if keys.contains_key("X") {
        return None;
    }
    if let Some((_, service)) = SERVICES.iter().find(|(key, _)| keys.contains_key(key)) {
        return Some(service);
    }
    if context.contains_key("connectionId") {
        return Some("WebSocket");
    }
    // Version 1 of VPC Lattice's events; version 2 is a request.
    if keys.contains_key("raw_path") && keys.contains_key("method") {
        return Some("VPCLatticeV1");
    }
    let records: Vec<Keys<'_>> =
        keys.get("Records").and_then(|records| serde_json::from_str(records.get()).ok()).unwrap_or_default();
    let record = records.first();
    if let Some(service) = record.and_then(source).or_else(|| source(keys)) {
        return Some(service);
    }
    if record.is_some_and(|record| record.contains_key("cf")) {
        return Some("CloudFront");
    }
    if keys.contains_key("Records") {
        return Some("Records");
    }
    // The message that S3 sends when notifications are configured.
    if text(keys, "Event").is_some_and(|event| event.starts_with("s3:")) {
        return Some("S3");
    }
    None
}

/// The service of `eventSource` in a record.
fn source(record: &Keys<'_>) -> Option<&'static str> {
    let source = text(record, "eventSource").or_else(|| text(record, "EventSource"))?;
    Some(SOURCES.iter().find(|(name, _)| *name == source).map_or("Records", |(_, service)| service))
}

/// The service of a list of records, as `EventBridge` Pipes sends them.
fn service_of_batch(text: &str) -> Option<&'static str> {
    let records: Vec<Keys<'_>> = serde_json::from_str(text).ok()?;
    records.first().and_then(source)
}

/// Whether an event is a request of an HTTP service, possibly with invalid parts.
fn is_http(keys: &Keys<'_>, context: &Keys<'_>) -> bool {
    let has = |name: &str| keys.contains_key(name);
    let has_context =
        ["http", "elb", "apiId", "stage", "serviceNetworkArn"].iter().any(|key| context.contains_key(key));
    let has_path = has("path") && (has("httpMethod") || has("method"));
    !has("X") && (has("rawPath") || has_context || has_path)
}

/// Why an event that has the keys of a request does not come from an HTTP service: all of these add a context and a
/// path.
fn why_not_from_http_service(keys: &Keys<'_>, context: &Keys<'_>) -> Option<String> {
    if keys.get("requestContext").is_none_or(|context| context.get() == "null") {
        return Some("it has no requestContext".into());
    }
    let has_path = ["rawPath", "path", "httpMethod", "method"].iter().any(|key| keys.contains_key(key));
    (!has_path && !context.contains_key("http")).then(|| "it has neither a path nor a method".into())
}

/// The maximum length of a path in bytes. `lambda_http` panics if that of a URL is above 65,534.
const MAX_PATH: usize = 8 * 1024;

/// The maximum number of headers. `lambda_http` panics above 24,576 names.
const MAX_HEADERS: usize = 1_000;

/// Why a request is too large for `lambda_http`. The limits are above those of the services.
fn why_too_large(keys: &Keys<'_>) -> Option<String> {
    for name in ["path", "rawPath"] {
        if let Some(bytes) = keys.get(name).map(|path| path.get().len()).filter(|bytes| *bytes > MAX_PATH) {
            return Some(format!("{name}: expected at most {MAX_PATH} bytes, got {bytes}"));
        }
    }
    for name in ["headers", "multiValueHeaders"] {
        let count = members(keys, name).values().map(|value| values(value)).sum::<usize>();
        if count > MAX_HEADERS {
            return Some(format!("{name}: expected at most {MAX_HEADERS}, got {count}"));
        }
    }
    None
}

/// The number of values of a header.
fn values(value: &RawValue) -> usize {
    serde_json::from_str::<Vec<&RawValue>>(value.get()).map_or(1, |values| values.len())
}

/// Why an event of an HTTP service cannot be read.
fn why_unreadable(keys: &Keys<'_>, context: &Keys<'_>, event: &str) -> String {
    let is = |name: &str, expected: &str| format!("{name}: expected {expected}, got {}", got(keys, name));
    if let Some(flag) = keys.get("isBase64Encoded").filter(|flag| !matches!(flag.get(), "true" | "false")) {
        // Some services write null, which lambda_http accepts of those.
        if flag.get() != "null" || context.contains_key("http") {
            return is("isBase64Encoded", "true or false");
        }
    }
    if keys.get("body").is_some_and(|body| !matches!(body.get().as_bytes().first(), Some(b'"' | b'n'))) {
        // Without the body, because this is logged.
        return "body: expected a string or null".into();
    }
    for name in ["headers", "multiValueHeaders"] {
        if let Some(header) = invalid_header(&members(keys, name)) {
            return format!("{name}: {header:?} is not a valid header in HTTP");
        }
    }
    let (kind, outcome) = if context.contains_key("serviceNetworkArn") {
        ("VPC Lattice", serde_json::from_str::<VpcLatticeRequestV2>(event).err())
    } else if context.contains_key("http") || keys.contains_key("rawPath") {
        ("an HTTP API", serde_json::from_str::<ApiGatewayV2httpRequest>(event).err())
    } else if context.contains_key("elb") {
        ("a load balancer", serde_json::from_str::<AlbTargetGroupRequest>(event).err())
    } else {
        ("a REST API", serde_json::from_str::<ApiGatewayProxyRequest>(event).err())
    };
    match outcome {
        Some(error) => format!("as a request of {kind}: {error}"),
        None => format!("it is not a request of {kind}"),
    }
}

/// The beginning of a member.
fn got(keys: &Keys<'_>, name: &str) -> String {
    shorten(keys.get(name).map_or("nothing", |value| value.get()))
}

/// The first header whose name or value is not valid in HTTP.
fn invalid_header(headers: &Keys<'_>) -> Option<String> {
    let is_value = |value: &str| http::HeaderValue::from_str(value).is_ok();
    let is_valid = |(name, value): (&&str, &&RawValue)| {
        let single = serde_json::from_str::<String>(value.get()).map(|value| is_value(&value));
        let several = serde_json::from_str::<Vec<String>>(value.get());
        let several = several.map(|values| values.iter().all(|value| is_value(value)));
        http::HeaderName::try_from(*name).is_ok() && (value.get() == "null" || single.or(several).unwrap_or(false))
    };
    headers.iter().find(|header| !is_valid((header.0, header.1))).map(|(name, _)| shorten(name))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn kind(event: &serde_json::Value) -> String {
        match serde_json::from_str::<Event>(&event.to_string()).unwrap() {
            Event::Http(_) => "http".into(),
            Event::Unreadable(reason) => reason,
            Event::Invalid(reason) => format!("invalid: {reason}"),
            Event::Direct(_) => "direct".into(),
            Event::Unsupported(service) => service.into(),
        }
    }

    #[rstest]
    #[case(json!({"Records": [{"eventSource": "aws:sqs", "body": "{\"X\":[1]}"}]}), "SQS")]
    #[case(json!({"Records": [{"EventSource": "aws:sns"}]}), "SNS")]
    #[case(json!({"Records": [{"eventSource": "aws:s3"}]}), "S3")]
    #[case(json!({"Service": "Amazon S3", "Event": "s3:TestEvent"}), "S3")]
    #[case(json!({"Records": [{"eventSource": "aws:kinesis"}]}), "Kinesis")]
    #[case(json!({"Records": [{"eventSource": "aws:dynamodb"}]}), "DynamoDB")]
    #[case(json!([{"eventSource": "aws:sqs", "body": "{\"X\":[1]}"}]), "SQS")]
    #[case(json!({"Records": [{"cf": {}}]}), "CloudFront")]
    #[case(json!({"Records": []}), "Records")]
    #[case(json!({"Records": [{"eventSource": "aws:new"}]}), "Records")]
    #[case(json!({"version": "0", "source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}), "EventBridge")]
    #[case(json!({"eventSource": "aws:kafka", "records": {}}), "Kafka")]
    #[case(json!({"awslogs": {"data": ""}}), "CloudWatchLogs")]
    #[case(json!({"triggerSource": "PreSignUp_SignUp", "userPoolId": "a"}), "Cognito")]
    #[case(json!({"raw_path": "/predict", "method": "POST", "headers": {}, "body": "{}", "is_base64_encoded": false}), "VPCLatticeV1")]
    #[case(json!({"type": "TOKEN", "authorizationToken": "a", "methodArn": "b"}), "Authorizer")]
    #[case(json!({"type": "REQUEST", "methodArn": "b", "httpMethod": "GET", "path": "/", "headers": {}, "requestContext": {"httpMethod": "GET"}}), "Authorizer")]
    #[case(json!({"version": "2.0", "type": "REQUEST", "routeArn": "b", "rawPath": "/", "requestContext": {"http": {"method": "GET"}}}), "Authorizer")]
    #[case(json!({"version": "1.0", "requestContext": {"functionArn": "a", "condition": "RetriesExhausted"}, "requestPayload": {"a": 1}, "responsePayload": {}}), "LambdaDestination")]
    #[case(json!({"messageVersion": "1.0", "agent": {}, "actionGroup": "a", "apiPath": "/", "httpMethod": "GET", "parameters": []}), "BedrockAgent")]
    #[case(json!({"requestContext": {"connectionId": "a", "eventType": "MESSAGE"}, "body": "{}"}), "WebSocket")]
    fn events_of_other_services_are_named(#[case] event: serde_json::Value, #[case] service: &str) {
        assert_eq!(kind(&event), service);
    }

    #[rstest]
    #[case(json!({"X": [1]}))]
    #[case(json!({"X": [1], "Records": 1, "requestContext": 2}))]
    #[case(json!({"key1": "value1"}))]
    #[case(json!({"requestContext": {"requestId": "a"}}))]
    #[case(json!([[1]]))]
    #[case(json!(null))]
    fn anything_else_is_a_body(#[case] event: serde_json::Value) {
        assert_eq!(kind(&event), "direct");
    }

    #[rstest]
    #[case(json!({"httpMethod": "POST", "path": "/predict"}), "invalid: it has no requestContext")]
    #[case(json!({"path": "/a", "method": "GET", "value": 3}), "invalid: it has no requestContext")]
    #[case(json!({"requestContext": {"stage": "x"}}), "invalid: it has neither a path nor a method")]
    #[case(json!({"rawPath": format!("/{}", "a".repeat(9_000)), "requestContext": {"http": {}}}), "rawPath: expected at most 8192 bytes, got 9003")]
    #[case(json!({"path": "/", "httpMethod": "GET", "multiValueHeaders": {"a": vec!["1"; 1_001]}, "requestContext": {}}), "multiValueHeaders: expected at most 1000, got 1001")]
    #[case(json!({"rawPath": "/", "headers": {}, "requestContext": {}}), "as a request of an HTTP API: ")]
    #[case(json!({"path": "/", "method": "a b", "headers": {}, "requestContext": {"serviceNetworkArn": "a"}}), "as a request of VPC Lattice: ")]
    #[case(json!({"rawPath": "/", "isBase64Encoded": null, "requestContext": {"http": {"method": "GET", "path": "/"}}}), "isBase64Encoded: expected true or false, got null")]
    #[case(json!({"httpMethod": "POST", "path": "/", "isBase64Encoded": "no", "requestContext": {}}), "isBase64Encoded: expected true or false, got \"no\"")]
    #[case(json!({"rawPath": "/", "body": {"X": [1]}, "requestContext": {"http": {"method": "POST"}}}), "body: expected a string or null")]
    #[case(json!({"rawPath": "/", "headers": {"x-odd": "a\nb"}, "requestContext": {"http": {"method": "POST"}}}), "headers: \"x-odd\" is not a valid header in HTTP")]
    #[case(json!({"rawPath": "/", "requestContext": {"http": {"method": "a b"}}}), "as a request of an HTTP API: ")]
    fn the_cause_of_an_unreadable_request_is_found(#[case] event: serde_json::Value, #[case] reason: &str) {
        let found = kind(&event);
        assert!(found.starts_with(reason), "{found}");
    }
}

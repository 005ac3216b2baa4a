//! `POST /mcp` in the document. The schemas of the tools are in the answer to `tools/list`.

use serde_json::json;
use utoipa::openapi::Ref;
use utoipa::openapi::schema::{ComponentsBuilder, ObjectBuilder, OneOfBuilder};

use super::tools;
use crate::http::docs::error::RowFormats;
use crate::http::docs::operation::{Body, Draft, JSON, Tag};
use crate::http::docs::schema::{ModelSchemas, any, number, object, one_of, text};

pub(crate) const TAG: Tag =
    Tag { name: "Agents", description: "The models as tools of agents: the Model Context Protocol" };

/// `POST /mcp`
pub(crate) fn post(draft: Draft, schemas: &ModelSchemas<'_>) -> Draft {
    let call = json!({"name": tools::name(schemas.model.name()), "arguments": {"rows": [schemas.example_row()]}});
    let request = |method, params| json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let body = Body {
        media_type: JSON,
        schema: Ref::from_schema_name("McpMessage").into(),
        examples: vec![("ping", request("ping", json!({}))), ("call", request("tools/call", call))],
    };
    draft
        .about(TAG, "List the tools, or call one")
        .description("A message without `id` is a notification, which is answered with 202 and without a body.")
        .rows(RowFormats::Arguments, "McpMessage", [body])
        .answers("McpAnswer", "The response of JSON-RPC 2.0")
        .accepts("A notification or a response")
}

/// Adds the schemas of this protocol.
pub(crate) fn define(components: ComponentsBuilder, _: &[ModelSchemas<'_>]) -> ComponentsBuilder {
    let id = || OneOfBuilder::new().item(text("A text")).item(number());
    let version = || one_of(["2.0"]);
    let method =
        "`initialize`, `ping`, `tools/list`, `tools/call`, or a notification, such as `notifications/initialized`";
    let identified = id().description(Some("Absent in notifications"));
    let message = object([("jsonrpc", version().into()), ("method", text(method))])
        .property("id", identified)
        .property("params", ObjectBuilder::new().description(Some("The parameters of the method")));
    let answer = object([("jsonrpc", version().into()), ("id", id().into())])
        .property("result", any("The result of the method"))
        .property("error", any("An error of JSON-RPC 2.0, in place of a result"));
    components.schema("McpMessage", message).schema("McpAnswer", answer)
}

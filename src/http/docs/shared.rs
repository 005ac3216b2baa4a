//! The parts that operations share: each is in the document once, as a component, and operations refer to it.

use std::collections::BTreeMap;

use utoipa::openapi::header::Header;
use utoipa::openapi::path::Parameter;
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::schema::Components;
use utoipa::openapi::{Ref, RefOr, Response};

/// The components of the document under construction.
pub(crate) struct Shared(Components);

impl Shared {
    /// These components, to which operations add theirs.
    pub(crate) fn new(components: Components) -> Self {
        Self(components)
    }

    pub(crate) fn components(self) -> Components {
        self.0
    }

    pub(crate) fn parameter(&mut self, parameter: Parameter) -> RefOr<Parameter> {
        let name = parameter.name.clone();
        share(&mut self.0.parameters, "parameters", &name, parameter)
    }

    pub(crate) fn header(&mut self, name: &str, header: Header) -> RefOr<Header> {
        share(&mut self.0.headers, "headers", name, header)
    }

    pub(crate) fn request_body(&mut self, name: &str, body: RequestBody) -> RefOr<RequestBody> {
        share(&mut self.0.request_bodies, "requestBodies", name, body)
    }

    pub(crate) fn response(&mut self, name: &str, response: Response) -> RefOr<Response> {
        share(&mut self.0.responses, "responses", name, response)
    }
}

/// A reference to the component of this name, or the part itself if another part already has the name.
fn share<T: Clone + PartialEq>(
    components: &mut BTreeMap<String, RefOr<T>>,
    kind: &str,
    name: &str,
    part: T,
) -> RefOr<T> {
    match components.entry(name.to_owned()).or_insert_with(|| RefOr::T(part.clone())) {
        RefOr::T(component) if *component == part => RefOr::Ref(Ref::new(format!("#/components/{kind}/{name}"))),
        _ => RefOr::T(part),
    }
}

//! What every request passes: the way of a Lambda event, middleware, paths, bodies, errors and their envelopes, health.

pub(crate) mod answer;
pub(crate) mod body;
pub(crate) mod envelope;
pub mod error;
pub(crate) mod headers;
pub(crate) mod health;
pub mod lambda;
pub(crate) mod middleware;
pub(crate) mod path;
pub(crate) mod query;
pub(crate) mod statistics;

//! The parts that all protocols share: Lambda events, middleware, paths, bodies, errors and their forms, health.

pub(crate) mod accept;
pub(crate) mod body;
pub mod capture;
pub(crate) mod envelope;
pub(crate) mod error;
mod error_code;
pub(crate) mod error_page;
mod event;
pub mod fault;
pub(crate) mod headers;
pub(crate) mod health;
pub mod lambda;
pub(crate) mod middleware;
pub mod observer;
pub(crate) mod path;
pub(crate) mod query;
pub(crate) mod response;
pub(crate) mod statistics;

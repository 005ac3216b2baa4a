//! Our own contract.

pub(crate) mod models;
pub(crate) mod openapi;
pub(crate) mod predict;

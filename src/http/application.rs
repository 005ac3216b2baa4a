//! What handlers share.

use std::sync::Arc;

use axum::extract::State;
use bytes::Bytes;
use tokio::sync::OnceCell;

use super::server::statistics::Statistics;
use super::settings::Limits;
use crate::source::catalog::Catalog;

/// The `OpenAPI` document, once it was asked for.
pub(crate) type Kept = OnceCell<Bytes>;

/// What handlers share.
#[derive(Debug)]
pub(crate) struct Application {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) limits: Limits,
    pub(crate) statistics: Arc<Statistics>,
    pub(crate) openapi: Kept,
}

impl Application {
    /// Nothing was asked yet.
    pub(crate) fn new(catalog: Arc<Catalog>, limits: Limits) -> Arc<Self> {
        Arc::new(Self { catalog, limits, statistics: Arc::default(), openapi: Kept::new() })
    }
}

/// What a handler gets of it.
pub(crate) type App = State<Arc<Application>>;

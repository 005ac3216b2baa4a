//! The model that a request names in its path.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use ordinate_model::Model;
use serde::Deserialize;

use crate::http::application::Application;
use crate::http::server::error::ApiError;
use crate::http::server::path::Verb;
use crate::source::catalog::layout::LIVE;

/// The parameters of a path: a name, a name and a version, or neither for the default model.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ModelPath {
    #[serde(alias = "model")]
    name: Option<String>,
    version: Option<String>,
}

impl ModelPath {
    /// The name in the path, with its alias or version.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whether the version is that of the alias `live`.
    pub(crate) fn is_live(&self) -> bool {
        let alias = self.name.as_deref().and_then(|name| name.split_once('@')).map(|(_, alias)| alias);
        self.version.is_none() && alias.is_none_or(|alias| alias == LIVE)
    }

    /// Loads the model.
    ///
    /// # Errors
    /// 404 for an unknown model or version, 503 for a model that cannot be loaded.
    pub(crate) async fn load(&self, application: &Application) -> Result<Arc<Model>, ApiError> {
        Ok(match &self.name {
            None => application.catalog.default_model().await?,
            Some(name) => application.catalog.model(name, self.version.as_deref()).await?,
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ModelPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(mut path) = Path::<Self>::from_request_parts(parts, state).await?;
        if let Some(Verb(verb)) = parts.extensions.get()
            && let Some(last) = path.version.as_mut().or(path.name.as_mut())
            && let Some(without) = last.strip_suffix(verb).and_then(|rest| rest.strip_suffix(':'))
        {
            *last = without.to_owned();
        }
        Ok(path)
    }
}

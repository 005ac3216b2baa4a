//! The model for requests that name no model.

use std::sync::Arc;

use ordinate_model::Model;
use ordinate_model::identity::ModelName;
use tokio::time::Instant;

use super::layout::LIVE;
use super::{Catalog, CatalogError, Known, Models, REFRESH_PATIENCE};
use crate::source::Causes;

/// The most models among which the only released one is looked for; each costs a request. A larger catalog has a
/// default model only if `DEFAULT_MODEL` names it.
pub const MAX_CHECKED: usize = 100;

impl Catalog {
    /// The model for requests that name no model. Loads it if necessary.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`], [`CatalogError::NoDefault`], or that the default model is unknown.
    pub async fn default_model(&self) -> Result<Arc<Model>, CatalogError> {
        self.within(self.deadline(), self.find_default()).await
    }

    /// The name of the default model for descriptions; `None` without one, or if finding it takes long.
    pub async fn known_default(&self) -> Option<ModelName> {
        self.within(Instant::now() + REFRESH_PATIENCE, self.default_name()).await.ok()
    }

    /// Loads the default model before the first request, and its shadow; `ready` is called with it. A failure is
    /// logged, and the first request that needs the model tries again.
    pub async fn preload(&self, ready: impl FnOnce(&Model)) {
        let error = match self.default_model().await {
            Ok(model) => {
                ready(&model);
                // A failure is logged where it happens.
                self.shadow(&model.document().name).await.ok();
                return;
            }
            Err(error) => error,
        };
        let cause = Causes(&error).to_string();
        if let CatalogError::Unavailable(_) = error {
            tracing::warn!(cause, "cannot load the default model; the next request tries again");
        } else {
            tracing::warn!(
                cause,
                "no default model: /predict and /health/ready fail until DEFAULT_MODEL names a released model"
            );
        }
    }

    async fn find_default(&self) -> Result<Arc<Model>, CatalogError> {
        let patience = Instant::now() + REFRESH_PATIENCE;
        let (file, max_age) = match &self.models {
            Models::Files(files) => match files.first() {
                Some(file) => (file.clone(), self.shared.settings.refresh),
                None => return Err(CatalogError::NoDefault { known: Known::default() }),
            },
            // Following an alias compares the model with its source, too.
            Models::Folder(folder) => {
                let name = self.default_name().await?;
                let file = self.shared.aliased(folder, &name, LIVE, patience).await;
                (file.map_err(|error| not_released(&name, error))?, None)
            }
        };
        let location = file.source.describe();
        self.shared.loaded.pin(&location);
        let model = self.shared.load(&file, &location, max_age, patience).await?.model.clone();
        self.kept_default.get_or_init(|| model.document().name.clone());
        Ok(model)
    }

    /// The name of the default model. Loads it only if it is in a file of unknown name. A model that was the only
    /// released one when it was first used stays the default model of this process, so that another release breaks no
    /// caller.
    ///
    /// # Errors
    /// See [`CatalogError`].
    pub async fn default_name(&self) -> Result<ModelName, CatalogError> {
        if let Some(name) = self.default.as_ref().or_else(|| self.kept_default.get()) {
            return Ok(name.clone());
        }
        match &self.models {
            Models::Files(files) => match files.first() {
                Some(file) => self.shared.name(file).await,
                None => Err(CatalogError::NoDefault { known: Known::default() }),
            },
            Models::Folder(folder) => {
                let known = self.shared.names(folder).await?;
                let only = match &*known {
                    // Whether it is released is known when it is loaded.
                    [only] => Some(only.clone()),
                    several if several.len() <= MAX_CHECKED => match &*self.shared.released(folder).await? {
                        [only] => Some(only.clone()),
                        _ => None,
                    },
                    _ => None,
                };
                let only = only.and_then(|only| ModelName::try_from(only).ok());
                only.ok_or(CatalogError::NoDefault { known })
            }
        }
    }
}

/// The error of the default model for callers, who have not named it.
fn not_released(name: &ModelName, error: CatalogError) -> CatalogError {
    match error {
        CatalogError::UnknownModel { .. } | CatalogError::UnknownAlias { .. } => {
            CatalogError::NotReleased { name: name.to_string(), cause: Arc::new(error) }
        }
        error => error,
    }
}

//! Lists of models, versions and aliases.

use std::sync::Arc;

use ordinate_model::Model;
use ordinate_model::identity::ModelName;
use tokio::time::Instant;

use super::layout::{self, LIVE, Releases};
use super::{Catalog, CatalogError, Models};
use crate::source::{Causes, Listing};

impl Catalog {
    /// The names of the models, at most `most`: from the start, or from `after`, the [`Listing::next`] of the page
    /// before. Loads no model, unless it is in a file of unknown name.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`], or [`CatalogError::UnknownPage`].
    pub async fn names(&self, after: Option<&str>, most: usize) -> Result<Listing, CatalogError> {
        let names = async {
            match &self.models {
                Models::Folder(folder) => {
                    let Listing { names, next } = folder.list("", after, most).await?;
                    Ok(Listing { names: layout::folder_names(&names).map(String::from).collect(), next })
                }
                Models::Files(_) => {
                    let names: Vec<_> = self.file_names().await?.into_iter().map(String::from).collect();
                    Ok(Listing::page(&names, after, most)?)
                }
            }
        };
        self.within(self.deadline(), names).await
    }

    /// The names of the models in a catalog of files. Loads those whose names are unknown.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn file_names(&self) -> Result<Vec<ModelName>, CatalogError> {
        let Models::Files(files) = &self.models else { return Ok(Vec::new()) };
        let mut names = Vec::with_capacity(files.len());
        for file in files {
            names.push(self.shared.name(file).await?);
        }
        Ok(names)
    }

    /// The versions and aliases of a model.
    ///
    /// # Errors
    /// See [`CatalogError`].
    pub async fn releases(&self, name: &str) -> Result<Releases, CatalogError> {
        let Models::Folder(folder) = &self.models else {
            let model = self.model(name, None).await?;
            let version = model.document().version.clone();
            let aliases = [(LIVE.to_owned(), version.clone())].into();
            return Ok(Releases { versions: vec![version], aliases, ..Releases::default() });
        };
        let releases = async {
            let Ok(name) = ModelName::try_from(name.to_owned()) else {
                return Err(self.shared.unknown_model(folder, name).await);
            };
            let releases = layout::releases(folder.as_ref(), &name).await?;
            if releases.versions.is_empty() {
                return Err(self.shared.unknown_model(folder, name.as_str()).await);
            }
            Ok(releases)
        };
        self.within(self.deadline(), releases).await
    }

    /// The first models, at most `most`, the default model first. Loads them if necessary. Models that cannot be loaded
    /// are left out and logged.
    ///
    /// # Errors
    /// [`CatalogError`] if none of them can be loaded.
    pub async fn models(&self, most: usize) -> Result<Vec<Arc<Model>>, CatalogError> {
        let deadline = self.deadline();
        let names = async {
            let mut names = self.names(None, most).await?.names;
            if let Ok(default) = self.default_name().await {
                names.retain(|name| name != default.as_str());
                names.insert(0, default.into());
                names.truncate(most);
            }
            Ok(names)
        };
        let names = self.within(deadline, names).await?;
        self.load_each(&names, deadline).await
    }

    /// A page of the models in the order of [`names`](Self::names), each with its name, and where the next page starts.
    /// Loads them if necessary. Models that cannot be loaded are left out and logged.
    ///
    /// # Errors
    /// [`CatalogError::UnknownPage`], or that none of them can be loaded.
    pub async fn page(
        &self,
        after: Option<&str>,
        most: usize,
    ) -> Result<(Vec<Arc<Model>>, Option<String>), CatalogError> {
        let deadline = self.deadline();
        let Listing { names, next } = self.names(after, most).await?;
        Ok((self.load_each(&names, deadline).await?, next))
    }

    /// The models of these names, in their order.
    async fn load_each(&self, names: &[String], deadline: Instant) -> Result<Vec<Arc<Model>>, CatalogError> {
        let mut models = Vec::new();
        let mut failure = None;
        for name in names {
            match self.within(deadline, self.find(name, None)).await {
                Ok(model) => models.push(model),
                Err(error) => {
                    tracing::warn!(name, cause = %Causes(&error), "left out, because it cannot be loaded");
                    // A model without the alias is not released yet.
                    if matches!(error, CatalogError::Unavailable(_)) {
                        failure = Some(error);
                    }
                }
            }
        }
        match failure {
            Some(error) if models.is_empty() => Err(error),
            _ => Ok(models),
        }
    }
}

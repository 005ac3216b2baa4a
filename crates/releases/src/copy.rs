//! Copies of versions from another catalog.

use bytes::Bytes;
use ordinate::source::catalog::layout;
use ordinate_model::Model;
use ordinate_model::artifact::Document;
use ordinate_model::identity::{Checksum, Version};

use crate::catalog::{Published, ReleaseCatalog};
use crate::error::ReleaseError;
use crate::folder::{Condition, PutError};

/// A version that was copied.
#[derive(Debug)]
pub struct Copied {
    /// The model in the catalog to which it was copied.
    pub published: Published,
    /// How its version follows from the version of the original.
    pub version: CopyVersion,
}

/// How the version of a copy follows from the version of the original.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyVersion {
    /// The same version.
    Same,
    /// Another version, because the same model has that here already.
    Present,
    /// Another version, because another model has the version of the original.
    Taken,
    /// Another version, because the file with the version of the original is damaged.
    Damaged,
    /// Another version, because the file with the version of the original cannot be read.
    Unreadable,
    /// Another version, because an alias pointed to the version of the original, whose file is gone.
    Removed,
}

impl ReleaseCatalog {
    /// Copies a model with its file, from [`Self::load`] of another catalog: under the same version with the same bytes
    /// if nobody has used that here, otherwise as the next free version. A model that is here already, under this or
    /// another version, is left as it is.
    ///
    /// # Errors
    /// See [`ReleaseError`].
    pub async fn copy(&self, (model, bytes): (Model, Bytes)) -> Result<Copied, ReleaseError> {
        let Document { name, version, .. } = model.document();
        let here = self.versions(name).await?;
        if !here.contains(version) {
            if self.released_versions(name).await?.contains(version) {
                return self.copy_as_another(&model, CopyVersion::Removed).await;
            }
            if let Some(published) = self.same_model(model.document(), &here).await? {
                return Ok(Copied { published, version: CopyVersion::Present });
            }
            let path = layout::model_path(name, version);
            match self.put(&path, bytes, Condition::Absent).await {
                Ok(()) => {
                    let published = Published { model, location: self.location(&path), existed: false };
                    return Ok(Copied { published, version: CopyVersion::Same });
                }
                Err(PutError::Conflict | PutError::Refused(_)) => {}
                Err(PutError::Source(error)) => return Err(error.into()),
            }
        }
        self.copy_to_taken(model).await
    }

    /// Copies a model whose version has a file here.
    async fn copy_to_taken(&self, model: Model) -> Result<Copied, ReleaseError> {
        let Document { name, version, .. } = model.document();
        let reason = match self.load(name, version).await {
            // The checksum does not cover the time of the training, so the bytes may differ.
            Ok((found, _)) if found.checksum() == model.checksum() => {
                let location = self.location(&layout::model_path(name, version));
                let published = Published { model: found, location, existed: true };
                return Ok(Copied { published, version: CopyVersion::Same });
            }
            Ok(_) => CopyVersion::Taken,
            Err(error) if error.is_damage() => CopyVersion::Damaged,
            Err(error) if error.is_unusable() => CopyVersion::Unreadable,
            Err(error) => return Err(error),
        };
        self.copy_as_another(&model, reason).await
    }

    /// Publishes a model, unless it is here under any version.
    async fn copy_as_another(&self, model: &Model, reason: CopyVersion) -> Result<Copied, ReleaseError> {
        let published = self.publish_next(model.document(), true).await?;
        Ok(Copied { published, version: reason })
    }

    /// The latest of these versions that is the same model under its own number. Those that cannot be read are skipped.
    pub(crate) async fn same_model(
        &self,
        document: &Document,
        versions: &[Version],
    ) -> Result<Option<Published>, ReleaseError> {
        for version in versions.iter().rev() {
            let path = layout::model_path(&document.name, version);
            let failed = |source| ReleaseError::Artifact { location: self.location(&path), source };
            let expected = document.clone().with_version(version.clone()).map_err(failed)?.sha256;
            match self.load(&document.name, version).await {
                Ok((model, _)) if expected.as_ref().map(Checksum::as_str) == Some(model.checksum()) => {
                    return Ok(Some(Published { model, location: self.location(&path), existed: true }));
                }
                Err(error) if !error.is_unusable() => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(None)
    }
}

//! A catalog of models that can be changed: its location, its models, publishing.

use std::time::Duration;

use bytes::Bytes;
use ordinate::source::catalog::layout;
use ordinate::source::catalog::{CatalogError, Existing};
use ordinate::source::file::LocalFolder;
use ordinate::source::s3::{S3Folder, S3Settings, TimeLimits};
use ordinate::source::{ModelUri, SourceError};
use ordinate_model::Model;
use ordinate_model::artifact::{ArtifactError, Document};
use ordinate_model::identity::{ModelName, Version};

use crate::error::ReleaseError;
use crate::folder::{Condition, Made, PutError, WritableFolder};

/// How often a publisher tries the next version after somebody else took one.
pub(crate) const ATTEMPTS: usize = 100;

/// A person at a slow line publishes a model of 64 MiB, unlike a function, whose caller waits.
const LIMITS: TimeLimits = TimeLimits {
    connect: Duration::from_secs(5),
    read: Duration::from_secs(30),
    attempt: Duration::from_mins(5),
    operation: Duration::from_mins(10),
    total: Duration::from_mins(10),
    attempts: 3,
};

/// A published version.
#[derive(Debug)]
pub struct Published {
    /// The model as it was read back: its version may be new, and then its checksum is.
    pub model: Model,
    /// Where it is.
    pub location: String,
    /// Whether it was there already.
    pub existed: bool,
}

/// A catalog that can be changed.
#[derive(Debug)]
pub struct ReleaseCatalog {
    folder: Box<dyn WritableFolder>,
    /// The folders that were made for it.
    _made: Made,
}

impl ReleaseCatalog {
    /// The catalog at a path, at `file:///path/` or `s3://bucket/prefix/`. A folder that exists needs no slash
    /// at its end.
    ///
    /// # Errors
    /// [`ReleaseError::NotACatalog`] for any other text.
    pub fn open(place: &str, s3: S3Settings) -> Result<Self, ReleaseError> {
        let uri = || place.parse::<ModelUri>().map_err(|error| ReleaseError::NotACatalog(error.to_string()));
        let folder: Box<dyn WritableFolder> = match uri()? {
            ModelUri::Folder(path) => Box::new(LocalFolder::new(path)),
            ModelUri::S3Folder(location) => Box::new(S3Folder::new(location, S3Settings { limits: LIMITS, ..s3 })?),
            ModelUri::File(path) if path.is_dir() => Box::new(LocalFolder::new(path)),
            ModelUri::File(_) | ModelUri::S3(_) | ModelUri::Bundled => {
                let detail = format!(
                    "{place:?} is not a catalog\n\
                     help: the path of a catalog ends with a slash: models/ or s3://bucket/models/"
                );
                return Err(ReleaseError::NotACatalog(detail));
            }
        };
        Ok(Self { folder, _made: Made::default() })
    }

    /// The same catalog, which exists from then on. If nothing is written to it, it does not exist afterwards.
    ///
    /// # Errors
    /// [`ReleaseError::Source`] if it cannot be made.
    pub fn create(self) -> Result<Self, ReleaseError> {
        Ok(Self { _made: self.folder.create()?, ..self })
    }

    /// Checks that versions of a model can be written if that costs little, before the work of making one.
    ///
    /// # Errors
    /// [`ReleaseError::Source`] if they cannot.
    pub fn check_writable(&self, name: &ModelName) -> Result<(), ReleaseError> {
        Ok(self.folder.check_writable(&layout::model_folder(name))?)
    }

    /// The location.
    #[must_use]
    pub fn describe(&self) -> String {
        self.folder.describe()
    }

    pub(crate) fn folder(&self) -> &dyn WritableFolder {
        self.folder.as_ref()
    }

    /// The location of a path below it.
    pub(crate) fn location(&self, path: &str) -> String {
        self.folder.file(path).describe()
    }

    /// Writes a model as the next version that nobody has used. The version in the file is replaced, and its checksum
    /// with it.
    ///
    /// # Errors
    /// See [`ReleaseError`]; the catalog is unchanged then.
    pub async fn publish(&self, document: &Document) -> Result<Published, ReleaseError> {
        let name = document.name.clone();
        let mut version = match self.last_version(&name).await? {
            None => Version::first(),
            Some(last) => self.after(&name, &last)?,
        };
        for _ in 0..ATTEMPTS {
            let path = layout::model_path(&name, &version);
            let location = self.location(&path);
            let failed = |source| ReleaseError::Artifact { location: location.clone(), source };
            let numbered = document.clone().with_version(version.clone()).map_err(failed)?;
            let text = numbered.to_json().map_err(failed)?;
            // The file is what every load will read.
            let model = Model::from_json(text.as_bytes()).map_err(failed)?;
            match self.folder.put(&path, text.into(), Condition::Absent).await {
                Ok(()) => return Ok(Published { model, location, existed: false }),
                Err(PutError::Conflict) => version = self.after(&name, &version)?,
                Err(PutError::Source(error)) => return Err(error.into()),
            }
        }
        let location = self.location(&layout::model_folder(&name));
        Err(ReleaseError::Contended { location, attempts: ATTEMPTS })
    }

    /// The last version that the model has or had: servers may have loaded one whose file is gone.
    async fn last_version(&self, name: &ModelName) -> Result<Option<Version>, ReleaseError> {
        let mut versions = self.versions(name).await?;
        versions.extend(self.released_versions(name).await?);
        Ok(versions.into_iter().max_by_key(Version::number))
    }

    fn after(&self, name: &ModelName, version: &Version) -> Result<Version, ReleaseError> {
        let no_next = || ReleaseError::Artifact {
            location: self.location(&layout::model_path(name, version)),
            source: ArtifactError::Inconsistent("there is no version after this one".into()),
        };
        version.next().ok_or_else(no_next)
    }

    /// The names of all models.
    ///
    /// # Errors
    /// See [`ReleaseError`].
    pub async fn names(&self) -> Result<Vec<ModelName>, ReleaseError> {
        Ok(layout::folder_names(&layout::all_names(self.folder.as_ref(), "").await?).collect())
    }

    /// The versions of a model in ascending order; none for a model that does not exist.
    ///
    /// # Errors
    /// See [`ReleaseError`].
    pub async fn versions(&self, name: &ModelName) -> Result<Vec<Version>, ReleaseError> {
        Ok(layout::versions(self.folder.as_ref(), name).await?)
    }

    /// The versions and aliases of a model by name, for errors.
    pub(crate) async fn existing(&self, name: &ModelName) -> Result<Existing, ReleaseError> {
        match Existing::list(self.folder.as_ref(), name).await? {
            Some(existing) => Ok(existing),
            None => Err(self.unknown_model(name).await),
        }
    }

    pub(crate) async fn unknown_model(&self, name: &ModelName) -> ReleaseError {
        match self.names().await {
            Ok(names) => {
                let known = names.into_iter().map(String::from).collect();
                CatalogError::UnknownModel { name: name.to_string(), known }.into()
            }
            Err(error) => error,
        }
    }

    /// Loads a version and checks its golden rows, and that the file is that of the version. Returns it with its file.
    ///
    /// # Errors
    /// [`CatalogError::UnknownVersion`] and others of [`ReleaseError`].
    pub async fn load(&self, name: &ModelName, version: &Version) -> Result<(Model, Bytes), ReleaseError> {
        let source = self.folder.file(&layout::model_path(name, version));
        let bytes = match source.fetch().await {
            Err(SourceError::NotFound { .. }) => {
                return Err(self.existing(name).await?.unknown_version(name, version.as_str()).into());
            }
            fetched => fetched?,
        };
        let failed = |error| ReleaseError::Artifact { location: source.describe(), source: error };
        let model = Model::from_json(&bytes).map_err(failed)?;
        let found = model.document();
        if (&found.name, &found.version) != (name, version) {
            let found = format!("{}@{}", found.name, found.version);
            return Err(ReleaseError::Misplaced { location: source.describe(), found });
        }
        Ok((model, bytes))
    }
}

//! A catalog of models that can be changed: its location, its models, publishing.

use std::time::Duration;

use bytes::Bytes;
use ordinate::source::catalog::layout;
use ordinate::source::catalog::{CatalogError, Existing};
use ordinate::source::file::LocalFolder;
use ordinate::source::s3::{S3Folder, S3Settings, TimeLimits};
use ordinate::source::{BoxFuture, Content, ModelUri, SourceError};
use ordinate_model::Model;
use ordinate_model::artifact::{ArtifactError, Document};
use ordinate_model::identity::{ModelName, Version};
use tokio::time::timeout;

use crate::contention::Contention;
use crate::error::ReleaseError;
use crate::folder::{Condition, Made, PutError, WritableFolder};

/// How long a change of a file waits silently.
const SILENCE: Duration = Duration::from_secs(1);

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
    /// Prints a note for the user.
    notify: fn(&str),
    /// The folders that were made for it.
    _made: Made,
}

impl ReleaseCatalog {
    /// The catalog at a path, at `file:///path/` or `s3://bucket/prefix/`; see [`ModelUri::locate`].
    ///
    /// # Errors
    /// [`ReleaseError::NotACatalog`] for any other text.
    pub fn open(place: &str, s3: S3Settings) -> Result<Self, ReleaseError> {
        let uri = ModelUri::locate(place).map_err(|error| ReleaseError::NotACatalog(error.to_string()))?;
        let folder: Box<dyn WritableFolder> = match uri {
            ModelUri::Folder(path) => Box::new(LocalFolder::new(path)),
            ModelUri::S3Folder(location) => Box::new(S3Folder::new(location, S3Settings { limits: LIMITS, ..s3 })?),
            ModelUri::Bundled => return Err(ReleaseError::NotACatalog("the bundled models cannot be changed".into())),
            ModelUri::File(_) | ModelUri::S3(_) => {
                let detail = format!(
                    "{place:?} is not a catalog\n\
                     help: the path of a catalog ends with a slash, unless it is a folder that exists: {place}/"
                );
                return Err(ReleaseError::NotACatalog(detail));
            }
        };
        Ok(Self { folder, notify: |_| {}, _made: Made::default() })
    }

    /// The same catalog, whose notes for the user are printed by this function.
    #[must_use]
    pub fn with_notes(self, notify: fn(&str)) -> Self {
        Self { notify, ..self }
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

    /// Writes a file, and notes when it waits for another program.
    pub(crate) async fn put(&self, path: &str, bytes: Bytes, condition: Condition<'_>) -> Result<(), PutError> {
        self.folder.tidy(path);
        self.noting(path, self.folder.put(path, bytes, condition)).await
    }

    /// Deletes a file, and notes when it waits for another program.
    pub(crate) async fn delete(&self, path: &str, content: &Content) -> Result<(), PutError> {
        self.noting(path, self.folder.delete(path, content)).await
    }

    async fn noting<T>(&self, path: &str, mut change: BoxFuture<'_, T>) -> T {
        if let Ok(outcome) = timeout(SILENCE, &mut change).await {
            return outcome;
        }
        if self.folder.is_locked(path) {
            (self.notify)(&format!(
                "{}: waiting, because another program has locked this folder",
                self.folder_of(path)
            ));
        }
        change.await
    }

    /// The location of the folder of a path below it.
    fn folder_of(&self, path: &str) -> String {
        let folder = path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        self.location(&folder)
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
        self.publish_next(document, false).await
    }

    /// As [`Self::publish`]. A copy is not written if the same model is there, which is looked for before each attempt,
    /// since another copy may be written meanwhile.
    pub(crate) async fn publish_next(&self, document: &Document, is_copy: bool) -> Result<Published, ReleaseError> {
        let name = document.name.clone();
        // Servers may have loaded versions whose files are gone.
        let mut used = self.released_versions(&name).await?;
        let mut others = self.contention(&layout::model_folder(&name));
        loop {
            let here = self.versions(&name).await?;
            if is_copy && let Some(published) = self.same_model(document, &here).await? {
                return Ok(published);
            }
            let version = match here.iter().chain(&used).max_by_key(|version| version.number()) {
                None => Version::first(),
                Some(last) => self.after(&name, last)?,
            };
            let path = layout::model_path(&name, &version);
            let location = self.location(&path);
            let failed = |source| ReleaseError::Artifact { location: location.clone(), source };
            let numbered = document.clone().with_version(version.clone()).map_err(failed)?;
            let text = numbered.to_json().map_err(failed)?;
            // The file is what every load will read.
            let model = Model::from_json(text.as_bytes()).map_err(failed)?;
            match self.put(&path, text.into(), Condition::Absent).await {
                Ok(()) => return Ok(Published { model, location, existed: false }),
                Err(PutError::Source(error)) => return Err(error.into()),
                Err(PutError::Conflict) => others.pause(None).await?,
                Err(PutError::Refused(refusal)) => others.pause(Some(refusal)).await?,
            }
            used.push(version);
        }
    }

    /// The attempts to write below a path.
    pub(crate) fn contention(&self, path: &str) -> Contention {
        Contention::new(self.location(path), self.notify)
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

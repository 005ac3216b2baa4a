//! The files of aliases: reading them, and replacing one only if nobody else has changed it.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use ordinate::source::catalog::alias_file::{AliasFile, Release, parse_alias};
use ordinate::source::catalog::layout;
use ordinate::source::catalog::{CatalogError, LoadError};
use ordinate::source::{Content, SourceError};
use ordinate_model::identity::{ModelName, Version};

use crate::aliases::{Change, Who};
use crate::catalog::ReleaseCatalog;
use crate::error::{ReleaseError, is_damaged};
use crate::folder::{Condition, PutError};

/// An alias as it was read, for a change under the condition that nobody else changes it meanwhile.
#[derive(Debug)]
pub(crate) struct Present {
    path: String,
    found: Found,
    /// Its file; `None` without one, and for a damaged one that will be replaced.
    pub(crate) file: Option<AliasFile>,
    /// The file that it had when it was removed, if it has none, or a damaged one that will be replaced.
    removed: Option<AliasFile>,
}

/// The state of the place of a file.
#[derive(Debug)]
pub(crate) enum Found {
    Nothing,
    Content(Content),
    /// Something that cannot be read.
    Unreadable,
}

impl Found {
    /// The condition that it is still there.
    pub(crate) fn unchanged(&self) -> Condition<'_> {
        match self {
            Self::Nothing => Condition::Absent,
            Self::Content(content) => Condition::Unchanged(content),
            Self::Unreadable => Condition::Any,
        }
    }
}

impl Present {
    /// The file with its history: that of the alias, or the one that it had when it was removed.
    pub(crate) fn last(&self) -> Option<&AliasFile> {
        self.file.as_ref().or(self.removed.as_ref())
    }

    pub(crate) fn into_last(self) -> Option<AliasFile> {
        self.file.or(self.removed)
    }
}

impl ReleaseCatalog {
    /// Reads an alias. With `force`, a damaged file counts as absent, and is replaced.
    pub(crate) async fn present(
        &self,
        name: &ModelName,
        alias: &ModelName,
        force: bool,
    ) -> Result<Present, ReleaseError> {
        let undamaged = |file: Result<Option<AliasFile>, ReleaseError>| match file {
            Err(ReleaseError::DamagedAlias { .. }) if force => Ok(None),
            file => file,
        };
        let path = layout::alias_path(name, alias);
        let found = match self.content(&path).await {
            Err(ReleaseError::DamagedAlias { .. }) if force => Found::Unreadable,
            content => content?.map_or(Found::Nothing, Found::Content),
        };
        let file = match &found {
            Found::Content(content) => undamaged(self.parse(&path, content).map(Some))?,
            Found::Nothing | Found::Unreadable => None,
        };
        let removed = if file.is_none() { undamaged(self.removed(name, alias).await)? } else { None };
        Ok(Present { path, found, file, removed })
    }

    /// Makes an alias point to a version, unless somebody else has changed the alias since it was read.
    pub(crate) async fn release(
        &self,
        present: Present,
        version: Version,
        rolled_back: Option<Version>,
        who: &Who,
    ) -> Result<Change, PutError> {
        let Present { path, found, file, removed } = present;
        let from = file.as_ref().map(|file| file.version().clone());
        let release = Release {
            version: version.clone(),
            at: now(),
            by: who.by.clone(),
            message: who.message.clone(),
            rolled_back,
            removed: None,
        };
        let file = AliasFile::after(file.or(removed), release);
        self.put(&path, self.text(&path, &file)?, found.unchanged()).await?;
        Ok(Change { from, to: version })
    }

    /// The text of the file of an alias.
    pub(crate) fn text(&self, path: &str, file: &AliasFile) -> Result<Bytes, SourceError> {
        let text = serde_json::to_vec_pretty(file);
        let text = text.map_err(|error| SourceError::Io { location: self.location(path), source: error.into() })?;
        Ok(text.into())
    }

    /// The file that an alias had when it was removed the last time.
    pub(crate) async fn removed(&self, name: &ModelName, alias: &ModelName) -> Result<Option<AliasFile>, ReleaseError> {
        let path = layout::removed_path(name, alias);
        self.parsed(&path).await
    }

    /// The file of an alias at a path; `None` without one.
    pub(crate) async fn parsed(&self, path: &str) -> Result<Option<AliasFile>, ReleaseError> {
        self.content(path).await?.map(|content| self.parse(path, &content)).transpose()
    }

    /// The versions in the files of aliases, present and removed ones; a file that is damaged has none.
    pub(crate) async fn released_versions(&self, name: &ModelName) -> Result<Vec<Version>, ReleaseError> {
        let mut versions = Vec::new();
        for folder in [layout::alias_folder(name), layout::removed_folder(name)] {
            for file in layout::all_names(self.folder(), &folder).await? {
                let path = format!("{folder}{file}");
                match self.parsed(&path).await {
                    Ok(file) => {
                        let releases = file.iter().flat_map(AliasFile::releases);
                        versions.extend(releases.map(|release| release.version.clone()));
                    }
                    Err(ReleaseError::DamagedAlias { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(versions)
    }

    /// The content of the file of an alias; `None` without one.
    pub(crate) async fn content(&self, path: &str) -> Result<Option<Content>, ReleaseError> {
        match self.folder().file(path).fetch_changed(None).await {
            Err(SourceError::NotFound { .. }) => Ok(None),
            Err(error) if is_damaged(&error) => {
                Err(ReleaseError::DamagedAlias { cause: Arc::new(LoadError::Source(error)) })
            }
            content => Ok(content?),
        }
    }

    pub(crate) fn parse(&self, path: &str, content: &Content) -> Result<AliasFile, ReleaseError> {
        match parse_alias(self.folder().file(path).as_ref(), &content.bytes) {
            Err(CatalogError::Unavailable(cause)) => Err(ReleaseError::DamagedAlias { cause }),
            file => Ok(file?),
        }
    }

    pub(crate) async fn unknown_alias(&self, name: &ModelName, alias: &ModelName) -> ReleaseError {
        match self.existing(name).await {
            // It was made since it was looked for.
            Ok(existing) if existing.has_alias(alias.as_str()) => changed(name, alias),
            Ok(existing) => existing.unknown_alias(name, alias.as_str()).into(),
            Err(error) => error,
        }
    }
}

/// The time now: RFC 3339, UTC.
pub(crate) fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Why an alias was not changed by a command that does not try again.
pub(crate) fn unwritten(error: PutError, name: &ModelName, alias: &ModelName) -> ReleaseError {
    match error {
        PutError::Conflict => changed(name, alias),
        PutError::Refused(refusal) => ReleaseError::Refused(refusal),
        PutError::Source(error) => error.into(),
    }
}

fn changed(name: &ModelName, alias: &ModelName) -> ReleaseError {
    ReleaseError::Changed { name: name.to_string(), alias: alias.to_string() }
}

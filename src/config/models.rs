//! Where the models are, when they are loaded, and how to connect to S3.

use std::sync::Arc;
use std::time::Duration;

use ordinate_model::identity::{Checksum, MODEL_NAME_RULE, ModelName};

use super::{ConfigError, Environment};
use crate::source::catalog::{Catalog, CatalogError, CatalogSettings};
use crate::source::file::{FileSource, LocalFolder};
use crate::source::s3::{Credentials, S3Folder, S3Settings, S3Source};
use crate::source::{ModelUri, ObjectLocation, SourceError};

impl<F: Fn(&str) -> Option<String>> Environment<F> {
    /// Where the model of `MODEL_URI` is.
    ///
    /// # Errors
    /// [`ConfigError`] if it is not a location of a model.
    pub fn model_uri(&self) -> Result<ModelUri, ConfigError> {
        let uri = |value: &str| ModelUri::locate(value).map_err(|error| error.problem());
        Ok(self.parse("MODEL_URI", uri)?.unwrap_or(ModelUri::Bundled))
    }

    pub(super) fn catalog(&self) -> Result<Catalog, ConfigError> {
        let uri = self.model_uri()?;
        let name = |value: &str| {
            ModelName::try_from(value.to_owned()).map_err(|_| format!("expected a model name: {MODEL_NAME_RULE}"))
        };
        let name = self.parse("DEFAULT_MODEL", name)?;
        let checksum =
            |value: &str| Checksum::try_from(value.to_owned()).map_err(|_| "expected 64 hexadecimal digits".to_owned());
        let checksum = self.parse("MODEL_SHA256", checksum)?;
        let catalog = match uri {
            ModelUri::Bundled => match checksum {
                Some(checksum) => Err(ConfigError {
                    variable: "MODEL_SHA256",
                    value: checksum.to_string(),
                    problem: "applies to the model of MODEL_URI only, which is not set".into(),
                }),
                None => Catalog::bundled(name.as_ref().map(ModelName::as_str))
                    .map_err(|error| unknown_default(error, name.map(String::from))),
            },
            ModelUri::File(path) => Ok(Catalog::single(Box::new(FileSource::new(path)), checksum, name)),
            ModelUri::S3(location) => {
                let source = S3Source::new(location.clone(), self.s3()).map_err(|error| no_s3(&location, error))?;
                Ok(Catalog::single(Box::new(source), checksum, name))
            }
            ModelUri::Folder(_) | ModelUri::S3Folder(_) if checksum.is_some() => Err(ConfigError {
                variable: "MODEL_SHA256",
                value: checksum.map(String::from).unwrap_or_default(),
                problem: "applies to a single model, and MODEL_URI is a catalog".into(),
            }),
            ModelUri::Folder(path) => Ok(Catalog::folder(Arc::new(LocalFolder::new(path)), name)),
            ModelUri::S3Folder(location) => {
                let folder = S3Folder::new(location.clone(), self.s3()).map_err(|error| no_s3(&location, error))?;
                Ok(Catalog::folder(Arc::new(folder), name))
            }
        }?;
        Ok(catalog.with_settings(self.catalog_settings()?))
    }

    /// When models are loaded, and how many are kept.
    ///
    /// # Errors
    /// [`ConfigError`] for the first invalid variable.
    pub fn catalog_settings(&self) -> Result<CatalogSettings, ConfigError> {
        let defaults = CatalogSettings::default();
        let seconds = |value: &str| {
            value.parse::<u32>().map_err(|_| "expected a whole number of seconds, or 0 for never".to_owned())
        };
        let refresh = self.parse("MODEL_REFRESH_SECONDS", seconds)?.filter(|seconds| *seconds > 0);
        let bytes = |value: &str| value.parse().map_err(|_| "expected a whole number of bytes".to_owned());
        Ok(CatalogSettings {
            refresh: refresh.map(|seconds| Duration::from_secs(seconds.into())),
            cache_bytes: self.parse("MODEL_CACHE_BYTES", bytes)?.unwrap_or(defaults.cache_bytes),
            ..defaults
        })
    }

    /// Region, endpoint and credentials for S3.
    #[must_use]
    pub fn s3(&self) -> S3Settings {
        let credentials = self.text("AWS_ACCESS_KEY_ID").zip(self.text("AWS_SECRET_ACCESS_KEY"));
        let credentials = credentials
            .map(|(key, secret)| Credentials::new(key, secret, self.text("AWS_SESSION_TOKEN"), None, "environment"));
        S3Settings {
            region: self.text("AWS_REGION").or_else(|| self.text("AWS_DEFAULT_REGION")),
            endpoint_url: self.text("AWS_ENDPOINT_URL_S3").or_else(|| self.text("AWS_ENDPOINT_URL")),
            credentials,
            ..S3Settings::default()
        }
    }
}

/// A `MODEL_URI` in S3 without what is necessary to connect.
fn no_s3(location: &ObjectLocation, error: SourceError) -> ConfigError {
    let problem = match error {
        SourceError::Misconfigured { reason, .. } => reason,
        other => other.to_string(),
    };
    ConfigError { variable: "MODEL_URI", value: location.to_string(), problem }
}

/// A `DEFAULT_MODEL` that is not one of the models.
pub(super) fn unknown_default(error: CatalogError, value: Option<String>) -> ConfigError {
    let problem = match error {
        CatalogError::UnknownModel { known, .. } => match &*known {
            [only] => format!("expected {only}"),
            several => format!("expected one of {}", several.join(", ")),
        },
        other => other.to_string(),
    };
    ConfigError { variable: "DEFAULT_MODEL", value: value.unwrap_or_default(), problem }
}

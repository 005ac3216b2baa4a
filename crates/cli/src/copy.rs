//! `ordinate copy`: a version of a model from one catalog to another.

use std::error::Error;

use clap::Args;
use ordinate::source::catalog::{CatalogError, layout};
use ordinate_model::identity::{ModelName, Version};
use ordinate_releases::{Copied, CopyVersion, Published, ReleaseCatalog, ReleaseError};

use super::catalog::{GoLiveArguments, advice, create, message, name, open, wait_for, with_force};

/// Copy a version of a model to another catalog
///
/// The file is copied as it is, with its version and checksum, unless the other catalog has, or had released, another
/// model under that number: then it becomes the next free version there. A model that is in the other catalog already,
/// under any number, is not copied, so copying again, or back, changes nothing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ordinate copy price@4 s3://staging/models/ s3://production/models/
  ordinate copy price staging/ production/ --alias live")]
pub(super) struct Arguments {
    /// Model and version, such as price@4 or price@shadow; the version of the alias live without @
    #[arg(value_name = "NAME[@VERSION]")]
    model: String,
    /// Catalog to copy from: a folder such as models/, or `s3://bucket/prefix/`
    #[arg(value_name = "FROM")]
    from: String,
    /// Catalog to copy to
    #[arg(value_name = "TO")]
    to: String,
    #[command(flatten)]
    live: GoLiveArguments,
}

/// Copies, and prints the version.
pub(super) fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let (from, to) = (open(&arguments.from)?, create(&arguments.to)?);
    let (model, wanted) = arguments.model.split_once('@').map_or((&*arguments.model, None), |(n, w)| (n, Some(w)));
    let model = name(model)?;
    let outcome = wait_for(async {
        let failed = |error: ReleaseError| message(&error);
        let version = resolve(&from, &model, wanted).await?;
        let original = from.load(&model, &version).await.map_err(failed)?;
        let approval = arguments.live.check(&to, &original.0).await.map_err(|error| with_force(&error))?;
        let Copied { published, version: copy_version } = to.copy(original).await.map_err(failed)?;
        let Published { model: copy, location, existed } = &published;
        let mut text = if *existed {
            format!("{model}@{version} is in {location} already.\n")
        } else {
            format!("Copied {model}@{version} to {location}\nsha256 {}\n", copy.checksum())
        };
        let reason = match copy_version {
            CopyVersion::Same => None,
            CopyVersion::Present => Some(String::new()),
            CopyVersion::Taken => Some(format!(": {version} is another model")),
            CopyVersion::Damaged => Some(format!(": {version} is damaged")),
            CopyVersion::Unreadable => Some(format!(": {version} cannot be read")),
            CopyVersion::Removed => Some(format!(": {version} was released there before, and its file is gone")),
        };
        if let Some(reason) = reason {
            let note = format!("It is version {} there{reason}.\n", copy.version());
            text.push_str(&note);
        }
        arguments.live.promote(&to, copy, approval, text).await.map_err(failed)
    })?;
    Ok(outcome?)
}

/// The version of a number or an alias; that of `live` for neither.
///
/// # Errors
/// A message for the user.
async fn resolve(catalog: &ReleaseCatalog, model: &ModelName, wanted: Option<&str>) -> Result<Version, String> {
    match wanted.map(|wanted| (Version::try_from(wanted.to_owned()), name(wanted))) {
        Some((Ok(version), _)) => Ok(version),
        Some((Err(_), Ok(alias))) => match catalog.history(model, &alias).await {
            Ok(file) => Ok(file.version().clone()),
            Err(error) => Err(advice(&error, catalog, model, &alias, None)),
        },
        Some((Err(_), Err(problem))) => Err(problem),
        None => match catalog.history(model, &layout::live()).await {
            // A model that is not live yet: its only version.
            Err(ReleaseError::Catalog(error @ CatalogError::UnknownAlias { .. })) => {
                match catalog.versions(model).await.map_err(|error| message(&error))?.as_slice() {
                    [only] => Ok(only.clone()),
                    _ => Err(message(&error.into())),
                }
            }
            Ok(file) => Ok(file.version().clone()),
            Err(error) => Err(advice(&error, catalog, model, &layout::live(), None)),
        },
    }
}

//! `ordinate copy`: a version of a model from one catalog to another.

use std::error::Error;

use clap::Args;
use ordinate::source::catalog::{CatalogError, layout};
use ordinate_model::identity::{ModelName, Version};
use ordinate_releases::{Copied, Number, Published, ReleaseCatalog, ReleaseError};

use super::catalog::{GoLiveArguments, create, name, open, wait};

/// Copy a version of a model to another catalog
///
/// The file is copied as it is, with its version and checksum, unless the other catalog has, or had released, another
/// model under that number: then it becomes the next free version there. Copying again changes nothing.
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

/// Copies, and returns the version as text.
pub(super) fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let (from, to) = (open(&arguments.from)?, create(&arguments.to)?);
    let (model, wanted) = arguments.model.split_once('@').map_or((&*arguments.model, None), |(n, w)| (n, Some(w)));
    let model = name(model)?;
    wait(async {
        let version = resolve(&from, &model, wanted).await?;
        let original = from.load(&model, &version).await?;
        let approval = arguments.live.check(&to, &original.0).await?;
        let Copied { published, number } = to.copy(original).await?;
        let Published { model: copy, location, existed } = &published;
        let mut text = if *existed {
            format!("{model}@{version} is in {location} already.\n")
        } else {
            format!("Copied {model}@{version} to {location}\nsha256 {}\n", copy.checksum())
        };
        let reason = match number {
            Number::Same => None,
            Number::Taken => Some("is another model"),
            Number::Removed => Some("was released there before, and its file is gone"),
        };
        if let Some(reason) = reason {
            let note = format!("It is version {} there: {version} {reason}.\n", copy.version());
            text.push_str(&note);
        }
        arguments.live.promote(&to, copy, approval, text).await
    })
}

/// The version of a number or an alias; that of `live` for neither.
async fn resolve(catalog: &ReleaseCatalog, model: &ModelName, wanted: Option<&str>) -> Result<Version, ReleaseError> {
    match wanted.map(|wanted| (Version::try_from(wanted.to_owned()), name(wanted))) {
        Some((Ok(version), _)) => Ok(version),
        Some((Err(_), Ok(alias))) => Ok(catalog.history(model, &alias).await?.version().clone()),
        Some((Err(_), Err(problem))) => Err(ReleaseError::NotACatalog(problem)),
        None => match catalog.history(model, &layout::live()).await {
            // A model that is not live yet: its only version.
            Err(ReleaseError::Catalog(error @ CatalogError::UnknownAlias { .. })) => {
                match catalog.versions(model).await?.as_slice() {
                    [only] => Ok(only.clone()),
                    _ => Err(error.into()),
                }
            }
            history => Ok(history?.version().clone()),
        },
    }
}

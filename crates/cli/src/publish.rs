//! `ordinate publish`: a model becomes the next version in a catalog.

use std::error::Error;

use clap::Args;
use ordinate_releases::Published;

use super::catalog::{CatalogArgument, GoLiveArguments, wait_for, with_force};
use super::model;

/// Publish a model as the next version in a catalog
///
/// The model is verified first: format, checksum, golden rows. Versions are whole numbers and never overwritten; two
/// publishers at the same time get two versions. The published file has the new version, and with it another checksum.
/// Publishing the same model again makes another version.
///
/// With --alias, the alias points to the new version from then on; servers use the alias `live`. That is refused if
/// requests for its present version would break; --force does it all the same.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ordinate publish price.json models/
  ordinate publish price.json s3://bucket/models/ --alias live --message 'data of June'")]
pub(super) struct Arguments {
    #[arg(value_name = "MODEL", help = model::HELP, long_help = model::LONG_HELP)]
    model: String,
    #[command(flatten)]
    catalog: CatalogArgument,
    #[command(flatten)]
    live: GoLiveArguments,
}

/// Publishes, and prints the version.
pub(super) fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let model = model::load(&arguments.model)?;
    let catalog = arguments.catalog.create()?;
    let outcome = wait_for(async {
        let approval = arguments.live.check(&catalog, &model).await?;
        let Published { model, location, .. } = catalog.publish(model.document()).await?;
        let published =
            format!("Published {}@{} to {location}\nsha256 {}\n", model.name(), model.version(), model.checksum());
        arguments.live.promote(&catalog, &model, approval, published).await
    })?;
    Ok(outcome.map_err(|error| with_force(&error))?)
}

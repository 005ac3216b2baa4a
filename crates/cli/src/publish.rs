//! `ordinate publish`: a model becomes the next version in a catalog.

use std::error::Error;

use clap::Args;
use ordinate_model::identity::ModelName;

use super::catalog::{CatalogArgument, ReleaseArguments, alias, changed, wait};
use super::model;

/// Publish a model as the next version in a catalog
///
/// The model is verified first: format, checksum, golden rows. Versions are whole numbers and never overwritten; two
/// publishers at the same time get two versions. The published file has the new version, and with it another checksum.
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
    /// Alias that points to the new version from then on, such as live
    #[arg(long, value_name = "ALIAS", value_parser = alias)]
    alias: Option<ModelName>,
    /// Change the alias although requests for its present version would break
    #[arg(long, requires = "alias")]
    force: bool,
    #[command(flatten)]
    release: ReleaseArguments,
}

/// Publishes, and returns the version as text.
pub(super) fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let model = model::load(&arguments.model)?;
    let catalog = arguments.catalog.create()?;
    wait(async {
        let document = model.document();
        if let Some(alias) = &arguments.alias {
            catalog.check(alias, &model, arguments.force).await?;
        }
        let published = catalog.publish(document).await?;
        let mut text = format!(
            "Published {}@{} to {}\nsha256 {}\n",
            published.name, published.version, published.location, published.sha256
        );
        if let Some(alias) = &arguments.alias {
            let who = arguments.release.who();
            let change = catalog.promote(&published.name, &published.version, alias, &who).await?;
            text.push_str(&changed(&published.name, alias, &change));
        }
        Ok(text)
    })
}

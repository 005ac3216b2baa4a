//! `ordinate publish`: a model becomes the next version in a catalog.

use std::error::Error;

use clap::Args;
use ordinate::source::catalog::CatalogError;
use ordinate_model::Model;
use ordinate_model::identity::ModelName;
use ordinate_releases::{ReleaseCatalog, ReleaseError, breaking_changes};

use super::catalog::{CatalogArgument, ReleaseArguments, changed, name, wait};
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
    #[arg(long, value_name = "ALIAS", value_parser = name)]
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
        if let Some(alias) = arguments.alias.as_ref().filter(|_| !arguments.force) {
            check(&catalog, alias, &model).await?;
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

/// Checks that requests for the version of an alias do not break.
async fn check(catalog: &ReleaseCatalog, alias: &ModelName, model: &Model) -> Result<(), ReleaseError> {
    let name = &model.document().name;
    let present = match catalog.history(name, alias).await {
        Ok(file) => file.version,
        Err(ReleaseError::Catalog(CatalogError::UnknownAlias { .. } | CatalogError::UnknownModel { .. })) => {
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let (live, _) = catalog.load(name, &present).await?;
    let changes = breaking_changes(&live, model);
    if changes.is_empty() {
        return Ok(());
    }
    let listed: Vec<String> = changes.iter().map(ToString::to_string).collect();
    Err(ReleaseError::Breaking(format!(
        "requests for {name}@{alias} (version {present}) would break:\n- {}\nhelp: publish it without --alias, or \
         with --force",
        listed.join("\n- ")
    )))
}

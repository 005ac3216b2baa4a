//! `ordinate promote`: an alias points to another version.

use std::error::Error;

use clap::Args;
use ordinate_model::identity::{ModelName, Version};
use ordinate_releases::{Approval, ReleaseError};

use super::catalog::{
    CatalogArgument, ReleaseArguments, alias, changed, name, print_release, version, wait_for, with_force,
};

/// Make an alias of a model point to a version
///
/// Servers use the alias `live` for requests that name no version. The version must exist and is verified first. It
/// is refused if requests for the present version would break; --force does it all the same. The version of the alias
/// `shadow`, with which servers compare, is checked against the live one.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ordinate promote price 4 models/
  ordinate promote price 4 s3://bucket/models/ --alias shadow --message 'compare with 3'")]
pub(super) struct Arguments {
    /// Name of the model
    #[arg(value_name = "NAME", value_parser = name)]
    name: ModelName,
    /// Version that the alias points to from then on
    #[arg(value_name = "VERSION", value_parser = version)]
    version: Version,
    #[command(flatten)]
    catalog: CatalogArgument,
    /// Alias to change
    #[arg(long, value_name = "ALIAS", value_parser = alias, default_value = "live")]
    alias: ModelName,
    /// Change the alias although requests for its present version would break, or although its file is damaged
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    release: ReleaseArguments,
}

/// Changes the alias, and prints the change.
pub(super) fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let Arguments { name, version, alias, force, .. } = arguments;
    let catalog = arguments.catalog.open()?;
    let outcome = wait_for(async {
        let who = arguments.release.who()?;
        let (model, _) = catalog.load(name, version).await?;
        let approval = if *force { Approval::Forced } else { catalog.check(alias, &model).await? };
        let change = catalog.promote(&model, alias, &who, approval).await?;
        print_release(&catalog, name, alias, &change, &changed(name, alias, &change)).await;
        Ok::<_, ReleaseError>(())
    })?;
    Ok(outcome.map_err(|error| with_force(&error))?)
}

//! `ordinate rollback`: an alias points to the version before again.

use std::error::Error;

use clap::Args;
use ordinate_model::identity::ModelName;

use super::catalog::{CatalogArgument, ReleaseArguments, alias, changed, name, wait};

/// Make an alias of a model point to the version before its present one
///
/// Each rollback goes one release further back; releases that were rolled back do not count.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ordinate rollback price models/
  ordinate rollback price s3://bucket/models/ --message 'too many warnings'")]
pub(super) struct Arguments {
    /// Name of the model
    #[arg(value_name = "NAME", value_parser = name)]
    name: ModelName,
    #[command(flatten)]
    catalog: CatalogArgument,
    /// Alias to change
    #[arg(long, value_name = "ALIAS", value_parser = alias, default_value = "live")]
    alias: ModelName,
    #[command(flatten)]
    release: ReleaseArguments,
}

/// Changes the alias, and returns the change as text.
pub(super) fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let Arguments { name, alias, .. } = arguments;
    let (catalog, who) = (arguments.catalog.open()?, arguments.release.who());
    let change = wait(catalog.rollback(name, alias, &who))?;
    Ok(changed(name, alias, &change))
}

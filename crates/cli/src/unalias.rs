//! `ordinate unalias`: an alias is removed.

use std::error::Error;

use clap::Args;
use ordinate::source::catalog::layout;
use ordinate_model::identity::ModelName;

use super::catalog::{CatalogArgument, ReleaseArguments, advice, alias, name, wait_for};
use super::print_change;

/// Remove an alias of a model
///
/// Servers follow within their `MODEL_REFRESH_SECONDS`: without the alias `shadow`, they compare no longer; without the
/// alias `live`, a model is a draft, and requests that name no version of it are answered with 404, so this needs
/// --force. If it is their default model, `/predict` is answered with 404 and `/health/ready` with 503, until it is
/// promoted again. Versions stay. The history goes on when the alias is set again, and its last version is what the new
/// one is checked against; no rollback returns to that version until it is promoted again.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ordinate unalias price shadow models/
  ordinate unalias price live s3://bucket/models/ --force --message 'wrong data'")]
pub(super) struct Arguments {
    /// Name of the model
    #[arg(value_name = "NAME", value_parser = name)]
    name: ModelName,
    /// Alias to remove
    #[arg(value_name = "ALIAS", value_parser = alias)]
    alias: ModelName,
    #[command(flatten)]
    catalog: CatalogArgument,
    /// Remove the alias live, too
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    release: ReleaseArguments,
}

/// Removes the alias, and prints the version that it pointed to.
pub(super) fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let Arguments { name, alias, force, .. } = arguments;
    let (catalog, who) = (arguments.catalog.open()?, arguments.release.who()?);
    let outcome = wait_for(async {
        let removed = match catalog.history(name, alias).await {
            Ok(_) if *alias == layout::live() && !force => {
                let problem = "requests that name no version of it would fail, and servers whose default model it is \
                               would not be ready (/health/ready)";
                return Err(format!(
                    "{name}@{alias} was not removed: {problem}\nhelp: --force removes it all the same"
                ));
            }
            Ok(_) => catalog.remove_alias(name, alias, &who).await,
            Err(error) => Err(error),
        };
        match removed {
            Ok(version) => {
                print_change(&format!("Removed {name}@{alias}; it was version {version}.\n"));
                Ok(())
            }
            Err(error) => Err(advice(&error, &catalog, name, alias, Some(&arguments.release))),
        }
    })?;
    Ok(outcome?)
}

//! `ordinate rollback`: an alias points to the version before again.

use std::error::Error;

use clap::Args;
use ordinate_model::identity::Version;

use super::catalog::{AliasArguments, ReleaseArguments, advice, changed, version, wait_for};
use super::print_change;

/// Make an alias of a model point to the version before its present one
///
/// Each rollback goes further back in the history. A version that was rolled back, or withdrawn by the removal of the
/// alias, is skipped until it is promoted again, so that no rollback returns to it. The version is verified first; if
/// it is damaged, the error has the command that returns to the last good one before it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ordinate rollback price models/
  ordinate rollback price s3://bucket/models/ --message 'too many warnings'
  ordinate rollback price models/ --to 3")]
pub(super) struct Arguments {
    #[command(flatten)]
    alias: AliasArguments,
    /// Version to return to: one that was live before and was not rolled back or withdrawn since
    ///
    /// All releases after it count as rolled back.
    #[arg(long, value_name = "VERSION", value_parser = version)]
    to: Option<Version>,
    #[command(flatten)]
    release: ReleaseArguments,
}

/// Changes the alias, and prints the change.
pub(super) fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let AliasArguments { name, catalog, alias } = &arguments.alias;
    let (catalog, who) = (catalog.open()?, arguments.release.who()?);
    let outcome = wait_for(async {
        match catalog.rollback(name, alias, arguments.to.as_ref(), &who).await {
            Ok(change) => {
                print_change(&changed(name, alias, &change));
                Ok(())
            }
            Err(error) => Err(advice(&error, &catalog, name, alias, Some(&arguments.release))),
        }
    })?;
    Ok(outcome?)
}

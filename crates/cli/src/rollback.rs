//! `ordinate rollback`: an alias points to the version before again.

use std::error::Error;

use clap::Args;

use super::catalog::{AliasArguments, ReleaseArguments, changed, wait};

/// Make an alias of a model point to the version before its present one
///
/// Each rollback goes one release further back; releases that were rolled back do not count.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ordinate rollback price models/
  ordinate rollback price s3://bucket/models/ --message 'too many warnings'")]
pub(super) struct Arguments {
    #[command(flatten)]
    alias: AliasArguments,
    #[command(flatten)]
    release: ReleaseArguments,
}

/// Changes the alias, and returns the change as text.
pub(super) fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let AliasArguments { name, catalog, alias } = &arguments.alias;
    let (catalog, who) = (catalog.open()?, arguments.release.who());
    let change = wait(catalog.rollback(name, alias, &who))?;
    Ok(changed(name, alias, &change))
}

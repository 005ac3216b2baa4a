//! `ordinate rollback`: an alias points to the version before again.

use std::error::Error;

use clap::Args;
use ordinate_releases::ReleaseError;
use ordinate_table::shell_word;

use super::catalog::{AliasArguments, ReleaseArguments, changed, message, wait_for};
use super::curl::program;

/// Make an alias of a model point to the version before its present one
///
/// Each rollback goes one release further back; releases that were rolled back do not count. The version is verified
/// first; if it is damaged, the error has the command that makes the last good one before it live.
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
    match wait_for(catalog.rollback(name, alias, &who))? {
        Ok(change) => Ok(changed(name, alias, &change)),
        Err(error) => {
            let help = match &error {
                ReleaseError::DamagedBefore { instead: Some(version), .. } => {
                    let place = shell_word(&catalog.describe());
                    format!("\nhelp: {} promote {name} {version} {place} --alias {alias} --force", program())
                }
                ReleaseError::DamagedBefore { instead: None, .. } => {
                    "\nhelp: no version before it is valid; publish one with --alias and --force".to_owned()
                }
                _ => String::new(),
            };
            Err((message(&error) + &help).into())
        }
    }
}

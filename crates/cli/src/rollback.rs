//! `ordinate rollback`: an alias points to the version before again.

use std::error::Error;

use clap::Args;
use ordinate_model::identity::Version;
use ordinate_releases::ReleaseError;
use ordinate_table::shell_word;

use super::catalog::{AliasArguments, ReleaseArguments, changed, message, version, wait_for};
use super::curl::program;

/// Make an alias of a model point to the version before its present one
///
/// Each rollback goes further back in the history. A version that was rolled back is skipped until it is promoted again,
/// so that no rollback returns to it. The version is verified first; if it is damaged, the error has the command that
/// returns to the last good one before it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ordinate rollback price models/
  ordinate rollback price s3://bucket/models/ --message 'too many warnings'
  ordinate rollback price models/ --to 3")]
pub(super) struct Arguments {
    #[command(flatten)]
    alias: AliasArguments,
    /// Version to return to, which was live before; all releases after it count as rolled back
    #[arg(long, value_name = "VERSION", value_parser = version)]
    to: Option<Version>,
    #[command(flatten)]
    release: ReleaseArguments,
}

/// Changes the alias, and returns the change as text.
pub(super) fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let AliasArguments { name, catalog, alias } = &arguments.alias;
    let (catalog, who) = (catalog.open()?, arguments.release.who());
    match wait_for(catalog.rollback(name, alias, arguments.to.as_ref(), &who))? {
        Ok(change) => Ok(changed(name, alias, &change)),
        Err(error) => {
            let (program, place) = (program(), shell_word(&catalog.describe()));
            let help = match &error {
                ReleaseError::DamagedBefore { instead: Some(version), .. } => {
                    format!("\nhelp: {program} rollback {name} {place} --alias {alias} --to {version}")
                }
                ReleaseError::DamagedBefore { instead: None, .. } => {
                    "\nhelp: no version before it is valid; publish one with --alias and --force".to_owned()
                }
                ReleaseError::NotBefore { version, .. } => {
                    format!("\nhelp: {program} promote {name} {version} {place} --alias {alias}")
                }
                _ => String::new(),
            };
            Err((message(&error) + &help).into())
        }
    }
}

//! `ordinate history`: which version an alias pointed to, and when.

use std::error::Error;

use clap::Args;
use ordinate::source::catalog::alias_file::{AliasFile, Release};
use ordinate_model::identity::Version;
use ordinate_train::text_table::{Align, TextTable};
use serde::Serialize;

use super::catalog::{AliasArguments, wait};

/// Show which version of a model was live when
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ordinate history price models/
  ordinate history price s3://bucket/models/ --alias shadow --json")]
pub(super) struct Arguments {
    #[command(flatten)]
    alias: AliasArguments,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// A version, and the time for which the alias pointed to it.
#[derive(Serialize)]
struct Period<'a> {
    version: &'a str,
    from: &'a str,
    /// `None` for the present version.
    to: Option<&'a str>,
    by: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rolled_back: Option<&'a str>,
}

#[derive(Serialize)]
struct History<'a> {
    name: &'a str,
    alias: &'a str,
    /// The latest first.
    releases: Vec<Period<'a>>,
}

/// Returns the history as text or JSON.
pub(super) fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let AliasArguments { name, catalog, alias } = &arguments.alias;
    let catalog = catalog.open()?;
    let file = wait(catalog.history(name, alias))?;
    let releases = periods(&file);
    if arguments.json {
        let history = History { name: name.as_str(), alias: alias.as_str(), releases };
        return Ok(serde_json::to_string(&history)? + "\n");
    }
    let titles = ["version", "from", "to", "by", "message"].map(|title| (title, Align::Left));
    let mut table = TextTable::new(titles);
    for Period { version, from, to, by, message, rolled_back } in releases {
        let message = match rolled_back {
            Some(version) if message.is_empty() => format!("rollback of {version}"),
            Some(version) => format!("rollback of {version}: {message}"),
            None => message.to_owned(),
        };
        table.push([version, from, to.unwrap_or("now"), by].map(str::to_owned).into_iter().chain([message]));
    }
    Ok(format!("{name}@{alias}\n{table}"))
}

fn periods(file: &AliasFile) -> Vec<Period<'_>> {
    let ends = file.releases().skip(1).map(|next| Some(next.at.as_str())).chain([None]);
    let mut periods: Vec<_> = file.releases().zip(ends).map(|(release, to)| Period::new(release, to)).collect();
    periods.reverse();
    periods
}

impl<'a> Period<'a> {
    fn new(release: &'a Release, to: Option<&'a str>) -> Self {
        Self {
            version: release.version.as_str(),
            from: &release.at,
            to,
            by: &release.by,
            message: &release.message,
            rolled_back: release.rolled_back.as_ref().map(Version::as_str),
        }
    }
}

//! `ordinate history`: which version an alias pointed to, and when.

use std::error::Error;

use clap::Args;
use ordinate::source::catalog::alias_file::{AliasFile, Release, Removal};
use ordinate_model::identity::Version;
use ordinate_train::text_table::{Align, TextTable};
use serde::Serialize;

use super::catalog::{AliasArguments, advice, wait_for};

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
    /// The removal of the alias, which ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    removed: Option<&'a Removal>,
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
    let outcome = wait_for(async {
        match catalog.past(name, alias).await {
            Ok(file) => Ok(file),
            Err(error) => Err(advice(&error, &catalog, name, alias, None)),
        }
    })?;
    let file = outcome?;
    let releases = periods(&file);
    if arguments.json {
        let history = History { name: name.as_str(), alias: alias.as_str(), releases };
        return Ok(serde_json::to_string(&history)? + "\n");
    }
    let titles = ["version", "from", "to", "by", "message"].map(|title| (title, Align::Left));
    let mut table = TextTable::new(titles);
    for period in releases {
        let remarks = period.remarks();
        let Period { version, from, to, by, .. } = period;
        table.push([version, from, to.unwrap_or("now"), by].map(str::to_owned).into_iter().chain([remarks]));
    }
    let removed = if file.is_removed() { " (removed)" } else { "" };
    Ok(format!("{name}@{alias}{removed}\n{table}"))
}

fn periods(file: &AliasFile) -> Vec<Period<'_>> {
    let ends = file.releases().skip(1).map(|next| Some(next.at.as_str())).chain([None]);
    let mut periods: Vec<_> = file.releases().zip(ends).map(|(release, to)| Period::new(release, to)).collect();
    periods.reverse();
    periods
}

impl<'a> Period<'a> {
    /// `next` is the time of the next release.
    fn new(release: &'a Release, next: Option<&'a str>) -> Self {
        let removed = release.removed.as_ref();
        Self {
            version: release.version.as_str(),
            from: &release.at,
            to: removed.map(|removal| removal.at.as_str()).or(next),
            by: &release.by,
            message: &release.message,
            rolled_back: release.rolled_back.as_ref().map(Version::as_str),
            removed,
        }
    }

    /// Its message, with those of a rollback and a removal.
    fn remarks(&self) -> String {
        let with = |what: String, message: &str| if message.is_empty() { what } else { format!("{what}: {message}") };
        let release = match self.rolled_back {
            Some(version) => with(format!("rollback of {version}"), self.message),
            None => self.message.to_owned(),
        };
        let removal = self.removed.map(|Removal { by, message, .. }| {
            with(if by.is_empty() { "removed".to_owned() } else { format!("removed by {by}") }, message)
        });
        [Some(release), removal].into_iter().flatten().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; ")
    }
}

//! `ordinate models`: the models of a catalog with their versions and aliases.

use std::error::Error;

use clap::Args;
use indexmap::IndexMap;
use ordinate_model::identity::{ModelName, Version};
use ordinate_releases::ReleaseCatalog;
use ordinate_releases::ReleaseError;
use ordinate_train::evaluate::title;
use ordinate_train::text_table::{Align, TextTable};
use serde::Serialize;

use super::catalog::{CatalogArgument, message, wait};
use super::print_error;
use super::train::significant;

/// Show the models of a catalog: versions, aliases, metrics, age, size
///
/// The metrics are those of held-out rows, or of the training rows if no rows were held out.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ordinate models models/
  ordinate models s3://bucket/models/ --json")]
pub(super) struct Arguments {
    #[command(flatten)]
    catalog: CatalogArgument,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// A version of a model.
#[derive(Serialize)]
struct Entry {
    name: String,
    version: String,
    aliases: Vec<String>,
    created: String,
    /// The size of the file in bytes.
    bytes: usize,
    metrics: IndexMap<String, f64>,
    sha256: String,
}

#[derive(Serialize)]
struct Entries {
    models: Vec<Entry>,
    /// Files that are damaged or missing.
    problems: Vec<String>,
}

/// Returns the models as text or JSON.
pub(super) fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let catalog = arguments.catalog.open()?;
    let entries = wait(entries(&catalog))?;
    if arguments.json {
        return Ok(serde_json::to_string(&entries)? + "\n");
    }
    let Entries { models, problems } = entries;
    for problem in problems {
        print_error(&format!("warning: {problem}\n"));
    }
    if models.is_empty() {
        return Ok(format!("{} has no models.\n", catalog.describe()));
    }
    let titles = ["name", "version", "aliases", "created", "size", "metric"].map(|title| (title, Align::Left));
    let mut table = TextTable::new(titles);
    for Entry { name, version, aliases, created, bytes, metrics, .. } in models {
        let metric = metrics.first().map(|(name, value)| format!("{} {}", title(name), significant(*value)));
        let size = format!("{} kB", bytes.div_ceil(1000));
        table.push([name, version, aliases.join(", "), created, size, metric.unwrap_or_default()]);
    }
    Ok(table.to_string())
}

/// All versions; a file that cannot be read does not hide the others.
async fn entries(catalog: &ReleaseCatalog) -> Result<Entries, ReleaseError> {
    let (mut models, mut problems) = (Vec::new(), Vec::new());
    for name in catalog.names().await? {
        let releases = match catalog.releases(&name).await {
            Ok(releases) => releases,
            Err(error) => {
                problems.push(format!("{name}: {}", message(&error)));
                continue;
            }
        };
        for (alias, version) in releases.aliases.iter().filter(|(_, to)| !releases.versions.contains(to)) {
            problems.push(format!("{name}@{alias} is version {version}, which does not exist"));
        }
        for version in releases.versions.iter().rev() {
            let aliases = releases.aliases.iter().filter(|(_, to)| *to == version).map(|(alias, _)| alias.clone());
            match entry(catalog, &name, version, aliases.collect()).await {
                Ok(entry) => models.push(entry),
                Err(error) => problems.push(message(&error)),
            }
        }
    }
    Ok(Entries { models, problems })
}

async fn entry(
    catalog: &ReleaseCatalog,
    name: &ModelName,
    version: &Version,
    aliases: Vec<String>,
) -> Result<Entry, ReleaseError> {
    let (model, bytes) = catalog.load(name, version).await?;
    let document = model.document();
    let sets = &document.training.metrics;
    let metrics = sets.get("test").or_else(|| sets.get("train")).cloned().unwrap_or_default();
    Ok(Entry {
        name: name.to_string(),
        version: version.to_string(),
        aliases,
        created: document.created.clone(),
        bytes: bytes.len(),
        metrics,
        sha256: model.checksum().to_owned(),
    })
}

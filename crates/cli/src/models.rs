//! `ordinate models`: the models of a catalog with their versions and aliases.

use std::error::Error;

use clap::Args;
use indexmap::IndexMap;
use ordinate_model::identity::{ModelName, Version};
use ordinate_model::wording::counted;
use ordinate_releases::{Listed, ReleaseCatalog, ReleaseError};
use ordinate_train::evaluate::title;
use ordinate_train::text_table::{Align, TextTable};
use serde::Serialize;

use super::catalog::{CatalogArgument, message, wait};
use super::train::significant;
use super::{print, print_error};

/// Show the models of a catalog: versions, aliases, metrics, age, size
///
/// The metrics are those of held-out rows, or of the training rows if no rows were held out. The exit code is 1 if a file
/// of the catalog is damaged or missing.
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
    /// `None` for an alias whose file is damaged.
    version: Option<String>,
    aliases: Vec<String>,
    /// `None` for a damaged file.
    #[serde(flatten)]
    file: Option<ModelFacts>,
}

/// Facts of a model file.
#[derive(Serialize)]
struct ModelFacts {
    created: String,
    /// The size of the file in bytes.
    bytes: usize,
    metrics: IndexMap<String, f64>,
    sha256: String,
}

#[derive(Default, Serialize)]
struct Entries {
    models: Vec<Entry>,
    /// Files that are damaged or missing, and folders that are no models.
    problems: Vec<String>,
    /// The number of files that are damaged or missing.
    #[serde(skip)]
    damaged: usize,
}

/// Returns the models as text or JSON.
pub(super) fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let catalog = arguments.catalog.open()?;
    let entries = wait(entries(&catalog))?;
    let damaged = entries.damaged;
    let text = if arguments.json { serde_json::to_string(&entries)? + "\n" } else { entries.text(&catalog) };
    match damaged {
        0 => Ok(text),
        count => {
            print(&text);
            let files = counted(count, "file is damaged or missing", "files are damaged or missing");
            Err(format!("{}: {files}", catalog.describe()).into())
        }
    }
}

impl Entries {
    /// A table. Problems become warnings.
    fn text(self, catalog: &ReleaseCatalog) -> String {
        for problem in self.problems {
            print_error(&format!("warning: {problem}\n"));
        }
        if self.models.is_empty() {
            return format!("{} has no models.\n", catalog.describe());
        }
        let titles = ["name", "version", "aliases", "created", "size", "metric"].map(|title| (title, Align::Left));
        let mut table = TextTable::new(titles);
        for Entry { name, version, aliases, file } in self.models {
            let [created, size, metric] = match file {
                None => ["damaged".to_owned(), String::new(), String::new()],
                Some(ModelFacts { created, bytes, metrics, .. }) => {
                    let metric =
                        metrics.first().map(|(name, value)| format!("{} {}", title(name), significant(*value)));
                    [created, format!("{} kB", bytes.div_ceil(1000)), metric.unwrap_or_default()]
                }
            };
            table.push([name, version.unwrap_or_default(), aliases.join(", "), created, size, metric]);
        }
        table.to_string()
    }

    fn push_damage(&mut self, problem: String) {
        self.damaged += 1;
        self.problems.push(problem);
    }
}

/// All versions; a file that cannot be read does not hide the others.
async fn entries(catalog: &ReleaseCatalog) -> Result<Entries, ReleaseError> {
    let mut entries = Entries::default();
    for name in catalog.names().await? {
        let Listed { versions, aliases } = match catalog.listed(&name).await {
            Ok(listed) => listed,
            // A folder without a version is no model.
            Err(error) => {
                entries.problems.push(format!("{name}: {}", message(&error)));
                continue;
            }
        };
        let mut pointers = Vec::new();
        for (alias, version) in aliases {
            match version {
                Ok(version) => pointers.push((alias.to_string(), version)),
                Err(error) => {
                    let (name, alias) = (name.to_string(), alias.to_string());
                    entries.push_damage(format!("{name}@{alias}: {}", message(&error)));
                    entries.models.push(Entry { name, version: None, aliases: vec![alias], file: None });
                }
            }
        }
        for (alias, version) in pointers.iter().filter(|(_, to)| !versions.contains(to)) {
            entries.push_damage(format!("{name}@{alias} is version {version}, which does not exist"));
        }
        for version in versions.iter().rev() {
            let aliases = pointers.iter().filter(|(_, to)| to == version).map(|(alias, _)| alias.clone()).collect();
            let file = match facts(catalog, &name, version).await {
                Ok(facts) => Some(facts),
                Err(error) => {
                    entries.push_damage(message(&error));
                    None
                }
            };
            entries.models.push(Entry { name: name.to_string(), version: Some(version.to_string()), aliases, file });
        }
    }
    Ok(entries)
}

async fn facts(catalog: &ReleaseCatalog, name: &ModelName, version: &Version) -> Result<ModelFacts, ReleaseError> {
    let (model, bytes) = catalog.load(name, version).await?;
    let document = model.document();
    let sets = &document.training.metrics;
    let metrics = sets.get("test").or_else(|| sets.get("train")).cloned().unwrap_or_default();
    let (created, sha256) = (document.created.clone(), model.checksum().to_owned());
    Ok(ModelFacts { created, bytes: bytes.len(), metrics, sha256 })
}

//! `ordinate models`: the models of a catalog with their versions and aliases.

use std::error::Error;

use clap::Args;
use indexmap::IndexMap;
use ordinate::source::catalog::CatalogError;
use ordinate_model::identity::{ModelName, Version};
use ordinate_model::wording::counted;
use ordinate_releases::{Listed, ReleaseCatalog, ReleaseError};
use ordinate_train::evaluate::title;
use ordinate_train::text_table::{Align, TextTable};
use serde::Serialize;

use super::catalog::{CatalogArgument, message, name, wait};
use super::train::significant;
use super::{print, print_error};

/// Show the models of a catalog: versions, aliases, metrics, age, size
///
/// The metrics are those of held-out rows, or of the training rows if no rows were held out. The exit code is 1 if a file
/// of the catalog is damaged or missing, or cannot be read.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ordinate models models/
  ordinate models models/ price
  ordinate models s3://bucket/models/ --json")]
pub(super) struct Arguments {
    #[command(flatten)]
    catalog: CatalogArgument,
    /// Model to show [default: all models]
    #[arg(value_name = "NAME", value_parser = name)]
    name: Option<ModelName>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// A version of a model.
#[derive(Serialize)]
struct Entry {
    name: String,
    /// `None` for an alias or a list of versions that could not be read.
    version: Option<String>,
    aliases: Vec<String>,
    /// `None` for a file that is damaged or could not be read.
    #[serde(flatten)]
    file: Option<ModelFacts>,
    /// Why it could not be read, although it may be valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Entry {
    /// The entry of an alias, or of a list, that could not be read.
    fn without_version(name: &ModelName, alias: Option<ModelName>, error: Option<String>) -> Self {
        let aliases = alias.into_iter().map(String::from).collect();
        Self { name: name.to_string(), version: None, aliases, file: None, error }
    }
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
    /// Files that are damaged or missing or could not be read, and folders that are no models.
    problems: Vec<String>,
    /// The number of files that are damaged or missing.
    #[serde(skip)]
    damaged: usize,
    /// The number of files and lists that could not be read.
    #[serde(skip)]
    unread: usize,
}

/// Returns the models as text or JSON.
pub(super) fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let catalog = arguments.catalog.open()?;
    let entries = wait(entries(&catalog, arguments.name.as_ref()))?;
    let failure = entries.failure();
    let text = if arguments.json { serde_json::to_string(&entries)? + "\n" } else { entries.text(&catalog) };
    match failure {
        None => Ok(text),
        Some(failure) => {
            print(&text);
            Err(format!("{}: {failure}", catalog.describe()).into())
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
        for Entry { name, version, aliases, file, error } in self.models {
            let [created, size, metric] = match file {
                None => {
                    let what = if error.is_some() { "error" } else { "damaged" };
                    [what.to_owned(), String::new(), String::new()]
                }
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

    /// Counts a problem. Returns its text if the file may be valid all the same.
    fn push_problem(&mut self, problem: String, error: &ReleaseError) -> Option<String> {
        self.problems.push(problem.clone());
        if error.is_damage() {
            self.damaged += 1;
            return None;
        }
        self.unread += 1;
        Some(problem)
    }

    /// The numbers of files with problems, as text.
    fn failure(&self) -> Option<String> {
        let counts = [
            (self.damaged, "file is damaged or missing", "files are damaged or missing"),
            (self.unread, "file or list could not be read", "files or lists could not be read"),
        ];
        let found = counts.iter().filter(|(count, ..)| *count > 0).map(|(count, one, more)| counted(*count, one, more));
        Some(found.collect::<Vec<_>>().join(", ")).filter(|text| !text.is_empty())
    }

    /// Adds the versions and aliases of a model; a file that cannot be read does not hide the others.
    async fn push_model(&mut self, catalog: &ReleaseCatalog, name: &ModelName, listed: Listed) {
        let Listed { versions, aliases, problems } = listed;
        let mut pointers = Vec::new();
        for error in problems {
            let error = self.push_problem(format!("{name}: {}", message(&error)), &error);
            self.models.push(Entry::without_version(name, None, error));
        }
        for (alias, version) in aliases {
            match version {
                Ok(version) => pointers.push((alias.to_string(), version)),
                Err(error) => {
                    let problem = format!("{name}@{alias}: {}", message(&error));
                    let error = self.push_problem(problem, &error);
                    self.models.push(Entry::without_version(name, Some(alias), error));
                }
            }
        }
        for (alias, version) in pointers.iter().filter(|(_, to)| !versions.contains(to)) {
            self.damaged += 1;
            self.problems.push(format!("{name}@{alias} is version {version}, which does not exist"));
        }
        for version in versions.iter().rev() {
            let aliases = pointers.iter().filter(|(_, to)| to == version).map(|(alias, _)| alias.clone()).collect();
            let (file, error) = match facts(catalog, name, version).await {
                Ok(facts) => (Some(facts), None),
                Err(error) => (None, self.push_problem(message(&error), &error)),
            };
            let (name, version) = (name.to_string(), Some(version.to_string()));
            self.models.push(Entry { name, version, aliases, file, error });
        }
    }
}

/// All models, or the one with this name.
async fn entries(catalog: &ReleaseCatalog, only: Option<&ModelName>) -> Result<Entries, ReleaseError> {
    let mut entries = Entries::default();
    if let Some(name) = only {
        let listed = catalog.listed(name).await?;
        entries.push_model(catalog, name, listed).await;
        return Ok(entries);
    }
    for name in catalog.names().await? {
        match catalog.listed(&name).await {
            Ok(listed) => entries.push_model(catalog, &name, listed).await,
            Err(ReleaseError::Catalog(CatalogError::UnknownModel { .. })) => {
                entries.problems.push(format!("{name}: the folder has no version, so it is not a model"));
            }
            Err(error) => {
                let error = entries.push_problem(format!("{name}: {}", message(&error)), &error);
                entries.models.push(Entry::without_version(&name, None, error));
            }
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

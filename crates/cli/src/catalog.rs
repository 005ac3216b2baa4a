//! The CATALOG argument, and what the commands for releases have in common.

use std::env;
use std::error::Error;
use std::fmt::Write as _;

use clap::Args;
use ordinate::config::Environment;
use ordinate::source::catalog::{CatalogError, layout};
use ordinate::source::{Causes, ModelUri};
use ordinate_model::Model;
use ordinate_model::identity::{ModelName, Version};
use ordinate_releases::{Approval, Change, ReleaseCatalog, ReleaseError, Who};
use ordinate_table::shell_word;

use super::curl::program;
use super::{print_change, print_error};

/// The catalog of a command.
#[derive(Debug, Args)]
pub(super) struct CatalogArgument {
    /// Catalog of models: a folder such as models/, or `s3://bucket/prefix/` [default: `$MODEL_URI`]
    #[arg(value_name = "CATALOG")]
    catalog: Option<String>,
}

impl CatalogArgument {
    /// Opens the catalog.
    ///
    /// # Errors
    /// A message for the user.
    pub(super) fn open(&self) -> Result<ReleaseCatalog, String> {
        open(&self.place()?)
    }

    /// Opens the catalog, or makes an empty one.
    ///
    /// # Errors
    /// A message for the user.
    pub(super) fn create(&self) -> Result<ReleaseCatalog, String> {
        create(&self.place()?)
    }

    fn place(&self) -> Result<String, String> {
        let missing = || "no catalog\nhelp: name it as the last argument, or set MODEL_URI".to_owned();
        self.catalog.clone().or_else(|| variable("MODEL_URI")).ok_or_else(missing)
    }
}

/// Opens the catalog at this place.
///
/// # Errors
/// A message for the user.
pub(super) fn open(place: &str) -> Result<ReleaseCatalog, String> {
    let settings = Environment(|name: &str| env::var(name).ok()).s3();
    let catalog = ReleaseCatalog::open(place, settings).map_err(|error| message(&error))?;
    Ok(catalog.with_notes(|note| print_error(&format!("note: {note}\n"))))
}

/// Opens the catalog at this place, or makes an empty one.
///
/// # Errors
/// A message for the user.
pub(super) fn create(place: &str) -> Result<ReleaseCatalog, String> {
    open(place)?.create().map_err(|error| message(&error))
}

/// Whether an argument names a catalog, or an address that should be one, and not a file.
pub(super) fn is_catalog(place: &str) -> bool {
    place.ends_with('/') || place.contains("://") || ModelUri::locate(place).is_ok_and(|uri| uri.is_catalog())
}

/// A model and an alias of it.
#[derive(Debug, Args)]
pub(super) struct AliasArguments {
    /// Name of the model
    #[arg(value_name = "NAME", value_parser = name)]
    pub(super) name: ModelName,
    #[command(flatten)]
    pub(super) catalog: CatalogArgument,
    /// Alias of the model
    #[arg(long, value_name = "ALIAS", value_parser = alias, default_value = "live")]
    pub(super) alias: ModelName,
}

/// Whether an alias points to a new version.
#[derive(Debug, Args)]
pub(super) struct GoLiveArguments {
    /// Alias that points to the new version from then on, such as live
    #[arg(long, value_name = "ALIAS", value_parser = alias)]
    alias: Option<ModelName>,
    /// Change the alias although requests for its present version would break, or although its file is damaged
    #[arg(long, requires = "alias")]
    force: bool,
    #[command(flatten)]
    release: ReleaseArguments,
}

impl GoLiveArguments {
    /// Checks, before a model is written, that the alias can be changed to it; `None` without an alias.
    ///
    /// # Errors
    /// See [`ReleaseError`].
    pub(super) async fn check(
        &self,
        catalog: &ReleaseCatalog,
        model: &Model,
    ) -> Result<Option<GoLive<'_>>, ReleaseError> {
        let Some(alias) = &self.alias else { return Ok(None) };
        let who = self.release.who()?;
        let approval = if self.force { Approval::Forced } else { catalog.check(alias, model).await? };
        Ok(Some(GoLive { alias, approval, who }))
    }

    /// Changes the alias, if there is one, to a model that was published, which is described by `published`, and prints
    /// both.
    ///
    /// # Errors
    /// [`ReleaseError::NotPromoted`].
    pub(super) async fn promote(
        &self,
        catalog: &ReleaseCatalog,
        model: &Model,
        go_live: Option<GoLive<'_>>,
        published: String,
    ) -> Result<(), ReleaseError> {
        let Some(GoLive { alias, approval, who }) = go_live else {
            print_change(&published);
            return Ok(());
        };
        match catalog.promote(model, alias, &who, approval).await {
            Ok(change) => {
                let name = &model.document().name;
                let text = published + &changed(name, alias, &change);
                print_release(catalog, name, alias, &change, &text).await;
                Ok(())
            }
            Err(error) => {
                let (name, version, catalog) = (model.name(), model.version(), catalog.describe());
                let force = if self.force || error.needs_force() { " --force" } else { "" };
                let (place, release) = (shell_word(&catalog), self.release.words());
                Err(ReleaseError::NotPromoted {
                    published: format!("{name}@{version} was published to {catalog}"),
                    alias: format!("{name}@{alias}"),
                    cause: Box::new(error),
                    help: format!("{} promote {name} {version} {place} --alias {alias}{force}{release}", program()),
                })
            }
        }
    }
}

/// A change of an alias that was checked.
pub(super) struct GoLive<'a> {
    alias: &'a ModelName,
    approval: Approval,
    who: Who,
}

/// Prints the text about the change of an alias, and then the warning about it, for which other models are listed.
pub(super) async fn print_release(
    catalog: &ReleaseCatalog,
    name: &ModelName,
    alias: &ModelName,
    change: &Change,
    text: &str,
) {
    print_change(text);
    if change.from.is_none() && *alias == layout::live() {
        // The alias is changed, whatever can be listed.
        let other = catalog.former_default(name).await.ok().flatten();
        print_error(&other.map_or_else(String::new, |other| second_model_warning(name, &other)));
    }
}

/// The warning that requests that name no model need a default model from now on.
fn second_model_warning(name: &ModelName, other: &ModelName) -> String {
    format!(
        "warning: {name} is the second released model of the catalog, so requests that name no model, such as \
         POST /predict, fail in servers that start from now on\n\
         help: set their DEFAULT_MODEL, such as DEFAULT_MODEL={other}\n"
    )
}

/// The entry of a release or a removal in the history.
#[derive(Debug, Args)]
pub(super) struct ReleaseArguments {
    /// Reason, for the history: at most 2,000 bytes
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    message: String,
    /// Name of the person or program, for the history [default: the name of the user]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

impl ReleaseArguments {
    /// The person or program that releases, and the reason.
    ///
    /// # Errors
    /// [`ReleaseError::LongText`].
    pub(super) fn who(&self) -> Result<Who, ReleaseError> {
        // Containers and scheduled jobs often have no USER, but a user.
        let user = || variable("USER").or_else(|| variable("LOGNAME")).or_else(|| whoami::username().ok());
        let by = match &self.by {
            Some(by) => by.clone(),
            None => user().map(|user| within(&user, Who::MAX_BY)).unwrap_or_default(),
        };
        Who::new(by, self.message.clone())
    }

    /// The options that were given, for an advised command.
    fn words(&self) -> String {
        let mut words = String::new();
        let message = Some(&self.message).filter(|message| !message.is_empty());
        for (option, value) in [("--message", message), ("--by", self.by.as_ref())] {
            if let Some(value) = value {
                // After a space, a value that begins like an option would be one.
                let separator = if value.starts_with('-') { '=' } else { ' ' };
                let _ = write!(words, " {option}{separator}{}", shell_word(value));
            }
        }
        words
    }
}

/// A text of at most this many bytes; a longer one is cut.
fn within(text: &str, most: usize) -> String {
    const CUT: &str = "…";
    if text.len() <= most {
        return text.to_owned();
    }
    let kept = text.floor_char_boundary(most.saturating_sub(CUT.len()));
    format!("{}{CUT}", text.get(..kept).unwrap_or_default())
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Parses the name of a model or alias.
///
/// # Errors
/// A message with the allowed characters.
pub(super) fn name(text: &str) -> Result<ModelName, String> {
    ModelName::try_from(text.to_owned())
}

/// Parses the name of an alias.
///
/// # Errors
/// A message with the allowed characters.
pub(super) fn alias(text: &str) -> Result<ModelName, String> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("expected a name such as live; a whole number is a version".to_owned());
    }
    name(text).map_err(|message| message.replace("a model name", "an alias"))
}

/// Parses a version.
///
/// # Errors
/// A message with the allowed values.
pub(super) fn version(text: &str) -> Result<Version, String> {
    Version::try_from(text.to_owned())
}

/// Runs an operation on a catalog to its end.
///
/// # Errors
/// A message for the user.
pub(super) fn wait<T>(work: impl Future<Output = Result<T, ReleaseError>>) -> Result<T, Box<dyn Error>> {
    Ok(wait_for(work)?.map_err(|error| message(&error))?)
}

/// Runs an operation on a catalog to its end, and returns its outcome.
///
/// # Errors
/// If it cannot be started.
pub(super) fn wait_for<T>(work: impl Future<Output = T>) -> std::io::Result<T> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work))
}

/// An error as a message for the user.
pub(super) fn message(error: &ReleaseError) -> String {
    match error {
        // The file can be that of an alias.
        ReleaseError::Catalog(CatalogError::Unavailable(cause)) => Causes(&**cause).to_string(),
        other => Causes(other).to_string(),
    }
}

/// Advice for a folder in the place of the file of an alias, or a file in that of its folder.
const IN_THE_WAY: &str = "\nhelp: move it out of the catalog; then the alias can be set again";

/// An error as a message for the user of a command with --force, with the advice for a damaged alias.
pub(super) fn with_force(error: &ReleaseError) -> String {
    let help = match error {
        ReleaseError::DamagedAlias { .. } if error.is_replaceable() => {
            "\nhelp: --force replaces the file of the alias; the history in it is lost"
        }
        ReleaseError::DamagedAlias { .. } => IN_THE_WAY,
        _ => "",
    };
    message(error) + help
}

/// An error about an alias as a message for the user, with a command that helps. A command that changes the alias has the
/// options of `release`.
pub(super) fn advice(
    error: &ReleaseError,
    catalog: &ReleaseCatalog,
    name: &ModelName,
    alias: &ModelName,
    release: Option<&ReleaseArguments>,
) -> String {
    let (program, place) = (program(), shell_word(&catalog.describe()));
    let release = release.map(ReleaseArguments::words).unwrap_or_default();
    let help = match error {
        // Which version it was is not known, and the latest one may be a draft.
        ReleaseError::DamagedAlias { .. } if error.is_replaceable() => format!(
            ". `promote --force` replaces the file; the history in it is lost. The versions are listed by\n\
             help: {program} models {place} {name}"
        ),
        ReleaseError::DamagedAlias { .. } => IN_THE_WAY.to_owned(),
        ReleaseError::DamagedBefore { instead: Some(version), .. } => {
            format!("\nhelp: {program} rollback {name} {place} --alias {alias} --to {version}{release}")
        }
        ReleaseError::DamagedBefore { instead: None, .. } => {
            format!("\nhelp: no version before it is valid; publish one with --alias {alias}")
        }
        ReleaseError::NotBefore { version, .. } => {
            format!("\nhelp: {program} promote {name} {version} {place} --alias {alias}{release}")
        }
        ReleaseError::NothingBefore { .. } => {
            format!(". Any other version can be promoted\nhelp: {program} models {place} {name}")
        }
        // The alias has another version now, or the one of the command does not exist or is damaged.
        ReleaseError::Changed { .. }
        | ReleaseError::Catalog(CatalogError::UnknownVersion { .. })
        | ReleaseError::Artifact { .. }
        | ReleaseError::Misplaced { .. } => format!("\nhelp: {program} history {name} {place} --alias {alias}"),
        _ => String::new(),
    };
    message(error) + &help
}

/// A change of an alias as a line of text.
pub(super) fn changed(name: &ModelName, alias: &ModelName, change: &Change) -> String {
    match &change.from {
        None => format!("{name}@{alias} is version {}.\n", change.to),
        Some(from) if *from == change.to => format!("{name}@{alias} was version {} already.\n", change.to),
        Some(from) => format!("{name}@{alias} is version {}; it was {from}.\n", change.to),
    }
}

//! The MODEL argument: a path, standard input or another pipe, a file or S3 address, or the name of a bundled model.

use std::env;
use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ordinate::config::Environment;
use ordinate::source::catalog::{Catalog, CatalogError, LoadError};
use ordinate::source::file::FileSource;
use ordinate::source::s3::S3Source;
use ordinate::source::{Causes, MAX_MODEL_BYTES, ModelUri, SourceError};
use ordinate_model::Model;

/// Short help of MODEL.
pub(super) const HELP: &str =
    "Model file, - for standard input, an address (file:///path.json or s3://bucket/key.json), or a bundled model";

/// Long help of MODEL.
pub(super) const LONG_HELP: &str = "Model file, - for standard input, an address (file:///path.json or \
s3://bucket/key.json), or a bundled model

Bundled models are line, diabetes, iris and breast-cancer (or bundled:line and so on). S3 uses the environment \
variables AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and AWS_ENDPOINT_URL_S3.";

/// The prefix of a bundled model's address.
const BUNDLED: &str = "bundled:";

/// Loads and verifies a model: format, checksum, golden rows.
///
/// # Errors
/// A message for the user.
pub(super) fn load(place: &str) -> Result<Arc<Model>, Box<dyn Error>> {
    if is_pipe(place) {
        return Ok(Arc::new(from_pipe(place).map_err(|error| with_advice(&error))?));
    }
    let catalog = find(place)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(load_from(&catalog))?)
}

/// Checks that standard input is not both the model and data.
///
/// # Errors
/// A message for the user.
pub(super) fn check_standard_input(place: &str, data: &[PathBuf]) -> Result<(), String> {
    if is_standard_input(place) && data.iter().filter_map(|path| path.to_str()).any(is_standard_input) {
        return Err(
            "standard input cannot be both the model and the data\nhelp: name a file for one of them".to_owned()
        );
    }
    Ok(())
}

fn is_standard_input(place: &str) -> bool {
    matches!(place, "-" | "/dev/stdin")
}

/// Whether the model can be read once only: standard input, or a pipe such as `<(command)` of a shell.
fn is_pipe(place: &str) -> bool {
    #[cfg(unix)]
    let is_named = fs::metadata(place).is_ok_and(|found| std::os::unix::fs::FileTypeExt::is_fifo(&found.file_type()));
    #[cfg(not(unix))]
    let is_named = false;
    is_standard_input(place) || is_named
}

/// Reads and verifies a model, without a time limit: the program that writes it may take long.
fn from_pipe(place: &str) -> Result<Model, LoadError> {
    let location = if is_standard_input(place) { "standard input" } else { place }.to_owned();
    let mut bytes = Vec::new();
    // One byte more than the limit, to detect that it is exceeded.
    let mut read = |input: &mut dyn Read| input.take(MAX_MODEL_BYTES + 1).read_to_end(&mut bytes);
    let outcome = if is_standard_input(place) {
        read(&mut io::stdin().lock())
    } else {
        File::open(place).and_then(|mut file| read(&mut file))
    };
    match outcome {
        Err(source) => Err(SourceError::Io { location, source }.into()),
        Ok(length) if length as u64 > MAX_MODEL_BYTES => {
            Err(SourceError::TooLarge { location, limit: MAX_MODEL_BYTES }.into())
        }
        Ok(_) => Model::from_json(&bytes).map_err(|source| LoadError::Artifact { location, source }),
    }
}

/// Loads and verifies the model of a catalog from [`find`].
///
/// # Errors
/// A message for the user.
pub(super) async fn load_from(catalog: &Catalog) -> Result<Arc<Model>, String> {
    catalog.default_model().await.map_err(|error| match error {
        CatalogError::Unavailable(cause) => with_advice(&cause),
        other => Causes(&other).to_string(),
    })
}

/// The causes of an error, with a line of help.
fn with_advice(error: &LoadError) -> String {
    let message = Causes(error).to_string();
    if message.contains("\nhelp: ") { message } else { message + &advice(error) }
}

fn advice(error: &LoadError) -> String {
    let advice = match error {
        // These errors include advice.
        LoadError::Source(
            SourceError::AccessDenied { .. } | SourceError::WrongRegion { .. } | SourceError::Misconfigured { .. },
        ) => "",
        LoadError::Source(error) if error.is_transient() => {
            "\nhelp: check the network and AWS_ENDPOINT_URL_S3, or try again"
        }
        LoadError::Timeout { .. } => "\nhelp: copy the model to a local file first",
        LoadError::ChecksumMismatch { found, .. } => {
            return format!("\nhelp: serve the model of that checksum, or set MODEL_SHA256={found}");
        }
        LoadError::NameMismatch { found, .. } => {
            return format!("\nhelp: serve the model of that name, or set DEFAULT_MODEL={found}");
        }
        _ => "\nhelp: use a model file written by `ordinate train --out`",
    };
    advice.to_owned()
}

/// A catalog of the model at a path, at an address or of a name. It is not loaded yet.
///
/// # Errors
/// A message for the user.
pub(super) fn find(place: &str) -> Result<Catalog, String> {
    let file = |path: &Path| Catalog::single(Box::new(FileSource::new(path)), None, None);
    if let Some(name) = place.strip_prefix(BUNDLED) {
        return Catalog::bundled(Some(name)).map_err(|error| format!("{place}: {error}"));
    }
    if place.contains("://") {
        return match place.parse::<ModelUri>().map_err(|error| error.to_string())? {
            ModelUri::File(path) => Ok(file(&path)),
            ModelUri::S3(location) => {
                let settings = Environment(|name: &str| env::var(name).ok()).s3();
                let source = S3Source::new(location, settings).map_err(|error| error.to_string())?;
                Ok(Catalog::single(Box::new(source), None, None))
            }
            // Only the empty text, which has no "://".
            ModelUri::Bundled => Catalog::bundled(None).map_err(|error| error.to_string()),
        };
    }
    let path = Path::new(place);
    if path.is_file() {
        return Ok(file(path));
    }
    Catalog::bundled(Some(place)).or_else(|unknown| match unknown {
        // A folder or a device: the source reports why it is not a model file.
        _ if path.exists() => Ok(file(path)),
        CatalogError::UnknownModel { known, .. } => Err(format!(
            "{place}: no such file, and no bundled model of this name\nhelp: bundled models are {}",
            known.join(", ")
        )),
        other => Err(other.to_string()),
    })
}

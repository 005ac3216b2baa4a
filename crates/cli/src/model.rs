//! The MODEL argument: a path, standard input or another pipe, a file or S3 address, or the name of a bundled model.

use std::env;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ordinate::config::Environment;
use ordinate::source::bundled::{self, BundledFolder};
use ordinate::source::catalog::{Catalog, CatalogError, LoadError, layout};
use ordinate::source::file::{FileSource, LocalFolder};
use ordinate::source::s3::{S3Folder, S3Settings, S3Source};
use ordinate::source::{Causes, MAX_MODEL_BYTES, ModelFolder, ModelSource, ModelUri, SourceError};
use ordinate_model::Model;
use ordinate_model::identity::Version;
use ordinate_table::shell_word;

use super::curl::program;

/// Short help of MODEL.
pub(super) const HELP: &str = "Model file, - for standard input, an address (file:///path.json or s3://bucket/key.json), a model of a catalog \
     (models/price@live), or a bundled model";

/// Long help of MODEL.
pub(super) const LONG_HELP: &str = "Model file, - for standard input, an address (file:///path.json or \
s3://bucket/key.json), a model of a catalog with its alias or version (models/price@live, s3://bucket/models/price@3), \
or a bundled model

Bundled models are line, diabetes, iris and breast-cancer (or bundled:line and so on). S3 uses the environment \
variables AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and AWS_ENDPOINT_URL_S3.";

/// The prefix of a bundled model's address.
const BUNDLED: &str = "bundled:";

/// Why a model cannot be loaded, as a message for the user.
#[derive(Debug, thiserror::Error)]
pub enum LoadModelError {
    /// There is no such file, object, bucket, model, version or alias.
    #[error("{0}")]
    NotFound(String),
    /// Any other reason.
    #[error("{0}")]
    Other(String),
}

/// Loads and verifies a model: format, checksum, golden rows.
///
/// # Errors
/// A message for the user.
pub(super) fn load(place: &str) -> Result<Arc<Model>, LoadModelError> {
    if is_pipe(place) {
        let model = from_pipe(place).map_err(|error| LoadModelError::Other(with_advice(&error)))?;
        return Ok(Arc::new(model));
    }
    let failed = |error: io::Error| LoadModelError::Other(error.to_string());
    if let Some((catalog, reference)) = in_catalog(place).map_err(LoadModelError::Other)? {
        return wait(catalog.model(reference, None)).map_err(failed)?.map_err(|error| catalog_error(&error));
    }
    let file = find(place).map_err(if is_absent(place) { LoadModelError::NotFound } else { LoadModelError::Other })?;
    let catalog = Catalog::single(file, None, None);
    wait(catalog.default_model()).map_err(failed)?.map_err(|error| catalog_error(&error))
}

/// Whether a place is neither an address nor the path of anything that exists.
fn is_absent(place: &str) -> bool {
    !place.contains("://") && !Path::new(place).exists()
}

fn catalog_error(error: &CatalogError) -> LoadModelError {
    let message = message(error);
    match error {
        CatalogError::UnknownModel { .. } | CatalogError::UnknownVersion { .. } | CatalogError::UnknownAlias { .. } => {
            LoadModelError::NotFound(message)
        }
        CatalogError::Unavailable(cause) if matches!(**cause, LoadError::Source(SourceError::NotFound { .. })) => {
            LoadModelError::NotFound(message)
        }
        _ => LoadModelError::Other(message),
    }
}

fn wait<T>(work: impl Future<Output = T>) -> io::Result<T> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work))
}

/// The catalog and the model of a place such as `models/price@live` or `s3://bucket/models/price@3`.
fn in_catalog(place: &str) -> Result<Option<(Catalog, &str)>, String> {
    let Some((at, _)) = place.rmatch_indices('/').next().filter(|_| !Path::new(place).exists()) else {
        return Ok(None);
    };
    let (folder, reference) = place.split_at(at + 1);
    if !reference.contains('@') {
        return Ok(None);
    }
    let folder: Arc<dyn ModelFolder> = match folder.parse::<ModelUri>().map_err(|error| error.to_string())? {
        ModelUri::Folder(path) => Arc::new(LocalFolder::new(path)),
        ModelUri::S3Folder(location) => Arc::new(S3Folder::new(location, s3()).map_err(|error| error.to_string())?),
        ModelUri::Bundled | ModelUri::File(_) | ModelUri::S3(_) => return Ok(None),
    };
    Ok(Some((Catalog::folder(folder, None), reference)))
}

/// Region, endpoint and credentials of S3, from the environment.
pub(super) fn s3() -> S3Settings {
    Environment(|name: &str| env::var(name).ok()).s3()
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

/// Loads and verifies the default model of a catalog.
///
/// # Errors
/// A message for the user.
pub(super) async fn load_from(catalog: &Catalog) -> Result<Arc<Model>, String> {
    catalog.default_model().await.map_err(|error| message(&error))
}

/// An error of a catalog as a message for the user.
pub(super) fn message(error: &CatalogError) -> String {
    match error {
        CatalogError::Unavailable(cause) => with_advice(cause),
        other => Causes(other).to_string(),
    }
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
        LoadError::Alias { .. } => "\nhelp: name a version of the model, such as @1, or set the alias again",
        _ => "\nhelp: use a model file written by `ordinate train --out`",
    };
    advice.to_owned()
}

/// The file of the model at a path, at an address, of a name, or in a catalog. It is not loaded yet.
///
/// # Errors
/// A message for the user.
pub(super) fn find(place: &str) -> Result<Box<dyn ModelSource>, String> {
    if let Some(name) = place.strip_prefix(BUNDLED) {
        return bundled(name).ok_or_else(|| format!("{place}: no bundled model has this name{}", bundled_advice()));
    }
    if place.contains("://") {
        return match ModelUri::locate(place).map_err(|error| error.to_string())? {
            ModelUri::File(path) => Ok(Box::new(FileSource::new(path))),
            ModelUri::S3(location) => Ok(Box::new(S3Source::new(location, s3()).map_err(|error| error.to_string())?)),
            ModelUri::Folder(_) | ModelUri::S3Folder(_) | ModelUri::Bundled => Err(format!(
                "{place}: a catalog has many models\nhelp: name one of them, such as {}/price@live",
                place.trim_end_matches('/')
            )),
        };
    }
    let path = Path::new(place);
    if path.is_dir() {
        return Err(format!("{place}: is a directory, not a model file\nhelp: {}", advice_on_folder(path)));
    }
    // A device: the source reports why it is not a model file.
    if path.exists() {
        return Ok(Box::new(FileSource::new(path)));
    }
    bundled(place)
        .ok_or_else(|| format!("{place}: no such file, and no bundled model of this name{}", bundled_advice()))
}

/// Advice for a folder in the place of a model file.
fn advice_on_folder(path: &Path) -> String {
    let folder = format!("{}/", path.display().to_string().trim_end_matches('/'));
    let names = || fs::read_dir(path).into_iter().flatten().flatten();
    let is_version = |file: &fs::DirEntry| file.file_name().to_str().and_then(layout::version_of).is_some();
    let is_model =
        |entry: &fs::DirEntry| fs::read_dir(entry.path()).into_iter().flatten().flatten().any(|f| is_version(&f));
    let folder_word = shell_word(&folder);
    let versions = names().filter_map(|file| layout::version_of(file.file_name().to_str()?));
    if let Some(last) = versions.max_by_key(Version::number) {
        let version = shell_word(&format!("{}@{last}", folder.trim_end_matches('/')));
        return format!("it has the versions of a model; name one of them, such as {version}");
    }
    if let Some(model) = names().find(is_model) {
        let model = shell_word(&format!("{folder}{}@live", model.file_name().to_string_lossy()));
        return format!(
            "it is a catalog; name one of its models, such as {model}, or serve all of them: \
             MODEL_URI={folder_word} {} serve",
            program()
        );
    }
    if names().next().is_none() {
        return format!("it is empty; publish a model to it: {} publish line {folder_word} --alias live", program());
    }
    "name a model file in it".to_owned()
}

/// The file of a bundled model.
fn bundled(name: &str) -> Option<Box<dyn ModelSource>> {
    bundled::names().any(|known| known == name).then(|| BundledFolder.file(&format!("{name}/1.json")))
}

fn bundled_advice() -> String {
    format!("\nhelp: bundled models are {}", bundled::names().collect::<Vec<_>>().join(", "))
}

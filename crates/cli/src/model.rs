//! The MODEL of a command: a path, an address in S3 or of a file, or the name of a bundled model.

use std::env;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use ordinate::config::Environment;
use ordinate::source::catalog::{Catalog, CatalogError, LoadError};
use ordinate::source::file::FileSource;
use ordinate::source::s3::S3Source;
use ordinate::source::{Causes, ModelUri, SourceError};
use ordinate_model::Model;

/// What --help says of it.
pub(super) const HELP: &str = "The model: a file that `ordinate train` wrote, its address (file:///path.json or \
s3://bucket/key.json), or the name of a bundled model (line, or bundled:line). S3 is reached as the environment says: \
AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL_S3";

/// What a bundled model's address begins with.
const BUNDLED: &str = "bundled:";

/// Brings the model and proves it: format, checksum, golden rows.
///
/// # Errors
/// A sentence that says what is wrong with it and what to do.
pub(super) fn load(place: &str) -> Result<Arc<Model>, Box<dyn Error>> {
    let catalog = find(place)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(proven(&catalog))?)
}

/// The default model of a catalog that [`find`] returned.
///
/// # Errors
/// A sentence that says what is wrong with it and what to do.
pub(super) async fn proven(catalog: &Catalog) -> Result<Arc<Model>, String> {
    catalog.default_model().await.map_err(|error| match error {
        CatalogError::Unavailable(cause) => format!("{}{}", Causes(&cause), advice(&cause)),
        other => Causes(&other).to_string(),
    })
}

fn advice(error: &LoadError) -> &'static str {
    match error {
        // They say it themselves.
        LoadError::Source(
            SourceError::AccessDenied { .. } | SourceError::WrongRegion { .. } | SourceError::Misconfigured { .. },
        ) => "",
        LoadError::Source(error) if error.is_transient() => ". Check the network and AWS_ENDPOINT_URL_S3, or try again",
        LoadError::Timeout { .. } => ". Copy it to a file first",
        _ => ". Give a file that `ordinate train --out` wrote",
    }
}

/// A catalog whose default model is the one at this place. Nothing is loaded yet.
///
/// # Errors
/// A sentence that says why no model can be at this place.
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
            // Only of the empty text, which has no "://".
            ModelUri::Bundled => Catalog::bundled(None).map_err(|error| error.to_string()),
        };
    }
    let path = Path::new(place);
    if path.is_file() {
        return Ok(file(path));
    }
    Catalog::bundled(Some(place)).or_else(|unknown| match unknown {
        // Something is there, and why it is no model file is the source's to say.
        _ if path.exists() => Ok(file(path)),
        CatalogError::UnknownModel { known, .. } => Err(format!(
            "{place}: there is no such file, and no bundled model of that name; bundled are {}",
            known.join(", ")
        )),
        other => Err(other.to_string()),
    })
}

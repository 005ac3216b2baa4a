//! The MODEL of a command: a path, a `file://` address, or the name of a bundled model.

use std::error::Error;
use std::path::{self, Path};
use std::sync::Arc;

use crate::model::Model;
use crate::source::catalog::{Catalog, CatalogError};
use crate::source::file::FileSource;
use crate::source::{Causes, ModelUri};

/// Brings the model and proves it: format, checksum, golden rows.
///
/// # Errors
/// A sentence that says what is wrong with it and what to do.
pub(super) fn load(place: &str) -> Result<Arc<Model>, Box<dyn Error>> {
    let catalog = find(place)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    runtime.block_on(catalog.default_model()).map_err(|error| match error {
        CatalogError::Unavailable(cause) => format!("{}. {ADVICE}", Causes(&cause)).into(),
        other => Causes(&other).to_string().into(),
    })
}

const ADVICE: &str = "Give a file that `ordinate train --out` wrote";

fn find(place: &str) -> Result<Catalog, String> {
    let file = |path: &Path| {
        // As an address it needs the whole path.
        let whole = path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Catalog::single(Box::new(FileSource::new(whole)), None, None)
    };
    if place.contains("://") {
        return match place.parse::<ModelUri>() {
            Ok(ModelUri::File(path)) => Ok(file(&path)),
            Ok(_) => Err(format!("{place}: commands read models from files only. Copy it to one: aws s3 cp {place} .")),
            Err(error) => Err(error.to_string()),
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

//! Checks that outputs are not among the inputs.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use ordinate::source::ObjectLocation;
use ordinate_batch::inputs::Input;

/// Checks that no output is an input, or would become one in the next run.
pub(super) fn check(
    (input, output): (&str, &str),
    (from, to): (Option<&ObjectLocation>, Option<&ObjectLocation>),
    inputs: &[Input],
) -> Result<(), String> {
    let is_inside = match (from, to) {
        (_, Some(to)) if !to.key().is_empty() && !to.key().ends_with('/') => {
            return Err(format!("{to}: OUT is a prefix\nhelp: end it with a slash: {to}/"));
        }
        (Some(from), Some(to)) => {
            let is_prefix = from.key().is_empty() || from.key().ends_with('/');
            let keys: HashSet<&str> = inputs.iter().filter_map(|input| input.place.key()).collect();
            from.bucket() == to.bucket()
                && (is_prefix && to.key().starts_with(from.key())
                    || inputs.iter().any(|input| keys.contains(format!("{}{}", to.key(), input.name).as_str())))
        }
        (None, None) => is_inside_folder(Path::new(input), Path::new(output), inputs),
        _ => false,
    };
    if is_inside {
        return Err(format!(
            "{output}: OUT is in the place of IN, so that outputs would be inputs\nhelp: choose another folder"
        ));
    }
    Ok(())
}

fn is_inside_folder(from: &Path, to: &Path, inputs: &[Input]) -> bool {
    let [from, to] = [from, to].map(resolved);
    if from.is_dir() && to.starts_with(&from) {
        return true;
    }
    let files: HashSet<&Path> = inputs.iter().filter_map(|input| input.place.real_path()).collect();
    let mut folders: HashMap<PathBuf, PathBuf> = HashMap::new();
    inputs.iter().any(|input| {
        let path = to.join(&input.name);
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return false };
        let folder = folders.entry(folder.to_owned()).or_insert_with_key(|folder| resolved(folder));
        let path = folder.join(name);
        let is_link = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_symlink());
        files.contains(if is_link { resolved(&path) } else { path }.as_path())
    })
}

/// A path without links and `..`, also if its last parts do not exist.
fn resolved(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for existing in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (existing.canonicalize(), path.strip_prefix(existing)) {
            // A path that ends with a separator would be that of a folder.
            return if rest.as_os_str().is_empty() { real } else { real.join(rest) };
        }
    }
    path
}

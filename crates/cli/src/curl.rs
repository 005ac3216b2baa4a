//! Commands for a user to paste into a shell.

use std::env;

use ordinate_model::Model;
use ordinate_table::shell_word;

/// A curl command that requests a prediction for an example row of the model, from a server at this host and port.
pub(super) fn curl(authority: &str, model: &Model) -> String {
    let url = format!("{authority}/models/{}/predict", model.name());
    let rows = [model.example()];
    // `json!` would sort the features by name.
    let rows = serde_json::to_string(&rows).unwrap_or_default();
    format!("curl -s {} -d {}", shell_word(&url), shell_word(&format!(r#"{{"X":{rows}}}"#)))
}

/// The command that starts this program in any folder: its name if it was found on the path, otherwise its path.
pub(super) fn program() -> String {
    let called = env::args_os().next().unwrap_or_default();
    let path = env::current_exe().ok().filter(|_| called.to_string_lossy().contains(std::path::MAIN_SEPARATOR));
    path.map_or_else(|| "ordinate".to_owned(), |path| shell_word(&path.to_string_lossy()))
}

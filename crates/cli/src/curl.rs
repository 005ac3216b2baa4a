//! Commands for a user to paste into a shell.

use std::borrow::Cow;
use std::env;

use ordinate_model::Model;

/// The port of `ordinate serve` and `make run`.
pub(super) const PORT: u16 = 9000;

/// A curl command that requests a prediction for an example row of the model at `url`.
pub(super) fn curl(url: &str, model: &Model) -> String {
    let rows = [model.example()];
    // `json!` would sort the features by name.
    let rows = serde_json::to_string(&rows).unwrap_or_default();
    format!("curl -s {} -d {}", quoted(url), quoted(&format!(r#"{{"X":{rows}}}"#)))
}

/// The command that starts this program in any folder: its name if it was found on the path, otherwise its path.
pub(super) fn program() -> String {
    let called = env::args_os().next().unwrap_or_default();
    let path = env::current_exe().ok().filter(|_| called.to_string_lossy().contains(std::path::MAIN_SEPARATOR));
    path.map_or_else(|| "ordinate".to_owned(), |path| quoted(&path.to_string_lossy()).into_owned())
}

/// A text as one word of a POSIX shell.
pub(super) fn quoted(text: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/:._-%+@,=".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.into();
    }
    format!("'{}'", text.replace('\'', r"'\''")).into()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/models/line.json", "/models/line.json")]
    #[case("it's a model (1).json", r"'it'\''s a model (1).json'")]
    #[case("$HOME/~.json", "'$HOME/~.json'")]
    #[case("", "''")]
    fn words_that_a_shell_would_change_are_quoted(#[case] text: &str, #[case] word: &str) {
        assert_eq!(quoted(text), word);
    }
}

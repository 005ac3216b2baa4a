//! Lines that a user pastes into a shell.

use std::borrow::Cow;
use std::env;

use ordinate_model::Model;

/// The port of `ordinate serve` and `make run`.
pub(super) const PORT: u16 = 9000;

/// A line of curl that asks the model at `url` for a prediction of one of its example rows.
pub(super) fn curl(url: &str, model: &Model) -> String {
    let rows: Vec<_> = model.examples().into_iter().take(1).collect();
    // Not through `json!`, which sorts the features by name.
    let rows = serde_json::to_string(&rows).unwrap_or_default();
    format!("curl -s {} -d {}", quoted(url), quoted(&format!(r#"{{"X":{rows}}}"#)))
}

/// This program as it can be called from any folder: by its name when it was found on the path, else by its own path.
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
    fn a_word_is_quoted_where_a_shell_would_change_it(#[case] text: &str, #[case] word: &str) {
        assert_eq!(quoted(text), word);
    }
}

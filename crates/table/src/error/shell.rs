//! Words of a command in a message.

/// A text as one word of a POSIX shell, so that a command in a message can be pasted.
#[must_use]
pub fn shell_word(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/:._-%+@,=".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        return text.to_owned();
    }
    if text.contains(char::is_control) {
        return format!("$'{}'", text.escape_debug());
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_a_shell_would_change_are_quoted() {
        for (text, word) in [
            ("/models/line.json", "/models/line.json"),
            ("it's a model (1).json", r"'it'\''s a model (1).json'"),
            ("$HOME/~.json", "'$HOME/~.json'"),
            ("", "''"),
            ("two\nlines", r"$'two\nlines'"),
            ("it's\n", r"$'it\'s\n'"),
        ] {
            assert_eq!(shell_word(text), word);
        }
    }
}

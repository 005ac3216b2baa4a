//! Words of a command in a message.

use std::fmt::Write as _;

use ordinate_model::wording::is_text_control;

/// A text as one word of a POSIX shell, so that a command in a message can be pasted.
#[must_use]
pub fn shell_word(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/:._-%+@,=".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        return text.to_owned();
    }
    if text.contains(is_text_control) {
        let mut word = "$'".to_owned();
        for character in text.chars() {
            push_escaped(&mut word, character);
        }
        return word + "'";
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Adds a character between `$'` and `'`.
fn push_escaped(word: &mut String, character: char) {
    match character {
        '\'' | '\\' => word.extend(['\\', character]),
        '\n' => word.push_str(r"\n"),
        _ if is_text_control(character) => {
            for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                let _ = write!(word, r"\{byte:03o}");
            }
        }
        _ => word.push(character),
    }
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
            ("\u{1b}[31m\u{85}é\\\r", r"$'\033[31m\302\205é\\\015'"),
            ("a\u{202e}b", r"$'a\342\200\256b'"),
        ] {
            assert_eq!(shell_word(text), word);
        }
    }
}

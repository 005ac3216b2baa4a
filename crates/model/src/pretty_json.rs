//! Readable JSON: one member of an object a line, a list of numbers on one line, one element a line of a list of
//! objects or lists.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// Writes a value; ends with a newline.
///
/// # Errors
/// The error of the value's `Serialize`.
pub(crate) fn to_string<T: Serialize>(value: &T) -> serde_json::Result<String> {
    let mut text = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut text, PrettyFormatter::default()))?;
    text.push(b'\n');
    String::from_utf8(text).map_err(serde::ser::Error::custom)
}

#[derive(Default)]
struct PrettyFormatter {
    /// The lists and objects around the current place, from the outermost to the innermost.
    open: Vec<Open>,
}

#[derive(Clone, Copy)]
enum Open {
    /// An object outside any list: one member a line.
    Object { has_members: bool },
    /// The outermost list: on one line until it contains a list or an object, then one element a line.
    List { has_parts: bool },
    /// A list or object inside a list's element: on one line.
    Inside,
}

impl PrettyFormatter {
    fn new_line<W: ?Sized + Write>(&self, out: &mut W) -> io::Result<()> {
        out.write_all(b"\n")?;
        let indents = |open: &&Open| matches!(open, Open::Object { .. } | Open::List { has_parts: true });
        (0..self.open.iter().filter(indents).count()).try_for_each(|_| out.write_all(b"  "))
    }

    /// Opens a list or an object; an element of the outermost list begins a new line.
    fn begin<W: ?Sized + Write>(&mut self, out: &mut W, kind: Open, bracket: &[u8]) -> io::Result<()> {
        if let Some(Open::List { has_parts }) = self.open.last_mut() {
            *has_parts = true;
            self.new_line(out)?;
        }
        let in_list = self.open.iter().any(|open| matches!(open, Open::List { .. }));
        self.open.push(if in_list { Open::Inside } else { kind });
        out.write_all(bracket)
    }

    fn end<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        if let Some(Open::Object { has_members: true } | Open::List { has_parts: true }) = self.open.pop() {
            self.new_line(out)?;
        }
        out.write_all(bracket)
    }
}

impl Formatter for PrettyFormatter {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, Open::List { has_parts: false }, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        match self.open.last() {
            _ if first => Ok(()),
            Some(Open::List { has_parts: true }) => out.write_all(b","),
            _ => out.write_all(b", "),
        }
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, Open::Object { has_members: false }, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if !first {
            out.write_all(b",")?;
        }
        match self.open.last_mut() {
            Some(Open::Object { has_members }) => {
                *has_members = true;
                self.new_line(out)
            }
            _ if first => Ok(()),
            _ => out.write_all(b" "),
        }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn members_rows_and_elements_have_a_line_each() {
        let document = serde_json::json!({
            "columns": [{"mean": 1.5, "name": "x"}, {"mean": 2.0, "name": "z"}],
            "empty": [],
            "none": {},
            "numbers": [1, 2, 3],
            "rows": [[1, 2], [3]],
            "what": {"a": "b", "deep": {"c": [{"d": [1, 2]}]}},
        });
        let text = super::to_string(&document).unwrap();
        let expected = r#"{
  "columns": [
    {"mean": 1.5, "name": "x"},
    {"mean": 2.0, "name": "z"}
  ],
  "empty": [],
  "none": {},
  "numbers": [1, 2, 3],
  "rows": [
    [1, 2],
    [3]
  ],
  "what": {
    "a": "b",
    "deep": {
      "c": [
        {"d": [1, 2]}
      ]
    }
  }
}
"#;
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), document);
    }
}

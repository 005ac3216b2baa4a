//! Aligned tables of text for terminals.

use std::fmt;

use ordinate_model::wording::one_line;

/// The alignment of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// To the left.
    Left,
    /// To the right.
    Right,
}

/// Rows of text in columns that are as wide as their widest cell.
#[derive(Debug)]
pub struct TextTable {
    alignments: Vec<Align>,
    rows: Vec<Vec<String>>,
}

impl TextTable {
    /// A table with one title per column.
    pub fn new<'t>(columns: impl IntoIterator<Item = (&'t str, Align)>) -> Self {
        let (titles, alignments) = columns.into_iter().map(|(title, align)| (one_line(title), align)).unzip();
        Self { alignments, rows: vec![titles] }
    }

    /// Adds a row.
    pub fn push(&mut self, cells: impl IntoIterator<Item = String>) {
        // A name may contain a line end, and a text what controls a terminal.
        self.rows.push(cells.into_iter().map(|cell| one_line(&cell)).collect());
    }
}

impl TextTable {
    /// The table in lines of at most this many characters where its columns allow: further columns follow below the
    /// others, next to the same labels, which are the columns on the left that are aligned to the left.
    #[must_use]
    pub fn within(&self, most: usize) -> String {
        let widths = self.widths();
        let labels = self.alignments.iter().take_while(|align| **align == Align::Left).count();
        let total = |part: &[usize]| -> usize {
            part.iter().filter_map(|column| widths.get(*column)).map(|width| width + 2).sum()
        };
        let label_columns: Vec<usize> = (0..labels).collect();
        let mut parts = vec![label_columns.clone()];
        for column in labels..self.alignments.len() {
            if let Some(part) = parts.last_mut() {
                part.push(column);
                if part.len() > labels + 1 && total(part) > most {
                    part.pop();
                    parts.push(label_columns.iter().copied().chain([column]).collect());
                }
            }
        }
        let parts: Vec<String> = parts.iter().map(|columns| self.lines(columns, &widths)).collect();
        parts.join("\n")
    }

    fn widths(&self) -> Vec<usize> {
        let width = |column: usize| {
            self.rows.iter().filter_map(|row| row.get(column)).map(|cell| length(cell)).max().unwrap_or(0)
        };
        (0..self.alignments.len()).map(width).collect()
    }

    /// These columns: two spaces before each; blank lines are left out.
    fn lines(&self, columns: &[usize], widths: &[usize]) -> String {
        let mut lines = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for column in columns {
                let (Some(cell), Some(align), Some(width)) =
                    (row.get(*column), self.alignments.get(*column), widths.get(*column))
                else {
                    continue;
                };
                let padding = " ".repeat(width.saturating_sub(length(cell)));
                match align {
                    Align::Left => line.extend(["  ", cell, &padding]),
                    Align::Right => line.extend(["  ", &padding, cell]),
                }
            }
            if !line.trim().is_empty() {
                lines.extend([line.trim_end(), "\n"]);
            }
        }
        lines
    }
}

fn length(text: &str) -> usize {
    text.chars().count()
}

/// The table, however wide.
impl fmt::Display for TextTable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.within(usize::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = TextTable::new([("name", Align::Left), ("R²", Align::Right)]);
        table.push(["a longer one".to_owned(), "0.5".to_owned()]);
        table.push(["é".to_owned(), "12345".to_owned()]);
        assert_eq!(table.to_string(), "  name             R²\n  a longer one    0.5\n  é             12345\n");
    }

    #[test]
    fn columns_that_do_not_fit_follow_below() {
        let mut table = TextTable::new(
            ["name", "a", "b", "c"].map(|title| (title, if title == "name" { Align::Left } else { Align::Right })),
        );
        table.push(["x", "1", "22", "333"].map(str::to_owned));
        assert_eq!(table.within(14), "  name  a   b\n  x     1  22\n\n  name    c\n  x     333\n");
        // One column in any case.
        assert_eq!(table.within(1).lines().filter(|line| line.starts_with("  name")).count(), 3);
        // Columns that a row does not have are left out of it.
        let mut table = TextTable::new([("", Align::Left), ("a", Align::Right), ("b", Align::Right)]);
        table.push(["x", "1", "2"].map(str::to_owned));
        table.push(["y", "3"].map(str::to_owned));
        assert_eq!(table.within(6), "     a\n  x  1\n  y  3\n\n     b\n  x  2\n  y\n");
    }

    #[test]
    fn titles_may_be_empty() {
        let mut table = TextTable::new([("", Align::Left), ("", Align::Right)]);
        table.push(["rows".to_owned(), "4".to_owned()]);
        assert_eq!(table.to_string(), "  rows  4\n");
    }
}

//! Aligned tables of text for terminals.

use std::fmt;

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
        let (titles, alignments) = columns.into_iter().map(|(title, align)| (title.to_owned(), align)).unzip();
        Self { alignments, rows: vec![titles] }
    }

    /// Adds a row.
    pub fn push(&mut self, cells: impl IntoIterator<Item = String>) {
        // A name may contain a line end.
        let cells =
            cells.into_iter().map(|cell| if cell.contains('\n') { cell.escape_debug().to_string() } else { cell });
        self.rows.push(cells.collect());
    }
}

/// Two spaces before each column; blank lines are left out.
impl fmt::Display for TextTable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = |text: &String| text.chars().count();
        let width = |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(length).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.alignments.len()).map(width).collect();
        for row in &self.rows {
            let mut line = String::new();
            for ((cell, align), width) in row.iter().zip(&self.alignments).zip(&widths) {
                let padding = " ".repeat(width.saturating_sub(length(cell)));
                match align {
                    Align::Left => line.extend(["  ", cell, &padding]),
                    Align::Right => line.extend(["  ", &padding, cell]),
                }
            }
            if !line.trim().is_empty() {
                writeln!(out, "{}", line.trim_end())?;
            }
        }
        Ok(())
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
    fn titles_may_be_empty() {
        let mut table = TextTable::new([("", Align::Left), ("", Align::Right)]);
        table.push(["rows".to_owned(), "4".to_owned()]);
        assert_eq!(table.to_string(), "  rows  4\n");
    }
}

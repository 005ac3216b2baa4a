//! Tables for people to read.

use std::fmt;

/// Where the text of a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// Rows of text in columns as wide as their widest cell.
#[derive(Debug)]
pub(super) struct Grid {
    sides: Vec<Side>,
    rows: Vec<Vec<String>>,
}

impl Grid {
    /// Begins with a line of titles, one a column.
    pub(super) fn new<'t>(columns: impl IntoIterator<Item = (&'t str, Side)>) -> Self {
        let (titles, sides) = columns.into_iter().map(|(title, side)| (title.to_owned(), side)).unzip();
        Self { sides, rows: vec![titles] }
    }

    /// The next line.
    pub(super) fn push(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
}

/// Two spaces before each column; a line without text is not there.
impl fmt::Display for Grid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = |text: &String| text.chars().count();
        let width = |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(length).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.sides.len()).map(width).collect();
        for row in &self.rows {
            let mut line = String::new();
            for ((cell, side), width) in row.iter().zip(&self.sides).zip(&widths) {
                let room = " ".repeat(width.saturating_sub(length(cell)));
                match side {
                    Side::Left => line.extend(["  ", cell, &room]),
                    Side::Right => line.extend(["  ", &room, cell]),
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
        let mut grid = Grid::new([("name", Side::Left), ("R²", Side::Right)]);
        grid.push(["a longer one".to_owned(), "0.5".to_owned()]);
        grid.push(["é".to_owned(), "12345".to_owned()]);
        assert_eq!(grid.to_string(), "  name             R²\n  a longer one    0.5\n  é             12345\n");
    }

    #[test]
    fn titles_may_be_empty() {
        let mut grid = Grid::new([("", Side::Left), ("", Side::Right)]);
        grid.push(["rows".to_owned(), "4".to_owned()]);
        assert_eq!(grid.to_string(), "  rows  4\n");
    }
}

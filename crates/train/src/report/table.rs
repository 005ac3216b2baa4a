//! Tables as HTML.

use std::fmt::Write as _;

use super::escape;

/// What stands in a table.
pub(super) enum Cell {
    Text(String),
    Number(String),
    Html(String),
    /// With a share that shades it.
    Shaded(String, f64),
}

impl Cell {
    /// What the style sheet calls it.
    fn class(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::Html(_) => " class=\"text\"",
            Self::Number(_) => "",
            Self::Shaded(..) => " class=\"shaded\"",
        }
    }
}

/// A table whose first column names its rows.
pub(super) struct Table {
    caption: String,
    headings: Vec<String>,
    /// Of the columns after the first, as their first row has them.
    classes: Vec<&'static str>,
    rows: String,
}

impl Table {
    /// An empty table; the first heading is that of the rows' names.
    pub(super) fn new(caption: &str, headings: &[&str]) -> Self {
        let headings = headings.iter().map(|heading| escape(heading)).collect();
        Self { caption: escape(caption), headings, classes: Vec::new(), rows: String::new() }
    }

    /// One more row.
    pub(super) fn row(&mut self, name: &str, cells: &[Cell]) {
        if self.classes.is_empty() {
            self.classes = cells.iter().map(Cell::class).collect();
        }
        let _ = write!(self.rows, "<tr><th scope=\"row\">{}</th>", escape(name));
        for cell in cells {
            let class = cell.class();
            let _ = match cell {
                Cell::Text(text) | Cell::Number(text) => write!(self.rows, "<td{class}>{}</td>", escape(text)),
                Cell::Html(html) => write!(self.rows, "<td{class}>{html}</td>"),
                Cell::Shaded(text, share) => {
                    write!(self.rows, "<td{class} style=\"--share:{share:.3}\">{}</td>", escape(text))
                }
            };
        }
        self.rows += "</tr>\n";
    }

    /// The whole table, in a box that scrolls when it is narrow.
    pub(super) fn html(self) -> String {
        let Self { caption, headings, classes, rows } = self;
        let classes = [""].into_iter().chain(classes).chain(std::iter::repeat(""));
        let mut head = String::new();
        for (heading, class) in headings.iter().zip(classes) {
            let _ = write!(head, "<th scope=\"col\"{class}>{heading}</th>");
        }
        format!(
            "<div class=\"scroll\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\"><table>\n\
             <caption>{caption}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n"
        )
    }
}

//! Tables of the page.

use maud::{Markup, Render, html};

use super::chart::shortened;

/// The most rows of a table of columns.
pub(super) const TABLE_ROWS: usize = 200;

/// An undefined number.
pub(super) const DASH: &str = "–";

/// A cell of a table.
pub(super) enum TableCell {
    Text(String),
    Number(String),
    Markup(Markup),
    /// A number on a background whose intensity is a fraction.
    Shaded(String, f64),
}

impl TableCell {
    /// A number, or a dash if it is undefined.
    pub(super) fn number(value: Option<f64>, format: impl Fn(f64) -> String) -> Self {
        Self::Number(value.map_or_else(|| DASH.to_owned(), format))
    }

    /// The class in the style sheet.
    fn class(&self) -> Option<&'static str> {
        match self {
            Self::Text(_) | Self::Markup(_) => Some("text"),
            Self::Number(_) => None,
            Self::Shaded(..) => Some("shaded"),
        }
    }
}

impl Render for TableCell {
    fn render(&self) -> Markup {
        let style = match self {
            Self::Shaded(_, fraction) => Some(format!("--share:{fraction:.3}")),
            _ => None,
        };
        html! {
            td class=[self.class()] style=[style] {
                @match self {
                    Self::Text(text) | Self::Number(text) | Self::Shaded(text, _) => (text),
                    Self::Markup(markup) => (markup),
                }
            }
        }
    }
}

/// Whether a name is wrapped.
fn is_long(name: &str) -> bool {
    name.chars().count() > 32
}

/// A table whose first column contains the names of the rows.
pub(super) struct ReportTable {
    caption: String,
    headings: Vec<String>,
    rows: Vec<(String, Vec<TableCell>)>,
}

/// The most columns of a matrix with wide columns.
const WIDE_COLUMNS: usize = 8;
/// The most characters of a name in a matrix of many columns.
const DENSE_NAME: usize = 40;

impl ReportTable {
    /// An empty table; the first heading is that of the names.
    pub(super) fn new<S: Into<String>>(caption: impl Into<String>, headings: impl IntoIterator<Item = S>) -> Self {
        Self { caption: caption.into(), headings: headings.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// Whether the table is a matrix of many columns.
    fn is_dense(&self) -> bool {
        let first = self.rows.first().map(|(_, cells)| cells.as_slice()).unwrap_or_default();
        first.len() > WIDE_COLUMNS && first.iter().all(|cell| matches!(cell, TableCell::Shaded(..)))
    }

    pub(super) fn row(&mut self, name: impl Into<String>, cells: Vec<TableCell>) {
        self.rows.push((name.into(), cells));
    }
}

impl Render for ReportTable {
    fn render(&self) -> Markup {
        let is_dense = self.is_dense();
        let headings: Vec<&str> = self.headings.iter().map(String::as_str).collect();
        let names: Vec<&str> = self.rows.iter().map(|(name, _)| name.as_str()).collect();
        let longest = if is_dense { DENSE_NAME } else { usize::MAX };
        let [short_headings, short_names] = [&headings, &names].map(|names| shortened(names, longest));
        // Headings have the alignment of the first row.
        let first = self.rows.first().into_iter().flat_map(|(_, cells)| cells.iter().map(TableCell::class));
        let classes = [None].into_iter().chain(first).chain(std::iter::repeat(None));
        html! {
            div class=(if is_dense { "scroll dense" } else { "scroll" }) role="region" aria-label=(self.caption) tabindex="0" {
                table {
                    caption { span { (self.caption) } }
                    thead {
                        tr {
                            @for ((heading, short), class) in headings.iter().zip(&short_headings).zip(classes) {
                                th scope="col" class=[class] title=[(short != heading).then_some(heading)] { (short) }
                            }
                        }
                    }
                    tbody {
                        @for ((name, cells), short) in self.rows.iter().zip(&short_names) {
                            tr {
                                th scope="row" class=[is_long(name).then_some("long")] title=[(short != name).then_some(name)] {
                                    (short)
                                }
                                @for cell in cells { (cell) }
                            }
                        }
                    }
                }
            }
        }
    }
}

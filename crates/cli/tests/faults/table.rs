//! The tables of docs/reliability.md.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use ordinate_test_support::root;

use crate::cases::Later;

/// The measurements of a case of a server.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) fault: &'static str,
    /// Status and code of ten first requests.
    pub(crate) first: &'static str,
    pub(crate) first_longest: Duration,
    /// The requests to S3 for all of them: for the alias, and for the model.
    pub(crate) requests: (usize, usize),
    pub(crate) later: Later,
    pub(crate) later_longest: Duration,
    /// From the repair, or from the end of the requests, to the first answer of the new version.
    pub(crate) recovered: Duration,
}

impl Row {
    /// The larger values of two runs of the same case.
    pub(crate) fn max(self, other: &Self) -> Self {
        Self {
            first_longest: self.first_longest.max(other.first_longest),
            requests: (self.requests.0.max(other.requests.0), self.requests.1.max(other.requests.1)),
            later_longest: self.later_longest.max(other.later_longest),
            recovered: self.recovered.max(other.recovered),
            ..self
        }
    }
}

/// The measurements of a case of a release.
#[derive(Debug, Clone)]
pub(crate) struct Release {
    pub(crate) fault: &'static str,
    pub(crate) outcome: &'static str,
    pub(crate) longest: Duration,
    pub(crate) afterwards: &'static str,
}

fn file() -> PathBuf {
    root().join("docs/reliability.md")
}

/// The Markdown of the table of servers.
pub(crate) fn servers(rows: &[Row]) -> String {
    let mut text = "| fault | not loaded | longest, s | GETs | loaded | longest, s | repaired after, s |\n".to_owned();
    text += "| --- | --- | --- | --- | --- | --- | --- |\n";
    for row in rows {
        let later = match row.later {
            Later::Old => "200, version 1",
            Later::New => "200, version 2",
        };
        let first = row.first.replace("model_unavailable", "`model_unavailable`");
        let Row { fault, requests: (aliases, models), .. } = row;
        let [first_longest, later_longest, recovered] =
            [row.first_longest, row.later_longest, row.recovered].map(|time| format!("{:.1}", time.as_secs_f64()));
        let requests = format!("{aliases} + {models}");
        let columns: [&str; 7] = [fault, &first, &first_longest, &requests, later, &later_longest, &recovered];
        text += &format_row(&columns);
    }
    text
}

fn format_row(columns: &[&str]) -> String {
    format!("| {} |\n", columns.join(" | "))
}

/// The Markdown of the table of releases.
pub(crate) fn releases(rows: &[Release]) -> String {
    let mut text = "| fault | the command | longest, s | afterwards |\n| --- | --- | --- | --- |\n".to_owned();
    for Release { fault, outcome, longest, afterwards } in rows {
        text += &format_row(&[fault, outcome, &format!("{:.1}", longest.as_secs_f64()), afterwards]);
    }
    text
}

/// Writes a table between its markers in the documentation.
pub(crate) fn write(name: &str, table: &str) {
    static WRITING: Mutex<()> = Mutex::new(());
    let _writing = WRITING.lock().unwrap();
    let text = std::fs::read_to_string(file()).unwrap();
    let (before, _, after) = around(&text, name);
    std::fs::write(file(), format!("{before}{table}{after}")).unwrap();
}

/// The faults of a table in the documentation.
pub(crate) fn documented(name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(file()).unwrap();
    let rows = around(&text, name).1.lines().skip(2);
    rows.map(|row| row.split('|').nth(1).unwrap().trim().to_owned()).collect()
}

/// The text before a table, the table, and the text after it.
fn around<'t>(text: &'t str, name: &str) -> (&'t str, &'t str, &'t str) {
    let (start, end) = (format!("<!-- {name}: make test-faults writes this table -->\n\n"), "\n<!-- end -->");
    let from = text.find(&start).unwrap_or_else(|| panic!("no table {name}")) + start.len();
    let to = from + text[from..].find(end).unwrap();
    (&text[..from], &text[from..to], &text[to..])
}

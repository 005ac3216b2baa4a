//! The outcomes of a run, file by file.

use std::fmt::{self, Write as _};

use ordinate_batch::error::BatchError;
use ordinate_batch::score::Task;
use ordinate_model::wording::counted;
use serde::Serialize;

/// The output of `--json`.
#[derive(Serialize)]
pub(super) struct Summary {
    model: String,
    version: String,
    /// The files that were scored, that had an output already, and that failed.
    written: usize,
    unchanged: usize,
    pub(super) failed: usize,
    /// The rows with a prediction, of the files that were scored.
    rows: u64,
    /// The rows without a prediction, of all files with an output.
    rejected: u64,
    pub(super) files: Vec<FileSummary>,
    /// Links to folders, which are not followed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) linked_folders: Vec<String>,
}

/// A file and what was done with it.
#[derive(Serialize)]
pub(super) struct FileSummary {
    pub(super) input: String,
    /// Its output, unless it cannot have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output: Option<String>,
    pub(super) outcome: Outcome,
    /// The rows with a prediction, unless the file is unchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rejected: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    /// Whether an output of an earlier run is still there, although the file failed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) has_earlier_output: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    Written,
    Unchanged,
    Failed,
}

impl FileSummary {
    /// A file that failed, without an output of an earlier run.
    pub(super) fn failed(input: String, output: Option<String>, error: &BatchError) -> Self {
        Self {
            input,
            output,
            outcome: Outcome::Failed,
            rows: None,
            rejected: None,
            error: Some(error.to_string()),
            has_earlier_output: false,
        }
    }

    /// Why a file failed, in lines; empty if it did not.
    fn complaint(&self) -> String {
        let Some(error) = &self.error else { return String::new() };
        match (self.has_earlier_output, &self.output) {
            (true, Some(output)) => format!("{error}\nnote: {output} is the output of an earlier run\n"),
            _ => format!("{error}\n"),
        }
    }
}

impl Summary {
    pub(super) fn new(task: &Task, files: Vec<FileSummary>, linked_folders: Vec<String>) -> Self {
        let count = |outcome| files.iter().filter(|file| file.outcome == outcome).count();
        Self {
            model: task.model.name().to_owned(),
            version: task.model.version().to_owned(),
            written: count(Outcome::Written),
            unchanged: count(Outcome::Unchanged),
            failed: count(Outcome::Failed),
            rows: files.iter().filter_map(|file| file.rows).sum(),
            rejected: files.iter().filter_map(|file| file.rejected).sum(),
            files,
            linked_folders,
        }
    }

    pub(super) fn text(&self, output: &str) -> Result<String, fmt::Error> {
        let mut text = String::new();
        let (files, rows) = (counted(self.written, "file", "files"), counted(self.rows, "row", "rows"));
        write!(text, "{files} with {rows} scored by {}@{}", self.model, self.version)?;
        if self.unchanged > 0 {
            write!(text, ", {} unchanged", self.unchanged)?;
        }
        writeln!(text, ": {output}")?;
        for file in &self.files {
            if let (Some(rejected @ 1..), Some(output)) = (file.rejected, &file.output) {
                let rows = counted(rejected, "row", "rows");
                writeln!(text, "{}: {rows} rejected, see {output}.rejected.jsonl", file.input)?;
            }
        }
        Ok(text)
    }

    /// The notes and errors for people.
    pub(super) fn complaints(&self) -> String {
        let note = |folder: &String| format!("note: {folder}: a link to a folder is not followed\n");
        let notes: String = self.linked_folders.iter().map(note).collect();
        notes + &self.files.iter().map(FileSummary::complaint).collect::<String>()
    }
}

//! Where large objects are cut into parts.

use std::io::Read;
use std::path::Path;

use memchr::memchr_iter;
use ordinate_table::{Compression, Cut, Cutter};

use crate::error::BatchError;
use crate::failure::Failure;
use crate::run::{BEGINNING, Part};
use crate::s3::{ObjectReader, ObjectVersion, S3};
use crate::score::{Layout, PARQUET, Task};

/// Bytes that are searched for a place at a time.
const PIECE: usize = 1 << 16;

/// Finds the ends of rows.
enum Scan {
    Table(Cutter),
    /// A line end of JSON Lines is the end of a row, as JSON has none in texts.
    Lines(Cut),
}

impl Scan {
    fn new(task: &Task, layout: Layout, beginning: &[u8], name: &Path) -> Result<Option<Self>, Failure> {
        if beginning.starts_with(PARQUET) || Compression::of(beginning).is_some() {
            return Ok(None);
        }
        match layout {
            Layout::JsonLines => Ok(Some(Self::Lines(Cut { offset: 0, line: 1 }))),
            Layout::Table => Ok(Cutter::new(beginning, name, &task.options, &task.known())?.map(Self::Table)),
        }
    }

    fn push(&mut self, bytes: &[u8]) -> Option<Cut> {
        match self {
            Self::Table(cutter) => cutter.push(bytes),
            Self::Lines(next) => {
                let begin = *next;
                let lines = |bytes: &[u8]| memchr_iter(b'\n', bytes).count() as u64;
                *next = Cut { offset: begin.offset + bytes.len() as u64, line: begin.line + lines(bytes) };
                let end = bytes.iter().rposition(|byte| *byte == b'\n')? + 1;
                let offset = begin.offset + end as u64;
                Some(Cut { offset, line: begin.line + lines(bytes.get(..end).unwrap_or_default()) })
            }
        }
    }
}

/// The parts of an object, each of at least so many bytes except for the last; `None` if it cannot be cut: it is
/// compressed, Parquet, in an encoding such as UTF-16, or too small. `is_out_of_time` ends the search.
///
/// # Errors
/// [`BatchError`] if the object or its header cannot be read.
pub fn parts(
    task: &Task,
    s3: &S3,
    object: &ObjectVersion,
    layout: Layout,
    part_bytes: u64,
    is_out_of_time: &dyn Fn() -> bool,
) -> Result<Option<Vec<Part>>, BatchError> {
    // The format of the first part is detected in as many bytes as that of the whole.
    let part_bytes = part_bytes.max(BEGINNING);
    if object.size <= part_bytes {
        return Ok(None);
    }
    let place = object.location.to_string();
    let failed = |failure| BatchError::from_failure(failure, &place);
    let beginning = s3.range(object, 0, BEGINNING)?;
    let Some(mut scan) = Scan::new(task, layout, &beginning, Path::new(&place)).map_err(failed)? else {
        return Ok(None);
    };
    let mut reader = ObjectReader::new(s3, object, 0, object.size);
    let mut parts = Vec::new();
    let mut from = Cut { offset: 0, line: 1 };
    let mut piece = vec![0; PIECE];
    loop {
        let count = reader.read(&mut piece).map_err(|error| failed(error.into()))?;
        if count == 0 {
            break;
        }
        let cut = scan.push(piece.get(..count).unwrap_or_default());
        if let Some(cut) = cut.filter(|cut| cut.offset >= from.offset + part_bytes && cut.offset < object.size) {
            parts.push(Part { start: from.offset, end: cut.offset, line: from.line });
            from = cut;
            if is_out_of_time() {
                let reason =
                    format!("{place}: the function's time ends while rows are counted after {} bytes", cut.offset);
                return Err(BatchError::Other(format!(
                    "{reason}\nhelp: raise the memory of the function, or write smaller files"
                )));
            }
        }
    }
    parts.push(Part { start: from.offset, end: object.size, line: from.line });
    Ok((parts.len() > 1).then_some(parts))
}

//! `{"columns": ["age", "bmi"], "data": [[59, 32.1]], "index": [0]}`: a frame as pandas writes it with
//! `orient="split"`.

use jiter::Peek;

use super::{Complaint, Complaints, Layout, Pointer, Reader, Rows, Terms, complain};
use crate::http::server::error::{ApiError, ErrorCode};
use ordinate_model::cell::Cell;
use ordinate_model::frame::{FaultKind, RowsBuilder};
use ordinate_model::wording::shorten;

/// A complaint about a part of the frame under this key.
fn complaint(key: &'static str, code: ErrorCode, part: &str, detail: String) -> Complaint {
    let pointer = Pointer::root().key(key).key(shorten(part));
    Complaint { code, pointer: Some(pointer.into()), detail }
}

impl<'j> Reader<'j> {
    /// Reads a frame. The keys may be in any order, so the rows are decoded after the column names.
    pub(super) fn split<'s>(&mut self, key: &'static str, terms: Terms<'s>) -> Result<Rows<'s>, ApiError> {
        let mut complaints = Complaints::default();
        let [names, data] = self.split_parts(key, &mut complaints)?;
        let (Some(names), Some(data), 0) = (names, data, complaints.total) else {
            return Ok(Err((complaints.first, complaints.total)));
        };

        let mut rows = terms.rows();
        let mut positions = Vec::new();
        Reader::new(names).each(|reader| {
            match reader.cell()? {
                Cell::Text(name) => positions.push(rows.position(name)),
                other => {
                    complaints.add(|| {
                        let detail = format!("expected a column name, a string, got {other}");
                        complaint(key, ErrorCode::Rows(FaultKind::UnknownFeature), "columns", detail)
                    });
                }
            }
            Ok(())
        })?;
        if complaints.total > 0 {
            return Ok(Err((complaints.first, complaints.total)));
        }
        rows.end_named_row();
        Reader::new(data).each(|reader| reader.split_row(&mut rows, &positions))?;
        Ok(match rows.finish() {
            Ok(frame) => Ok((frame, Layout::Split)),
            Err(faults) => Err(complain(faults, Layout::Split, key)),
        })
    }

    /// The texts of the column names and of the rows, if they are lists.
    fn split_parts(
        &mut self,
        key: &'static str,
        complaints: &mut Complaints,
    ) -> Result<[Option<&'j str>; 2], ApiError> {
        let (mut names, mut data): (Option<&'j str>, Option<&'j str>) = (None, None);
        let mut part = self.first_key()?;
        while let Some(name) = part {
            let text = self.raw()?;
            let place = match name.as_str() {
                "columns" => Some(&mut names),
                "data" => Some(&mut data),
                // Labels of rows, and the names that pandas writes with `orient="tight"`; predictions do not need them.
                "index" | "index_names" | "column_names" => None,
                other => {
                    complaints.add(|| {
                        let other = shorten(other);
                        let detail = format!("unknown key {other:?}; the keys are \"columns\" and \"data\"");
                        complaint(key, ErrorCode::UnknownKey, &other, detail)
                    });
                    None
                }
            };
            if let Some(place) = place
                && place.replace(text).is_some()
            {
                complaints.add(|| complaint(key, ErrorCode::DuplicateKey, &name, format!("duplicate key {name:?}")));
            }
            part = self.next_key()?;
        }
        for (name, part) in [("columns", names), ("data", data)] {
            if !part.is_some_and(|text| text.starts_with('[')) {
                let got = part.map_or("nothing".to_owned(), shorten);
                let detail = format!("{name:?} must be a list, got {got}");
                complaints.add(|| complaint(key, ErrorCode::Rows(FaultKind::InvalidValue), name, detail));
            }
        }
        Ok([names, data])
    }

    /// Reads a row, whose values are those of the columns at these positions.
    fn split_row(&mut self, rows: &mut RowsBuilder<'_>, positions: &[Option<usize>]) -> Result<(), ApiError> {
        rows.start_row()?;
        if self.peek()? != Peek::Array {
            let got = self.cell()?;
            rows.wrong_row(FaultKind::Ragged, format!("expected a list, got {got}"));
            return Ok(());
        }
        let mut got = 0;
        self.each(|reader| {
            match positions.get(got) {
                Some(Some(position)) => rows.set(*position, reader.cell()?),
                _ => reader.skip()?,
            }
            got += 1;
            Ok(())
        })?;
        if got != positions.len() {
            let detail = format!("expected {} values, one per column, got {got}", positions.len());
            rows.wrong_row(FaultKind::WrongWidth, detail);
        }
        Ok(())
    }
}

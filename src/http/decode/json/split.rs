//! `{"columns": ["age", "bmi"], "data": [[59, 32.1]], "index": [0]}`: a frame as pandas splits it (`orient="split"`).

use jiter::Peek;

use super::{Complaint, Complaints, Layout, Pointer, Reader, Rows, Terms, complain};
use crate::http::error::{ApiError, ErrorCode};
use crate::model::fault::FaultKind;
use crate::model::frame::{Cell, shorten};

impl<'j> Reader<'j> {
    /// Keys come in any order; rows can be read once the columns are known.
    pub(super) fn split<'s>(&mut self, key: &'static str, terms: Terms<'s>) -> Result<Rows<'s>, ApiError> {
        let (mut names, mut data): (Option<&'j str>, Option<&'j str>) = (None, None);
        let mut complaints = Complaints::default();
        let complaint = |code, part: &str, detail: String| {
            let pointer = Pointer::root().key(key).key(shorten(part));
            Complaint { code, pointer: Some(pointer.into()), detail }
        };
        let mut part = self.first_key()?;
        while let Some(name) = part {
            let text = self.raw()?;
            let place = match name.as_str() {
                "columns" => Some(&mut names),
                "data" => Some(&mut data),
                // The rows' labels play no part in a prediction.
                "index" => None,
                other => {
                    let detail =
                        format!("the key {:?} is not understood beside \"columns\" and \"data\"", shorten(other));
                    complaints.add(complaint(ErrorCode::UnknownKey, other, detail));
                    None
                }
            };
            if let Some(place) = place
                && place.replace(text).is_some()
            {
                complaints.add(complaint(ErrorCode::DuplicateKey, &name, format!("the key {name:?} is there twice")));
            }
            part = self.next_key()?;
        }
        for (name, part) in [("columns", names), ("data", data)] {
            if !part.is_some_and(|text| text.starts_with('[')) {
                let got = part.map_or("nothing".to_owned(), shorten);
                let detail = format!("{name:?} must be a list, got {got}");
                complaints.add(complaint(ErrorCode::Rows(FaultKind::InvalidValue), name, detail));
            }
        }
        let (Some(names), Some(data), 0) = (names, data, complaints.total) else {
            return Ok(Err((complaints.told, complaints.total)));
        };

        let mut columns = terms.columns();
        let mut positions = Vec::new();
        Reader::new(names).each(|reader| {
            match reader.cell()? {
                Cell::Text(name) => positions.push(columns.start_column(name)),
                other => {
                    let detail = format!("the name of a column must be a string, got {other}");
                    complaints.add(complaint(ErrorCode::Rows(FaultKind::UnknownFeature), "columns", detail));
                }
            }
            Ok(())
        })?;
        if complaints.total > 0 {
            return Ok(Err((complaints.told, complaints.total)));
        }
        Reader::new(data).each(|reader| {
            let mut got = 0;
            if reader.peek()? == Peek::Array {
                reader.each(|reader| {
                    match positions.get(got) {
                        Some(Some(position)) => columns.push(*position, reader.cell()?)?,
                        _ => reader.skip()?,
                    }
                    got += 1;
                    Ok(())
                })?;
                Ok(columns.end_row(&positions, got)?)
            } else {
                let got = reader.cell()?.to_string();
                Ok(columns.wrong_row(&positions, format!("expected a list, got {got}"))?)
            }
        })?;
        Ok(match columns.finish() {
            Ok(frame) => Ok((frame, Layout::Split)),
            Err(faults) => Err(complain(faults, Layout::Split, key)),
        })
    }
}

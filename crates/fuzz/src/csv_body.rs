//! Bodies of `/predict` in CSV.
//!
//! - An accepted body, written again by another library with quotes around each field, has the same answer.
//! - Errors of syntax have a line.

use csv::{QuoteStyle, ReaderBuilder, WriterBuilder};

use crate::service::post;

const CSV: &[(&str, &str)] = &[("content-type", "text/csv")];

/// Checks a body.
pub(crate) fn check(body: &[u8]) -> bool {
    let response = post("/models/people/predict", CSV, body);
    if response.status != 200 {
        let error = response.json();
        let detail = error["detail"].as_str().unwrap();
        if error["code"] == "invalid_csv" {
            assert!(detail.contains("line ") || detail.contains("empty") || detail.contains("header"), "{error}");
        }
        return false;
    }
    let header = body.split(|byte| matches!(byte, b'\n' | b'\r')).find(|line| !line.is_empty()).unwrap_or_default();
    if header.contains(&b';') || header.contains(&b'\t') {
        return true;
    }
    let again = post("/models/people/predict", CSV, &quoted(body));
    let text = String::from_utf8_lossy(body);
    assert_eq!((again.status, again.json()), (response.status, response.json()), "{text}");
    true
}

/// The same table with quotes around each field.
fn quoted(body: &[u8]) -> Vec<u8> {
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(body);
    let mut writer = WriterBuilder::new().quote_style(QuoteStyle::Always).flexible(true).from_writer(Vec::new());
    for record in reader.byte_records() {
        writer.write_byte_record(&record.unwrap()).unwrap();
    }
    writer.into_inner().unwrap()
}

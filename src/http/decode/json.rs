//! The four JSON forms of our own contract, in one pass, without a tree.

use jiter::{Jiter, JiterError, Peek};

use super::pointer::Pointer;
use super::{Layout, complain, utf8};
use crate::http::error::{ApiError, Complaint, ErrorCode};
use crate::model::fault::{FaultKind, Faults};
use crate::model::frame::{Cell, ColumnsBuilder, Frame, RowsBuilder, shorten, values_wanted};
use crate::model::signature::Signature;

/// Reads `{"X": …}`. All that is wrong with the rows and the keys is reported together.
///
/// # Errors
/// 400 when it is not JSON, 413 past `max_rows`, 422 when it does not fit the signature.
pub(in crate::http) fn read<'s>(body: &[u8], signature: &'s Signature, max_rows: usize) -> Result<Frame<'s>, ApiError> {
    let text = utf8(body)?;
    let mut reader = Reader { text, json: Jiter::new(body).with_allow_inf_nan() };
    let mut frame: Option<Rows<'s>> = None;
    let mut complaints = Vec::new();

    if reader.peek()? != Peek::Object {
        let got = reader.cell()?;
        let detail = format!("expected an object such as {{\"X\": [[…]]}}, got {got}");
        let complaint = Complaint { code: ErrorCode::InvalidBody, pointer: Some(Pointer::root().into()), detail };
        reader.finish()?;
        return Err(ApiError::complaints(vec![complaint], 1));
    }
    let mut key = reader.first_key()?;
    while let Some(name) = key {
        if name != "X" {
            let detail = format!("the key {:?} is not understood; the only one is \"X\"", shorten(&name));
            complaints.push(key_complaint(ErrorCode::UnknownKey, &name, detail));
            reader.skip()?;
        } else if frame.is_some() {
            complaints.push(key_complaint(ErrorCode::DuplicateKey, "X", "the key \"X\" is there twice".into()));
            reader.skip()?;
        } else {
            frame = Some(reader.rows(signature, max_rows)?);
        }
        key = reader.next_key()?;
    }
    reader.finish()?;

    let mut total = complaints.len();
    let frame = match frame {
        Some(Ok(frame)) if complaints.is_empty() => return Ok(frame),
        Some(Ok(_)) => None,
        Some(Err(faults)) => Some(faults),
        None => {
            let detail = "the key \"X\" with the rows is missing".into();
            let pointer = Some(Pointer::root().into());
            Some((vec![Complaint { code: ErrorCode::MissingKey, pointer, detail }], 1))
        }
    };
    if let Some((faults, count)) = frame {
        complaints.extend(faults);
        total += count;
    }
    complaints.truncate(crate::model::fault::FAULTS_TOLD);
    Err(ApiError::complaints(complaints, total))
}

fn key_complaint(code: ErrorCode, name: &str, detail: String) -> Complaint {
    Complaint { code, pointer: Some(Pointer::root().key(shorten(name)).into()), detail }
}

/// What came of the rows: a frame, or the complaints about them and their number.
type Rows<'s> = Result<Frame<'s>, (Vec<Complaint>, usize)>;

struct Reader<'j> {
    text: &'j str,
    json: Jiter<'j>,
}

impl<'j> Reader<'j> {
    fn rows<'s>(&mut self, signature: &'s Signature, max_rows: usize) -> Result<Rows<'s>, ApiError> {
        match self.peek()? {
            Peek::Array => self.list_of_rows(signature, max_rows),
            Peek::Object => self.columns(signature, max_rows),
            _ => {
                let got = self.cell()?;
                let detail = format!("\"X\" must be a list of rows or an object of columns, got {got}");
                let complaint = key_complaint(ErrorCode::Rows(FaultKind::InvalidValue), "X", detail);
                Ok(Err((vec![complaint], 1)))
            }
        }
    }

    /// Flat, positional or named rows: the first decides which, and all must be alike.
    fn list_of_rows<'s>(&mut self, signature: &'s Signature, max_rows: usize) -> Result<Rows<'s>, ApiError> {
        let mut rows = RowsBuilder::new(signature, max_rows);
        let first = self.step(jiter::Jiter::known_array)?;
        let layout = first.map_or(Layout::Flat, layout_of);
        let mut element = first;
        while let Some(peek) = element {
            rows.start_row()?;
            if layout_of(peek) == layout {
                match layout {
                    Layout::Positional => self.positional_row(&mut rows)?,
                    Layout::Named => self.named_row(&mut rows)?,
                    _ if signature.width() == 1 => rows.push(self.cell()?),
                    _ => {
                        let got = self.cell()?;
                        let wanted = values_wanted(signature);
                        rows.wrong_row(FaultKind::WrongWidth, format!("expected a list of {wanted}, got {got}"));
                    }
                }
            } else {
                let got = self.cell()?;
                rows.wrong_row(FaultKind::Ragged, format!("expected {} as in row 0, got {got}", layout.noun()));
            }
            element = self.step(jiter::Jiter::array_step)?;
        }
        Ok(rows.finish().map_err(|faults: Faults| complain(faults, layout)))
    }

    fn positional_row(&mut self, rows: &mut RowsBuilder<'_>) -> Result<(), ApiError> {
        let mut element = self.step(jiter::Jiter::known_array)?;
        while element.is_some() {
            rows.push(self.cell()?);
            element = self.step(jiter::Jiter::array_step)?;
        }
        rows.end_positional_row();
        Ok(())
    }

    fn named_row(&mut self, rows: &mut RowsBuilder<'_>) -> Result<(), ApiError> {
        let mut position = self.step(|json| Ok(json.known_object()?.map(|name| rows.position(name))))?;
        while let Some(known) = position {
            match known {
                Some(position) => rows.set(position, self.cell()?),
                None => self.skip()?,
            }
            position = self.step(|json| Ok(json.next_key()?.map(|name| rows.position(name))))?;
        }
        rows.end_named_row();
        Ok(())
    }

    fn columns<'s>(&mut self, signature: &'s Signature, max_rows: usize) -> Result<Rows<'s>, ApiError> {
        let mut columns = ColumnsBuilder::new(signature, max_rows);
        let mut name = self.first_key()?;
        while let Some(column) = name {
            match columns.start_column(&column) {
                Some(position) if self.peek()? == Peek::Array => {
                    let mut element = self.step(jiter::Jiter::known_array)?;
                    while element.is_some() {
                        columns.push(position, self.cell()?)?;
                        element = self.step(jiter::Jiter::array_step)?;
                    }
                }
                Some(position) => columns.wrong_column(position, self.cell()?),
                None => self.skip()?,
            }
            name = self.next_key()?;
        }
        Ok(columns.finish().map_err(|faults| complain(faults, Layout::Columns)))
    }

    /// The next value as a cell; what is in a list or an object where a value was due is passed over.
    fn cell(&mut self) -> Result<Cell<'_>, ApiError> {
        let peek = self.peek()?;
        let start = self.json.current_index();
        Ok(match peek {
            Peek::Null => {
                self.step(jiter::Jiter::known_null)?;
                Cell::Missing
            }
            Peek::True | Peek::False => Cell::Boolean(self.step(|json| json.known_bool(peek))?),
            Peek::Array => {
                self.skip()?;
                Cell::Array
            }
            Peek::Object => {
                self.skip()?;
                Cell::Object
            }
            Peek::String => {
                // Two looks at the same error: a string borrows the reader, an error needs it.
                match self.json.known_str() {
                    Ok(text) => Cell::Text(text),
                    Err(error) => return Err(syntax(self.text, &error)),
                }
            }
            _ => {
                self.step(|json| json.known_number_bytes(peek).map(|_| ()))?;
                match self.text.get(start..self.json.current_index()).unwrap_or_default() {
                    "NaN" | "Infinity" | "-Infinity" => Cell::Missing,
                    digits => Cell::Number(digits),
                }
            }
        })
    }

    fn peek(&mut self) -> Result<Peek, ApiError> {
        self.step(Jiter::peek)
    }

    fn skip(&mut self) -> Result<(), ApiError> {
        self.step(Jiter::next_skip)
    }

    fn finish(&mut self) -> Result<(), ApiError> {
        self.step(Jiter::finish)
    }

    fn first_key(&mut self) -> Result<Option<String>, ApiError> {
        self.step(|json| Ok(json.known_object()?.map(str::to_owned)))
    }

    fn next_key(&mut self) -> Result<Option<String>, ApiError> {
        self.step(|json| Ok(json.next_key()?.map(str::to_owned)))
    }

    /// One step of the iterator; a syntax error becomes an answer with line and column.
    fn step<T>(&mut self, step: impl FnOnce(&mut Jiter<'j>) -> Result<T, JiterError>) -> Result<T, ApiError> {
        step(&mut self.json).map_err(|error| syntax(self.text, &error))
    }
}

fn syntax(text: &str, error: &JiterError) -> ApiError {
    let position = Jiter::new(text.as_bytes()).error_position(error.index);
    let detail = format!("line {}, column {}: {}", position.line, position.column, error.error_type);
    ApiError::new(ErrorCode::InvalidJson, detail)
}

fn layout_of(peek: Peek) -> Layout {
    match peek {
        Peek::Array => Layout::Positional,
        Peek::Object => Layout::Named,
        _ => Layout::Flat,
    }
}

impl Layout {
    fn noun(self) -> &'static str {
        match self {
            Self::Positional => "a list",
            Self::Named => "an object",
            _ => "a single value",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::model::scalar::Scalar;
    use crate::model::signature::{Feature, FeatureType, Missing, Target};

    fn feature(name: &str, kind: FeatureType, missing: Missing) -> Feature {
        Feature { missing, ..Feature::new(name, kind) }
    }

    fn one() -> Signature {
        let target = Target { name: "y".into(), kind: FeatureType::Double };
        Signature::new(vec![feature("x", FeatureType::Double, Missing::Reject)], target).unwrap()
    }

    fn three() -> Signature {
        let features = vec![
            feature("age", FeatureType::Long, Missing::Reject),
            feature("smoker", FeatureType::Boolean, Missing::Reject),
            feature("a/b", FeatureType::Double, Missing::Impute(Scalar::Number(7.0))),
        ];
        Signature::new(features, Target { name: "y".into(), kind: FeatureType::Double }).unwrap()
    }

    fn values(body: &str, signature: &Signature) -> Vec<Vec<f64>> {
        let frame = read(body.as_bytes(), signature, 100).unwrap_or_else(|error| panic!("{body}: {error:?}"));
        frame.iter().map(<[f64]>::to_vec).collect()
    }

    fn refusal(body: &str, signature: &Signature) -> ApiError {
        read(body.as_bytes(), signature, 100).err().unwrap_or_else(|| panic!("{body} was accepted"))
    }

    #[rstest]
    #[case::one_value_a_row(r#"{"X": [1, 2.5, -3e2]}"#)]
    #[case::one_list_a_row(r#"{"X": [[1], [2.5], [-3e2]]}"#)]
    #[case::one_object_a_row(r#"{"X": [{"x": 1}, {"x": 2.5}, {"x": -3e2}]}"#)]
    #[case::columns(r#"{"X": {"x": [1, 2.5, -300]}}"#)]
    fn the_four_forms_say_the_same(#[case] body: &str) {
        assert_eq!(values(body, &one()), [[1.0], [2.5], [-300.0]]);
    }

    #[rstest]
    #[case::positional(r#"{"X": [[41, true, 0.5], [42.0, false, null]]}"#)]
    #[case::named_in_any_order(
        r#"{"X": [{"a/b": 0.5, "age": 41, "smoker": true}, {"smoker": false, "a/b": NaN, "age": 42}]}"#
    )]
    #[case::columns(r#"{"X": {"smoker": [true, false], "a\/b": [0.5, Infinity], "age": [41, 42]}}"#)]
    fn types_names_and_missing_values_mean_the_same_in_every_form(#[case] body: &str) {
        assert_eq!(values(body, &three()), [[41.0, 1.0, 0.5], [42.0, 0.0, 7.0]]);
    }

    #[rstest]
    #[case(
        r#"{"X": [1, "2"]}"#,
        "invalid_value",
        "#/X/1",
        r#"row 1: feature "x" expected a number, got the string "2""#
    )]
    #[case(r#"{"X": [true]}"#, "invalid_value", "#/X/0", r#"row 0: feature "x" expected a number, got true"#)]
    #[case(
        r#"{"X": [null]}"#,
        "missing_value",
        "#/X/0",
        r#"row 0: feature "x" is missing, and the model does not impute it"#
    )]
    #[case(
        r#"{"X": [NaN]}"#,
        "missing_value",
        "#/X/0",
        r#"row 0: feature "x" is missing, and the model does not impute it"#
    )]
    #[case(
        r#"{"X": [-Infinity]}"#,
        "missing_value",
        "#/X/0",
        r#"row 0: feature "x" is missing, and the model does not impute it"#
    )]
    #[case(
        r#"{"X": [9007199254740993]}"#,
        "lossy_number",
        "#/X/0",
        r#"row 0: feature "x" got 9007199254740993, an integer that a double cannot hold exactly"#
    )]
    #[case(r#"{"X": [1e999]}"#, "lossy_number", "#/X/0", r#"row 0: feature "x" got 1e999, too large for a double"#)]
    #[case(r#"{"X": [1e-999]}"#, "lossy_number", "#/X/0", r#"row 0: feature "x" got 1e-999, too small for a double"#)]
    #[case(r#"{"X": []}"#, "no_rows", "#/X", "there are no rows to predict")]
    #[case(r#"{"X": [[]]}"#, "wrong_width", "#/X/0", "row 0: expected 1 value (x), got 0")]
    #[case(r#"{"X": [[1, 2]]}"#, "wrong_width", "#/X/0", "row 0: expected 1 value (x), got 2")]
    #[case(r#"{"X": [[[1]]]}"#, "invalid_value", "#/X/0/0", r#"row 0: feature "x" expected a number, got an array"#)]
    #[case(r#"{"X": [1, [2]]}"#, "ragged_rows", "#/X/1", "row 1: expected a single value as in row 0, got an array")]
    #[case(
        r#"{"X": [{"x": 1, "z": 2}]}"#,
        "unknown_feature",
        "#/X/0/z",
        r#"row 0: feature "z" is not a feature of this model"#
    )]
    #[case(r#"{"X": [{"x": 1, "x": 1}]}"#, "duplicate_feature", "#/X/0/x", r#"row 0: feature "x" is there twice"#)]
    #[case(r#"{"X": [{}]}"#, "missing_feature", "#/X/0/x", r#"row 0: feature "x" is missing"#)]
    #[case(r#"{"X": {}}"#, "missing_feature", "#/X/x", r#"feature "x" is missing"#)]
    #[case(r#"{"X": {"x": []}}"#, "no_rows", "#/X", "there are no rows to predict")]
    #[case(
        r#"{"X": {"x": [1, "a"]}}"#,
        "invalid_value",
        "#/X/x/1",
        r#"row 1: feature "x" expected a number, got the string "a""#
    )]
    #[case(
        r#"{"X": {"x": 1}}"#,
        "invalid_value",
        "#/X/x",
        r#"feature "x" expected a list of values, got the number 1"#
    )]
    #[case(r#"{"X": {"x": [1], "x": [1]}}"#, "duplicate_feature", "#/X/x", r#"feature "x" is there twice"#)]
    #[case(
        r#"{"X": 1}"#,
        "invalid_value",
        "#/X",
        r#""X" must be a list of rows or an object of columns, got the number 1"#
    )]
    #[case(
        r#"{"X": "1"}"#,
        "invalid_value",
        "#/X",
        r#""X" must be a list of rows or an object of columns, got the string "1""#
    )]
    #[case(r"{}", "missing_key", "#", r#"the key "X" with the rows is missing"#)]
    #[case(r"[1]", "invalid_body", "#", r#"expected an object such as {"X": [[…]]}, got an array"#)]
    #[case(r#"{"X": [1], "x": 2}"#, "unknown_key", "#/x", r#"the key "x" is not understood; the only one is "X""#)]
    #[case(r#"{"X": [1], "X": [1]}"#, "duplicate_key", "#/X", r#"the key "X" is there twice"#)]
    fn what_does_not_fit_is_told_with_its_place(
        #[case] body: &str,
        #[case] code: &str,
        #[case] pointer: &str,
        #[case] detail: &str,
    ) {
        let error = refusal(body, &one());
        let complaint = &error.complaints[0];
        assert_eq!(error.code.status(), 422, "{body}");
        assert_eq!((complaint.code.as_str(), complaint.pointer.as_deref()), (code, Some(pointer)), "{body}");
        assert_eq!(complaint.detail, detail, "{body}");
        assert_eq!(error.complaints.len(), 1, "{body}: {error:?}");
    }

    #[test]
    fn all_faults_of_a_body_are_told_together() {
        let body = r#"{"interval": 0.9, "X": [{"age": 4.5, "smoker": 1, "a/b": "x"}, {"age": 41, "Age": 1}]}"#;
        let told: Vec<_> = refusal(body, &three()).complaints.into_iter().map(|c| c.pointer.unwrap()).collect();
        let expected =
            ["#/interval", "#/X/0/age", "#/X/0/smoker", "#/X/0/a~1b", "#/X/1/Age", "#/X/1/smoker", "#/X/1/a~1b"];
        assert_eq!(told, expected);
    }

    #[test]
    fn twenty_faults_are_told_and_the_rest_is_counted() {
        let body = format!("{{\"X\": [{}]}}", vec!["null"; 50].join(","));
        let error = refusal(&body, &one());
        assert_eq!(error.complaints.len(), 20);
        assert!(error.detail.ends_with("(and 49 more)"), "{}", error.detail);
    }

    #[test]
    fn one_value_a_row_is_never_guessed_into_a_wider_model() {
        let error = refusal(r#"{"X": [41, 1, 0.5]}"#, &three());
        assert_eq!(
            error.complaints[0].detail,
            "row 0: expected a list of 3 values (age, smoker, a/b), got the number 41"
        );
    }

    #[test]
    fn columns_of_different_lengths_are_refused() {
        let error = refusal(r#"{"X": {"age": [1, 2], "smoker": [true], "a/b": [1, 2]}}"#, &three());
        assert_eq!(error.complaints[0].detail, "feature \"smoker\" has 1 values, the longest column has 2");
    }

    #[rstest]
    #[case("")]
    #[case("{")]
    #[case(r#"{"X": [1,]}"#)]
    #[case(r#"{"X": [01]}"#)]
    #[case(r#"{"X": [1]} x"#)]
    #[case(r#"{"X": [1]}{"X": [1]}"#)]
    #[case(r#"{"X": ['a']}"#)]
    #[case(r#"{"X": [nan]}"#)]
    #[case(r#"{"X": ["\ud800"]}"#)]
    #[case("\u{feff}{}")]
    fn what_is_not_json_is_a_400_with_line_and_column(#[case] body: &str) {
        let error = refusal(body, &one());
        assert_eq!((error.code.as_str(), error.code.status().as_u16()), ("invalid_json", 400), "{body}");
        assert!(error.detail.starts_with("line 1, column "), "{}", error.detail);
    }

    #[test]
    fn a_depth_bomb_is_an_error_like_any_other() {
        for (open, shut) in [("[", "]"), (r#"{"x":"#, "}")] {
            let bomb = format!("{{\"X\": {}1{}}}", open.repeat(200_000), shut.repeat(200_000));
            assert_eq!(refusal(&bomb, &one()).code.status(), 400);
        }
    }

    #[test]
    fn text_that_is_not_utf8_is_told_by_its_place() {
        let error = read(b"{\"X\":\n [\"\xff\"]}", &one(), 100).unwrap_err();
        assert_eq!(error.code.as_str(), "invalid_utf8");
        assert_eq!(error.detail, "byte 9 (line 2, column 4) is not UTF-8");
    }

    #[test]
    fn reading_stops_at_the_row_limit_in_every_form() {
        let list = |row: &str| format!("{{\"X\": [{}]}}", vec![row; 101].join(","));
        let columns = format!("{{\"X\": {{\"x\": [{}]}}}}", vec!["1"; 101].join(","));
        for body in [list("1"), list("[1]"), list("{\"x\": 1}"), columns] {
            assert_eq!(refusal(&body, &one()).code.as_str(), "too_many_rows");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(body: Vec<u8>) {
            let _ = read(&body, &three(), 10);
        }

        #[test]
        fn nothing_that_looks_like_a_body_panics(body in r#"\{"X": ?[\[\]\{\}"a-zX0-9eE+\-.,:NaInfity \\]{0,60}"#) {
            let _ = read(body.as_bytes(), &three(), 10);
        }

        #[test]
        fn numbers_arrive_bit_by_bit(numbers in prop::collection::vec(any::<f64>().prop_filter("finite", |n| n.is_finite()), 1..50)) {
            let body = serde_json::json!({"X": numbers}).to_string();
            let rows = values(&body, &one());
            let read: Vec<u64> = rows.iter().map(|row| row[0].to_bits()).collect();
            let written: Vec<u64> = numbers.iter().map(|number| number.to_bits()).collect();
            prop_assert_eq!(read, written);
        }
    }
}

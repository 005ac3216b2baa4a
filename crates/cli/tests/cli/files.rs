//! Files as R, pandas, Excel and instruments write them are read by `train`, `evaluate` and `predict` alike.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use parquet::data_type::{
    ByteArray, ByteArrayType, DoubleType, FixedLenByteArrayType, Int32Type, Int64Type, Int96Type,
};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::support::{command, complained, run, said, succeeded, text, train};

/// Values of x; y is 2x + 1.
const X: [u32; 8] = [1, 2, 3, 5, 8, 13, 21, 34];

/// A line for each row, made from its number, x and y.
fn lines(line: impl Fn(usize, u32, u32) -> String) -> String {
    X.iter().enumerate().map(|(row, x)| line(row, *x, 2 * x + 1)).collect()
}

fn folder_with(name: &str, content: impl AsRef<[u8]>) -> TempDir {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join(name), content).unwrap();
    folder
}

fn utf_16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn features(folder: &TempDir) -> Vec<String> {
    let model: Value = serde_json::from_slice(&fs::read(folder.path().join("m.json")).unwrap()).unwrap();
    let features = model["signature"]["features"].as_array().unwrap();
    features.iter().map(|feature| feature["name"].as_str().unwrap().to_owned()).collect()
}

/// Trains on a file with the features `x` or `x` and `g`, evaluates and predicts it. Returns the notes of training.
fn round_trip(folder: &TempDir, data: &str, options: &str, expected: &[&str]) -> String {
    let output = train(folder.path(), &format!("{data} --target y --test-fraction 0 --out m.json {options}"));
    // The rows are on a line.
    let is_note = |line: &&str| line.starts_with("Note: ") && !line.contains("the fit is exact");
    let notes = succeeded(&output).lines().filter(is_note).collect::<Vec<_>>().join("\n");
    assert_eq!(features(folder), expected, "{notes}");
    let model: Value = serde_json::from_slice(&fs::read(folder.path().join("m.json")).unwrap()).unwrap();
    if expected == ["x"] {
        assert!((model["estimator"]["coefficients"]["x"].as_f64().unwrap() - 2.0).abs() < 1e-9, "{notes}");
    }
    let evaluated = run(folder, &format!("evaluate m.json {data} --json {options}"));
    let evaluated: Value = serde_json::from_str(said(&evaluated)).unwrap();
    assert_eq!(evaluated["rows"], json!(model["training"]["rows"]));
    let predicted = run(folder, &format!("predict m.json {data} {options}"));
    assert_eq!(said(&predicted).lines().count() as u64, model["training"]["rows"].as_u64().unwrap() + 1);
    notes
}

#[rstest]
#[case::write_csv_of_r("\"\",\"x\",\"y\"\n".to_owned() + &lines(|row, x, y| format!("\"{}\",{x},{y}\n", row + 1)), "the row index is ignored: \"Unnamed: 0\"")]
#[case::write_table_of_r("\"x\" \"y\"\n".to_owned() + &lines(|row, x, y| format!("\"Fiat {row}\" {x} {y}\n")), "one name fewer than the rows have fields")]
#[case::write_table_with_tabs("x\ty\n".to_owned() + &lines(|row, x, y| format!("{}\t{x}\t{y}\n", row * 3)), "separated by tabs")]
#[case::write_table_with_commas("\"x\",\"y\"\n".to_owned() + &lines(|row, x, y| format!("\"{}\",{x},{y}\n", row + 1)), "the row index is ignored")]
#[case::to_csv_of_pandas(",x,y\n".to_owned() + &lines(|row, x, y| format!("{row},{x},{y}\n")), "the row index is ignored: \"Unnamed: 0\"")]
#[case::to_csv_of_pandas_twice(",Unnamed: 0,x,y\n".to_owned() + &lines(|row, x, y| format!("{row},{row},{x},{y}\n")), "ignored: \"Unnamed: 0.1\", \"Unnamed: 0\"")]
#[case::semicolons_of_excel("\u{feff}x;y\r\n".to_owned() + &lines(|_, x, y| format!("{x};{y}\r\n")), "separated by semicolons")]
#[case::unicode_text_of_excel(utf_16(&("\u{feff}x\ty\r\n".to_owned() + &lines(|_, x, y| format!("{x}\t{y}\r\n")))), "encoded in utf-16le")]
#[case::a_title_of_excel("Zahlen 2024;\r\n\r\nx;y\r\n".to_owned() + &lines(|_, x, y| format!("{x};{y}\r\n")), "lines before the header are ignored: line 1")]
#[case::comments_of_noaa("# source: NOAA, 2024\n# units: ppm\nx,y\n".to_owned() + &lines(|_, x, y| format!("{x},{y}\n")), "lines that begin with # are comments and are ignored: lines 1, 2")]
#[case::comments_in_between("x,y\n".to_owned() + &lines(|row, x, y| format!("{}{x},{y}\n", if row == 3 { "% calibrated\n" } else { "" })), "ignored: line 5")]
#[case::a_delimiter_at_the_end("x,y\n".to_owned() + &lines(|_, x, y| format!("{x},{y},\n")), "the delimiter at the end of every row is ignored")]
#[case::runs_of_spaces("     x      y\n".to_owned() + &lines(|_, x, y| format!("{x:>6} {y:>6}\n")), "separated by spaces")]
#[case::bars("x|y\n".to_owned() + &lines(|_, x, y| format!("{x}|{y}\n")), "separated by |")]
#[case::the_mark_of_dos("x,y\r\n".to_owned() + &lines(|_, x, y| format!("{x},{y}\r\n")) + "\u{1a}", "")]
fn a_file_is_read_as_it_was_written(#[case] data: impl AsRef<[u8]>, #[case] note: &str) {
    let folder = folder_with("data.csv", data);
    let notes = round_trip(&folder, "data.csv", "", &["x"]);
    assert!(notes.contains(note), "{note:?} is not in {notes}");
    if note.is_empty() {
        assert_eq!(notes, "");
    }
}

#[test]
fn text_of_excel_in_windows_1252_keeps_its_characters() {
    let text = lines(|row, x, y| format!("{};{x};{y}\r\n", ["été", "10 €", "l’autre"][row % 3]));
    let bytes: Vec<u8> = format!("g;x;y\r\n{text}")
        .chars()
        .map(|character| match character {
            '€' => 0x80,
            '’' => 0x92,
            other => u8::try_from(u32::from(other)).unwrap(),
        })
        .collect();
    let folder = folder_with("data.csv", bytes);
    let notes = round_trip(&folder, "data.csv", "", &["g", "x"]);
    assert!(notes.contains("the text is encoded in windows-1252"), "{notes}");
    let model = fs::read_to_string(folder.path().join("m.json")).unwrap();
    assert!(model.contains("10 €") && model.contains("l’autre") && model.contains("été"), "{model}");
    let notes = round_trip(&folder, "data.csv", "--encoding windows-1252 --delimiter ;", &["g", "x"]);
    assert!(!notes.contains("encoded") && !notes.contains("separated"), "{notes}");
    let model: Value = serde_json::from_slice(&fs::read(folder.path().join("m.json")).unwrap()).unwrap();
    assert_eq!(model["training"]["parameters"]["encoding"], json!("windows-1252"));
    assert_eq!(model["training"]["parameters"]["delimiter"], json!(";"));
}

#[rstest]
#[case::without_a_header(lines(|_, x, y| format!("{x},{y}\n")), "--header x,y")]
#[case::another_header("a,b\n".to_owned() + &lines(|_, x, y| format!("{x},{y}\n")), "--header x,y --skip-lines 1")]
#[case::comments("x,y\n".to_owned() + &lines(|row, x, y| format!("{}{x},{y}\n", if row == 2 { "!9,9\n" } else { "" })), "--comment !")]
#[case::lines_before("a,b\nx,y\n".to_owned() + &lines(|_, x, y| format!("{x},{y}\n")), "--skip-lines 1")]
#[case::a_rare_delimiter("x~y\n".to_owned() + &lines(|_, x, y| format!("{x}~{y}\n")), "--delimiter ~")]
#[case::spaces("x y\n".to_owned() + &lines(|_, x, y| format!("{x} {y}\n")), "--delimiter space")]
fn options_say_how_a_file_is_read(#[case] data: String, #[case] options: &str) {
    let folder = folder_with("data.csv", data);
    assert_eq!(round_trip(&folder, "data.csv", options, &["x"]), "");
}

#[test]
fn columns_of_a_file_without_a_header_are_numbered() {
    let folder = folder_with("data.csv", lines(|_, x, y| format!("{x};{y}\n")));
    let output = train(folder.path(), "data.csv --header none --target column_2 --test-fraction 0 --out m.json");
    succeeded(&output);
    assert_eq!(features(&folder), ["column_1"]);
    let predicted = run(&folder, "predict m.json data.csv --header none");
    assert!(said(&predicted).starts_with("column_1;column_2;prediction\n1;3;3"), "{predicted:?}");
}

#[test]
fn an_index_and_repeated_columns_can_be_features() {
    let data = ",x,x,,y\n".to_owned() + &lines(|row, x, y| format!("{},{x},{},{},{y}\n", row * row, x % 3, x % 5));
    let folder = folder_with("data.csv", data);
    let notes = round_trip(&folder, "data.csv", "", &["x", "x.1", "Unnamed: 3"]);
    assert!(notes.contains("columns with the name of another column are renamed: \"x\" (\"x.1\")"), "{notes}");
    assert!(notes.contains("columns without a name are named \"Unnamed: 3\""), "{notes}");
    let mut trained = command(folder.path(), "train data.csv --target y --test-fraction 0 --out m.json --features");
    succeeded(&trained.args(["x,Unnamed: 0"]).output().unwrap());
    assert_eq!(features(&folder), ["x", "Unnamed: 0"]);
    assert!(said(&run(&folder, "predict m.json data.csv")).starts_with(",x,x.1,Unnamed: 3,y,prediction\n0,1,1,1,3,"));
}

#[test]
fn compressed_files_are_read_everywhere() {
    let text = "x,y\n".to_owned() + &lines(|_, x, y| format!("{x},{y}\n"));
    let gzip = {
        use std::io::Write;
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(text.as_bytes()).unwrap();
        gzip.finish().unwrap()
    };
    let zstandard = zstd::encode_all(text.as_bytes(), 0).unwrap();
    for (name, content) in [("data.csv.gz", gzip), ("data.csv.zst", zstandard)] {
        let folder = folder_with(name, &content);
        assert_eq!(round_trip(&folder, name, "", &["x"]), "");
        let piped = |arguments: &str| {
            let file = File::open(folder.path().join(name)).unwrap();
            command(folder.path(), arguments).stdin(Stdio::from(file)).output().unwrap()
        };
        succeeded(&piped("train - --target y --test-fraction 0 --out m.json"));
        assert!(said(&piped("predict m.json -")).starts_with("x,y,prediction\n1,3,"));
        // The checksum is of the file as it is.
        let model: Value = serde_json::from_slice(&fs::read(folder.path().join("m.json")).unwrap()).unwrap();
        let digest = ordinate_model::identity::Checksum::compute(&content);
        assert_eq!(model["training"]["data_sha256"], json!(digest.as_str()));
        fs::write(folder.path().join(name), &content[..content.len() - 9]).unwrap();
        assert!(complained(&run(&folder, &format!("predict m.json {name}"))).contains("cannot be read"));
    }
}

#[test]
fn the_names_of_folders_are_a_column() {
    let folder = tempdir().unwrap();
    let part = |name: &str, group: u32, header: &str| {
        let path = folder.path().join("hive").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = lines(|row, x, _| {
            if header == "x,y" {
                format!("{x},{}\n", 2 * x + 10 * group + u32::from(row == 0))
            } else {
                format!("{},{x}\n", 2 * x + 10 * group)
            }
        });
        fs::write(path, format!("{header}\n{text}")).unwrap();
    };
    part("g=a%20b/part.csv", 1, "x,y");
    part("g=c/part.csv", 2, "y,x");
    part("g=d/deeper/part.csv", 3, "x,y");
    for data in ["hive", "hive/g=a%20b/part.csv hive/g=c/part.csv hive/g=d/deeper/part.csv"] {
        round_trip(&folder, data, "", &["x", "g"]);
    }
    let predicted = run(&folder, "predict m.json hive/*/part.csv");
    assert!(said(&predicted).starts_with("x,y,g,prediction\n1,13,a b,"), "{predicted:?}");
    let model = fs::read_to_string(folder.path().join("m.json")).unwrap();
    assert!(model.contains("\"a b\"") && model.contains("\"c\"") && model.contains("\"d\""), "{model}");
}

/// Columns as pandas, Spark and others write them: all kinds of dates, a decimal, a list, bytes.
fn parquet(path: &Path) {
    let schema = "message rows {
        REQUIRED INT32 day (DATE);
        REQUIRED INT64 seen (TIMESTAMP(NANOS,true));
        REQUIRED INT96 old;
        REQUIRED FIXED_LEN_BYTE_ARRAY(4) price (DECIMAL(9,2));
        REQUIRED BYTE_ARRAY raw;
        OPTIONAL group words (LIST) { REPEATED group list { OPTIONAL BYTE_ARRAY element (STRING); } }
        REQUIRED DOUBLE y;
    }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(File::create(path).unwrap(), schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    macro_rules! column {
        ($kind:ty, $values:expr, $levels:expr) => {{
            let mut column = group.next_column().unwrap().unwrap();
            let levels: Option<Vec<i16>> = $levels;
            let levels = levels.as_deref();
            column.typed::<$kind>().write_batch(&$values, levels, levels.map(|_| [0; 12].as_slice())).unwrap();
            column.close().unwrap();
        }};
    }
    let rows = 0..12_i32;
    let days: Vec<i32> = rows.clone().map(|row| 19_000 + row * row).collect();
    column!(Int32Type, days, None);
    let seen: Vec<i64> = rows.clone().map(|row| i64::from(row % 5) * 43_200_000_000_000 + 1).collect();
    column!(Int64Type, seen, None);
    let old: Vec<parquet::data_type::Int96> =
        rows.clone().map(|row| vec![0, 0, 2_440_588 + u32::try_from(row % 7).unwrap()].into()).collect();
    column!(Int96Type, old, None);
    let prices: Vec<_> =
        rows.clone().map(|row| ByteArray::from((row * 101 % 7).to_be_bytes().to_vec()).into()).collect();
    column!(FixedLenByteArrayType, prices, None);
    let raw: Vec<ByteArray> = rows.clone().map(|row| ByteArray::from(vec![0xff, u8::try_from(row).unwrap()])).collect();
    column!(ByteArrayType, raw, None);
    column!(ByteArrayType, [] as [ByteArray; 0], Some(vec![0; 12]));
    let y: Vec<f64> = rows.map(|row| f64::from(row * 53 % 17)).collect();
    column!(DoubleType, y, None);
    group.close().unwrap();
    writer.close().unwrap();
}

#[test]
fn columns_of_parquet_that_a_model_cannot_use_are_ignored() {
    let folder = tempdir().unwrap();
    parquet(&folder.path().join("data.parquet"));
    let output = train(folder.path(), "data.parquet --target y --features price --test-fraction 0 --out m.json");
    assert!(!succeeded(&output).contains("cannot use"), "{output:?}");
    let output = train(folder.path(), "data.parquet --target y --exclude day,seen,old --test-fraction 0 --out m.json");
    let note =
        "Note: columns that a model cannot use are ignored: raw (bytes that are not text), words (lists or groups)";
    assert!(succeeded(&output).contains(note), "{output:?}");
    assert_eq!(features(&folder), ["price"]);
    let failed = train(folder.path(), "data.parquet --target y --features words");
    assert!(complained(&failed).contains("column \"words\": expected numbers, booleans or text, got lists or groups"));
    // Dates and times are written with all their digits.
    let predicted = run(&folder, "predict m.json data.parquet");
    let second = said(&predicted).lines().nth(2).unwrap();
    assert!(second.starts_with("2022-01-09,1970-01-01T12:00:00.000000001Z,1970-01-02T00:00:00Z,0.03,"), "{second}");
    assert!(text(&predicted.stderr).is_empty());
}

//! `ordinate train` on Parquet files.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss
)]

use std::fs::{self, File};
use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use rstest::rstest;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::support::{complained, json_of, run, succeeded, train};

const ROWS: usize = 40;

/// A row: `age` and `colour` have gaps.
fn row(i: usize) -> (Option<i64>, Option<&'static str>, bool, f64) {
    let age = (i % 11 != 4).then_some(20 + (i64::try_from(i).unwrap() * 37) % 50);
    let colour = (i % 13 != 5).then_some(["green", "blue", "red"][i * i % 7 % 3]);
    (age, colour, i * 11 % 5 < 2, (i * 53 % 17) as f64 / 8.0)
}

/// The rows in two row groups, as pandas or Polars would write them.
fn parquet(path: &Path, compression: Compression) {
    let schema = "message staff {
        OPTIONAL INT64 age;
        OPTIONAL BYTE_ARRAY colour (STRING);
        REQUIRED BOOLEAN smokes;
        REQUIRED INT64 day (TIMESTAMP(MILLIS, true));
        REQUIRED DOUBLE pay;
    }";
    let properties = WriterProperties::builder().set_compression(compression).build();
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(fs::File::create(path).unwrap(), schema, Arc::new(properties)).unwrap();
    for rows in [0..ROWS / 2, ROWS / 2..ROWS] {
        let rows: Vec<_> = rows.map(row).collect();
        let mut group = writer.next_row_group().unwrap();
        let levels = |present: Vec<bool>| present.into_iter().map(i16::from).collect::<Vec<i16>>();
        let ages: Vec<i64> = rows.iter().filter_map(|row| row.0).collect();
        let defined = levels(rows.iter().map(|row| row.0.is_some()).collect());
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int64Type>().write_batch(&ages, Some(&defined), None).unwrap();
        column.close().unwrap();
        let colours: Vec<ByteArray> = rows.iter().filter_map(|row| row.1).map(ByteArray::from).collect();
        let defined = levels(rows.iter().map(|row| row.1.is_some()).collect());
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&colours, Some(&defined), None).unwrap();
        column.close().unwrap();
        let smokes: Vec<bool> = rows.iter().map(|row| row.2).collect();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<BoolType>().write_batch(&smokes, None, None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int64Type>().write_batch(&vec![0; rows.len()], None, None).unwrap();
        column.close().unwrap();
        let pay: Vec<f64> = rows.iter().map(|row| row.3).collect();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<DoubleType>().write_batch(&pay, None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    writer.close().unwrap();
}

fn csv(path: &Path) {
    let line = |i| {
        let (age, colour, smokes, pay) = row(i);
        let age = age.map(|age| age.to_string()).unwrap_or_default();
        format!("{age},{},{smokes},0,{pay}\n", colour.unwrap_or_default())
    };
    fs::write(path, format!("age,colour,smokes,day,pay\n{}", (0..ROWS).map(line).collect::<String>())).unwrap();
}

fn folder_with_parquet(compression: Compression) -> TempDir {
    let folder = tempdir().unwrap();
    parquet(&folder.path().join("data.parquet"), compression);
    folder
}

/// The error, and perhaps a line of help, that a run ended with.
fn failed(output: &Output) -> String {
    let said = complained(output);
    let is_help = |line: &str| line.starts_with("help: ");
    assert!(said.starts_with("error: ") && said.lines().skip(1).all(is_help), "{said}");
    said.to_owned()
}

const ARGUMENTS: &str =
    "--target pay --exclude day --missing median --missing colour=most-frequent --test-fraction 0 --out m.json";

#[rstest]
#[case::plain(Compression::UNCOMPRESSED)]
#[case::snappy(Compression::SNAPPY)]
#[case::zstd(Compression::ZSTD(ZstdLevel::default()))]
#[case::gzip(Compression::GZIP(GzipLevel::default()))]
#[case::lz4(Compression::LZ4_RAW)]
#[case::brotli(Compression::BROTLI(BrotliLevel::default()))]
fn training_on_parquet_equals_training_on_the_same_csv(#[case] compression: Compression) {
    let folder = folder_with_parquet(compression);
    csv(&folder.path().join("data.csv"));
    let model = |data: &str| -> Value {
        let output = train(folder.path(), &format!("{data} {ARGUMENTS}"));
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&fs::read(folder.path().join("m.json")).unwrap()).unwrap()
    };
    let (parquet, csv) = (model("data.parquet"), model("data.csv"));
    for part in ["signature", "preprocess", "estimator", "inference", "golden"] {
        assert_eq!(parquet[part], csv[part], "{part}");
    }
    assert_eq!(csv["training"]["rows"], ROWS);
}

#[test]
fn errors_name_row_and_column() {
    let folder = folder_with_parquet(Compression::SNAPPY);
    let dates = failed(&train(folder.path(), "data.parquet --target day"));
    assert!(dates.contains("target \"day\": the column has dates"), "{dates}");
    let absent = failed(&train(folder.path(), "data.parquet --target salary"));
    assert!(absent.contains("data.parquet: no column \"salary\"") && absent.contains("\"pay\""), "{absent}");
    fs::write(folder.path().join("other.csv"), "x,y\n1,2\n").unwrap();
    let other = failed(&train(folder.path(), "other.csv data.parquet --target y"));
    assert!(other.contains("data.parquet: the header differs from the header of other.csv"), "{other}");
}

#[test]
fn a_file_without_columns_is_an_error() {
    let folder = tempdir().unwrap();
    let schema = Arc::new(parse_message_type("message schema { }").unwrap());
    let file = File::create(folder.path().join("data.parquet")).unwrap();
    SerializedFileWriter::new(file, schema, Arc::default()).unwrap().close().unwrap();
    for arguments in ["train data.parquet --target y", "predict line data.parquet", "evaluate line data.parquet"] {
        let said = failed(&run(&folder, arguments));
        assert!(said.contains("data.parquet: the file has no columns"), "{said}");
    }
}

/// Times of day are no dates.
#[rstest]
#[case("TIMESTAMP(NANOS,true)", true)]
#[case("TIMESTAMP(MICROS,false)", true)]
#[case("TIME(NANOS,true)", false)]
fn dates_are_features_in_any_unit(#[case] kind: &str, #[case] is_date: bool) {
    let folder = tempdir().unwrap();
    let schema = format!("message schema {{ required int64 seen ({kind}); required double y; }}");
    let file = File::create(folder.path().join("data.parquet")).unwrap();
    let schema = Arc::new(parse_message_type(&schema).unwrap());
    let mut writer = SerializedFileWriter::new(file, schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let seen: Vec<i64> = (0..20).map(|second| (second * second % 7) * 1_000_000_000).collect();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int64Type>().write_batch(&seen, None, None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let y: Vec<f64> = (0..20).map(f64::from).collect();
    column.typed::<DoubleType>().write_batch(&y, None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    let trained = train(folder.path(), "data.parquet --target y --out m.json");
    if is_date {
        succeeded(&trained);
        assert_eq!(json_of(folder.path().join("m.json"))["signature"]["features"][0]["type"], "date");
    } else {
        assert!(failed(&trained).contains("no columns left to predict \"y\" from"), "{trained:?}");
    }
}

/// A truncated file, or a file with a changed byte, gives an error or a model, never a panic.
#[test]
fn a_damaged_file_is_one_clear_error() {
    let folder = folder_with_parquet(Compression::SNAPPY);
    let whole = fs::read(folder.path().join("data.parquet")).unwrap();
    let path = folder.path().join("damaged.parquet");
    for cut in [4, 8, 100, whole.len() / 2, whole.len() - 9, whole.len() - 1] {
        fs::write(&path, &whole[..cut]).unwrap();
        let said = failed(&train(folder.path(), &format!("damaged.parquet {ARGUMENTS}")));
        assert!(said.contains("damaged.parquet"), "{said}");
    }
    for position in (4..whole.len()).step_by(whole.len() / 40) {
        let mut damaged = whole.clone();
        damaged[position] ^= 0xff;
        fs::write(&path, &damaged).unwrap();
        let output = train(folder.path(), &format!("damaged.parquet {ARGUMENTS}"));
        if !output.status.success() {
            failed(&output);
        }
    }
    assert!(
        !folder.path().join("m.json").exists() || fs::read(folder.path().join("m.json")).unwrap().ends_with(b"}\n")
    );
}

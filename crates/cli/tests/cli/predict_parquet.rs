//! `ordinate predict` and `ordinate evaluate` on Parquet files.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::support::{command, complained, run, text};

/// Three rows of a model's feature `x` (none in the second), a count, a name, a day and the target `y`.
fn parquet(path: &Path) {
    let schema = "message rows {
        OPTIONAL DOUBLE x;
        REQUIRED INT32 count;
        OPTIONAL BYTE_ARRAY name (STRING);
        REQUIRED INT32 day (DATE);
        REQUIRED DOUBLE y;
    }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(File::create(path).unwrap(), schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<DoubleType>().write_batch(&[0.5, 2.0], Some(&[1, 0, 1]), None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int32Type>().write_batch(&[7, 8, -9], None, None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let names = ["a,\"b\"", "é"].map(ByteArray::from);
    column.typed::<ByteArrayType>().write_batch(&names, Some(&[1, 1, 0]), None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int32Type>().write_batch(&[0, 1, 20_000], None, None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<DoubleType>().write_batch(&[2.0, 3.0, 0.1], None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
}

#[test]
fn a_parquet_file_is_the_table_that_its_csv_is() {
    let folder = tempdir().unwrap();
    parquet(&folder.path().join("rows.parquet"));
    let output = run(&folder, "predict line rows.parquet --on-error empty");
    assert_eq!(
        text(&output.stdout),
        "x,count,name,day,y,prediction\n0.5,7,\"a,\"\"b\"\"\",1970-01-01,2.0,2.0\n,8,é,1970-01-02,3.0,\n\
         2.0,-9,,2024-10-04,0.1,5.0\n"
    );
    let complaint = "row 2, column \"x\": the value is missing, and the model does not impute it";
    assert_eq!(text(&output.stderr), format!("rows.parquet: 1 of 3 rows without a prediction:\n  {complaint}\n"));
    assert!(complained(&run(&folder, "predict line rows.parquet")).contains(&format!("rows.parquet: {complaint}")));

    let output = run(&folder, "evaluate line rows.parquet --on-error skip --json");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answer["rows"], &answer["left_out"]), (&json!(2), &json!(1)));
    let output = run(&folder, "predict diabetes rows.parquet");
    assert!(complained(&output).contains("rows.parquet: no column \"age\""));
}

/// Row groups of three rows, with these values of `x`, and a name.
fn row_groups(path: &Path, groups: &[[Option<f64>; 3]]) {
    let schema = "message rows { OPTIONAL DOUBLE x; OPTIONAL BYTE_ARRAY name (STRING); }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let compression = Compression::ZSTD(ZstdLevel::default());
    let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
    let mut writer = SerializedFileWriter::new(File::create(path).unwrap(), schema, properties).unwrap();
    for (number, x) in groups.iter().enumerate() {
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let (present, values) = (x.map(|x| i16::from(x.is_some())), x.iter().copied().flatten().collect::<Vec<f64>>());
        column.typed::<DoubleType>().write_batch(&values, Some(&present), None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let names = [ByteArray::from(format!("first of {number}").as_str()), ByteArray::from("last")];
        column.typed::<ByteArrayType>().write_batch(&names, Some(&[1, 0, 1]), None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    writer.close().unwrap();
}

#[test]
fn columns_of_a_row_group_are_copied_as_they_are_unless_a_row_is_left_out() {
    let folder = tempdir().unwrap();
    let (input, output) = (folder.path().join("rows.parquet"), folder.path().join("out.parquet"));
    let groups = [[Some(1.0), Some(2.0), Some(3.0)], [Some(4.0), None, Some(6.0)], [Some(7.0), Some(8.0), Some(9.0)]];
    row_groups(&input, &groups);
    run(&folder, "predict line rows.parquet --on-error skip --out out.parquet");
    let chunk = |path: &Path, group: usize, column: usize| {
        let bytes = fs::read(path).unwrap();
        let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
        let chunk = reader.metadata().row_group(group).column(column);
        let (start, length) = chunk.byte_range();
        let range = usize::try_from(start).unwrap()..usize::try_from(start + length).unwrap();
        (chunk.compression(), chunk.num_values(), bytes[range].to_vec())
    };
    for column in 0..2 {
        for group in [0, 2] {
            assert_eq!(chunk(&input, group, column), chunk(&output, group, column), "{group} {column}");
        }
        let (compression, values, _) = chunk(&output, 1, column);
        assert_eq!((compression, values), (Compression::SNAPPY, 2));
    }
    let output = run(&folder, "predict line out.parquet --column again");
    assert_eq!(
        text(&output.stdout),
        "x,name,prediction,again\n1.0,first of 0,3.0,3.0\n2.0,,5.0,5.0\n3.0,last,7.0,7.0\n\
         4.0,first of 1,9.0,9.0\n6.0,last,13.0,13.0\n\
         7.0,first of 2,15.0,15.0\n8.0,,17.0,17.0\n9.0,last,19.0,19.0\n"
    );
}

#[test]
fn a_damaged_parquet_file_is_one_error() {
    let folder = tempdir().unwrap();
    parquet(&folder.path().join("rows.parquet"));
    let whole = fs::read(folder.path().join("rows.parquet")).unwrap();
    for length in [4, 20, whole.len() / 2, whole.len() - 1] {
        fs::write(folder.path().join("cut.parquet"), &whole[..length]).unwrap();
        let output = run(&folder, "predict line cut.parquet");
        assert!(complained(&output).starts_with("error: cut.parquet: the Parquet file cannot be read: "), "{length}");
    }
    let mut child = command(folder.path(), "predict line -");
    let file = File::open(folder.path().join("rows.parquet")).unwrap();
    let output = child.stdin(file).output().unwrap();
    assert!(complained(&output).contains("standard input: Parquet cannot be read from a pipe"));
}

/// The types that Parquet does not have itself, such as dictionaries and time zones, are in the schema of Arrow.
#[test]
fn the_metadata_of_arrow_and_pandas_are_kept_and_those_of_others_are_not() {
    let folder = tempdir().unwrap();
    // pyarrow 26: a column `x` of doubles.
    let arrow = concat!(
        "/////3AAAAAQAAAAAAAKAAwABgAFAAgACgAAAAABBAAMAAAACAAIAAAABAAIAAAABAAAAAEAAAAUAAAAEAAUAAgABgAHAAw",
        "AAAAQABAAAAAAAAEDEAAAABgAAAAEAAAAAAAAAAEAAAB4AAYACAAGAAYAAAAAAAIA"
    );
    let metadata = [("pandas", "{}"), ("ARROW:schema", arrow), ("huggingface", "{}")];
    let entries = metadata.map(|(key, value)| KeyValue::new(key.to_owned(), value.to_owned()));
    let properties = WriterProperties::builder().set_key_value_metadata(Some(entries.into())).build();
    let schema = Arc::new(parse_message_type("message rows { REQUIRED DOUBLE x; }").unwrap());
    let file = File::create(folder.path().join("data.parquet")).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties)).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<DoubleType>().write_batch(&[1.0, 2.0], None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    for (name, arguments) in [("a.parquet", ""), ("b.parquet", "--warnings --on-error skip")] {
        let output = run(&folder, &format!("predict line data.parquet --out {name} {arguments} --quiet"));
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let reader = SerializedFileReader::new(File::open(folder.path().join(name)).unwrap()).unwrap();
        let entries = reader.metadata().file_metadata().key_value_metadata().unwrap().clone();
        let value = |key: &str| entries.iter().find(|entry| entry.key == key).and_then(|entry| entry.value.clone());
        assert_eq!((value("pandas").as_deref(), value("huggingface")), (Some("{}"), None));
        assert!(value("ARROW:schema").unwrap().len() > arrow.len());
    }
}

//! `ordinate predict` and `evaluate` on several files, Parquet, weights, and with models in S3.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use ordinate_test_support::line;
use ordinate_test_support::s3_server::{BUCKET, S3Server};
use parquet::basic::Type as Physical;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::record::Field;
use parquet::schema::parser::parse_message_type;
use rstest::rstest;
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::support::{command, complained, file_names, folder_with, run, said, text};

#[test]
fn several_files_and_patterns_are_one_table_in_the_order_of_their_names() {
    let parts = [("part-2.csv", "x; y\n2;5\n"), ("part-10.csv", "x,y\n1,3\n"), ("last.csv", "x,y\n4,9\n")];
    let folder = folder_with(&parts);
    assert_eq!(said(&run(&folder, "predict line part-*.csv last.csv")), "x,y,prediction\n1,3,3.0\n2,5,5.0\n4,9,9.0\n");
    let output = run(&folder, "evaluate line part-*.csv last.csv --json");
    let answer: Value = serde_json::from_str(said(&output)).unwrap();
    assert_eq!((&answer["data"], &answer["rows"]), (&json!("part-10.csv and 2 more"), &json!(3)));
    assert_eq!(answer["metrics"]["rmse"], json!(0.0));
}

#[test]
fn an_error_in_one_of_several_files_names_that_file() {
    let folder = folder_with(&[
        ("a.csv", "x,y\n1,3\n"),
        ("b.csv", "x,y\n2,5\nhigh,7\n"),
        ("c.csv", "z,x\n3,1\n"),
        ("d.csv", "y,x\n7,3\n"),
    ]);
    let error = run(&folder, "predict line a.csv b.csv");
    assert!(complained(&error).contains("b.csv: line 3, column \"x\": expected a number, got \"high\""));
    let output = run(&folder, "predict line a.csv b.csv --on-error skip");
    assert_eq!(text(&output.stdout), "x,y,prediction\n1,3,3.0\n2,5,5.0\n");
    assert_eq!(
        text(&output.stderr),
        "a.csv and 1 more: 1 of 3 rows skipped:\n  b.csv: line 3, column \"x\": expected a number, got \"high\"\n"
    );
    // A different header is reported before anything is written.
    let output = run(&folder, "predict line a.csv c.csv");
    assert!(complained(&output).contains("c.csv: line 1: the header differs from the header of a.csv"), "{output:?}");
    assert_eq!(text(&output.stdout), "");
    // Columns in another order are matched by name.
    assert_eq!(said(&run(&folder, "predict line a.csv d.csv")), "x,y,prediction\n1,3,3.0\n3,7,7.0\n");
}

#[rstest]
#[case("predict line nothing-*.csv", "nothing-*.csv: no file matches the pattern")]
#[case("evaluate line a.csv gone.csv", "gone.csv: cannot be read: No such file")]
#[case("predict line - -", "-: standard input can be read only once")]
#[case("predict line a*.csv --out a.csv", "a.csv: --out is the data file")]
#[case("predict line a.csv --format parquet", "--format parquet needs --out")]
#[case(
    "predict bundled:lime a.csv",
    "bundled:lime: no bundled model has this name\nhelp: bundled models are line, diabetes"
)]
#[case("predict s3://models/m.json a.csv", "s3://models/m.json: no S3 region: set AWS_REGION")]
#[case("evaluate line a.csv --weights w", "no column \"w\", which --weights needs")]
#[case(
    "evaluate line a.csv --weights minus",
    "a.csv: line 3, weight column \"minus\": expected a number of at least zero, got -1"
)]
fn errors_name_the_place_and_the_reason(#[case] arguments: &str, #[case] expected: &str) {
    let folder = folder_with(&[("a.csv", "x,y,minus\n1,3,1\n2,5,-1\n")]);
    let output = run(&folder, arguments);
    assert!(complained(&output).contains(expected), "{}", text(&output.stderr));
}

#[test]
fn a_row_of_weight_two_is_measured_as_two_rows() {
    let weighted = "x,y,w\n1,2,2\n2,6,1\n3,7,0.5\n4,11,3\n";
    let repeated = "x,y\n1,2\n1,2\n1,2\n1,2\n2,6\n2,6\n3,7\n4,11\n4,11\n4,11\n4,11\n4,11\n4,11\n";
    let folder = folder_with(&[("weighted.csv", weighted), ("repeated.csv", repeated)]);
    let metrics = |arguments: &str| -> Value {
        serde_json::from_str(said(&run(&folder, &format!("evaluate line {arguments} --json")))).unwrap()
    };
    let (weighted, repeated) = (metrics("weighted.csv --weights w"), metrics("repeated.csv"));
    assert_eq!((&weighted["weights"], &weighted["rows"]), (&json!("w"), &json!(4)));
    for name in ["r2", "rmse", "mae"] {
        let [one, other] = [&weighted, &repeated].map(|answer| answer["metrics"][name].as_f64().unwrap());
        assert!((one - other).abs() < 1e-14, "{name}: {one} is not {other}");
    }
}

/// Rows of a model's feature `x` (none in every fifth), a date, a number of 64 bits and a list, in two row groups.
fn parquet(path: &Path) {
    let schema = "message rows {
        OPTIONAL DOUBLE x;
        REQUIRED INT32 day (DATE);
        REQUIRED INT64 id (INTEGER(64, false));
        OPTIONAL group words (LIST) { REPEATED group list { OPTIONAL BYTE_ARRAY element (STRING); } }
    }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(File::create(path).unwrap(), schema, Arc::default()).unwrap();
    for rows in [0..7_i32, 7..20] {
        let mut group = writer.next_row_group().unwrap();
        let here: Vec<i16> = rows.clone().map(|row| i16::from(row % 5 != 0)).collect();
        let x: Vec<f64> = rows.clone().filter(|row| row % 5 != 0).map(f64::from).collect();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<DoubleType>().write_batch(&x, Some(&here), None).unwrap();
        column.close().unwrap();
        let days: Vec<i32> = rows.clone().collect();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int32Type>().write_batch(&days, None, None).unwrap();
        column.close().unwrap();
        let ids: Vec<i64> = rows.clone().map(|row| -i64::from(row) - 1).collect();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int64Type>().write_batch(&ids, None, None).unwrap();
        column.close().unwrap();
        // No list in every third row; in the others the number of the row, then none.
        let (mut words, mut definitions, mut repetitions) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            if row % 3 == 0 {
                definitions.push(0);
                repetitions.push(0);
            } else {
                words.push(ByteArray::from(row.to_string().as_str()));
                definitions.extend([3, 2]);
                repetitions.extend([0, 1]);
            }
        }
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&words, Some(&definitions), Some(&repetitions)).unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    writer.close().unwrap();
}

/// All rows of a file: names and values.
fn rows(path: &Path) -> Vec<Vec<(String, Field)>> {
    let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    let rows = reader.get_row_iter(None).unwrap();
    rows.map(|row| row.unwrap().into_columns()).collect()
}

#[rstest]
#[case("skip", 16)]
#[case("empty", 20)]
fn parquet_columns_keep_their_types_and_values(#[case] on_error: &str, #[case] count: usize) {
    let folder = tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    parquet(&path("rows.parquet"));
    let output = run(&folder, &format!("predict line rows.parquet --out out.parquet --on-error {on_error}"));
    assert_eq!(text(&output.stdout), "16 rows predicted by line@1: out.parquet\n");
    assert_eq!(file_names(&folder), ["out.parquet", "rows.parquet"]);

    let schema = |name: &str| {
        let reader = SerializedFileReader::new(File::open(path(name)).unwrap()).unwrap();
        reader.metadata().file_metadata().schema().get_fields().to_vec()
    };
    let (before, after) = (schema("rows.parquet"), schema("out.parquet"));
    assert_eq!(after[..4], before);
    assert_eq!((after[4].name(), after[4].get_physical_type()), ("prediction", Physical::DOUBLE));

    let came = rows(&path("rows.parquet"));
    let came = came.iter().filter(|row| on_error == "empty" || row[0].1 != Field::Null);
    let written = rows(&path("out.parquet"));
    assert_eq!(written.len(), count);
    for (row, came) in written.iter().zip(came) {
        assert_eq!(&row[..4], came);
        let expected = match came[0].1 {
            Field::Double(x) => Field::Double(2.0 * x + 1.0),
            _ => Field::Null,
        };
        assert_eq!(row[4].1, expected);
    }
}

#[test]
fn fields_of_csv_are_text_in_parquet_and_classes_are_what_they_were() {
    let folder = folder_with(&[("rows.csv", "x,note,x2\n1.50,\"a,\n\",\n2,,z\n")]);
    let path = |name: &str| folder.path().join(name);
    said(&run(&folder, "predict line rows.csv --out out --format parquet"));
    let field = |text: &str| Field::Str(text.to_owned());
    let values: Vec<Vec<Field>> =
        rows(&path("out")).into_iter().map(|row| row.into_iter().map(|(_, value)| value).collect()).collect();
    assert_eq!(values[0], [field("1.50"), field("a,\n"), Field::Null, Field::Double(4.0)]);
    assert_eq!(values[1], [field("2"), Field::Null, field("z"), Field::Double(5.0)]);

    fs::copy(ordinate_test_support::root().join("model/iris.csv"), path("iris.csv")).unwrap();
    said(&run(&folder, "predict iris iris.csv --probabilities --out iris.parquet"));
    said(&run(&folder, "predict iris iris.csv --probabilities --out out.csv"));
    let csv = fs::read_to_string(path("out.csv")).unwrap();
    let header: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    let parquet = rows(&path("iris.parquet"));
    assert_eq!(parquet.len(), 150);
    for (row, line) in parquet.iter().zip(csv.lines().skip(1)) {
        for (((name, value), title), field_text) in row.iter().zip(&header).zip(line.split(',')) {
            assert_eq!(name, title);
            match value {
                Field::Double(value) => assert_eq!(field_text.parse(), Ok(*value)),
                value => assert_eq!(*value, field(field_text)),
            }
        }
    }
    let twice = folder_with(&[("rows.csv", "x,note,note\n1,a,b\n")]);
    said(&run(&twice, "predict line rows.csv --out out.parquet"));
    let names: Vec<String> = rows(&twice.path().join("out.parquet"))[0].iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(names, ["x", "note", "note.1", "prediction"]);
}

#[test]
fn an_existing_file_is_unchanged_after_parquet_errors() {
    let folder = folder_with(&[("out.parquet", "before"), ("rows.csv", "x,day,id,words\n1,2,3,4\n")]);
    let path = |name: &str| folder.path().join(name);
    parquet(&path("rows.parquet"));
    let output = run(&folder, "predict line rows.parquet rows.csv --on-error skip --out out.parquet");
    assert!(complained(&output).contains("rows.csv: the column types differ from those of the previous files"));
    let whole = fs::read(path("rows.parquet")).unwrap();
    fs::write(path("cut.parquet"), &whole[..whole.len() / 2]).unwrap();
    let output = run(&folder, "predict line cut.parquet --out out.parquet");
    assert!(complained(&output).contains("cut.parquet: the Parquet file cannot be read"));
    assert_eq!(fs::read(path("out.parquet")).unwrap(), b"before");
    assert_eq!(file_names(&folder), ["cut.parquet", "out.parquet", "rows.csv", "rows.parquet"]);
    // Files with the same types are one table.
    let output = run(&folder, "predict line rows.parquet ./rows.parquet --on-error empty --out out.parquet");
    assert_eq!(text(&output.stdout), "32 rows predicted by line@1: out.parquet\n");
    assert_eq!(rows(&path("out.parquet")).len(), 40);
}

#[tokio::test]
async fn a_model_in_s3_is_read_with_the_credentials_of_the_environment() {
    let server = S3Server::shared();
    server.put(BUCKET, "commands/line.json", line("line", "3")).await;
    let folder = folder_with(&[("rows.csv", "x,y\n1,3\n2,5\n")]);
    let run = |arguments: &str, secret: &str| {
        let mut command = command(folder.path(), arguments);
        command.env("AWS_ENDPOINT_URL_S3", format!("http://{}", server.address()));
        command.env("AWS_ACCESS_KEY_ID", "reader").env("AWS_SECRET_ACCESS_KEY", secret).output().unwrap()
    };
    let model = format!("s3://{BUCKET}/commands/line.json");
    let predicted = run(&format!("predict {model} rows.csv"), "reader-secret");
    assert_eq!(said(&predicted).lines().next(), Some("x,y,prediction"));
    assert!(said(&run(&format!("evaluate {model} rows.csv"), "reader-secret")).starts_with("line@3 on rows.csv"));
    assert!(said(&run(&format!("inspect {model}"), "reader-secret")).starts_with("line@3: regression"));

    let denied = run(&format!("inspect {model}"), "wrong");
    assert!(complained(&denied).contains("access denied: the secret key does not match the access key"));
    let missing = run(&format!("inspect s3://{BUCKET}/commands/lime.json"), "reader-secret");
    assert!(complained(&missing).contains("no such object"), "{}", text(&missing.stderr));
    assert!(!text(&denied.stderr).contains("wrong"), "{}", text(&denied.stderr));
}

#[test]
fn an_s3_endpoint_that_cannot_be_reached_is_an_error_with_advice() {
    let folder = tempdir().unwrap();
    let mut command = command(folder.path(), "inspect s3://models/line.json");
    command.env("AWS_ENDPOINT_URL_S3", format!("http://127.0.0.1:{}", ordinate_test_support::free_ports::<1>()[0]));
    let output = command.env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "b").output().unwrap();
    let error = complained(&output);
    assert!(error.contains("s3://models/line.json: cannot connect"), "{error}");
    assert!(error.ends_with("\nhelp: check the network and AWS_ENDPOINT_URL_S3, or try again\n"), "{error}");
}

//! The number of threads does not change an output.

use std::io::Write as _;
use std::path::Path;

use ordinate_batch::columns::Columns;
use ordinate_batch::score::{Checks, Input, Layout, Rows, Task, Totals, score};
use ordinate_table::FileOptions;
use rstest::rstest;

use crate::support::Bench;

/// Rows with quoted line ends, of which some are rejected; more than two blocks.
fn rows(end: &str) -> String {
    let row = |x: usize| match x % 9 {
        0 => format!("{x},\"a{end}\"\"note\"\"{end}\"{end}"),
        4 if x.is_multiple_of(5) => format!("high,{x}{end}{end}"),
        7 if x.is_multiple_of(4) => format!("{x}{end}"),
        _ => format!("{x},é{}{end}", "a longer note ".repeat(x % 11)),
    };
    std::iter::once(format!("x,note{end}")).chain((0..30_000).map(row)).collect()
}

fn lines() -> String {
    let line = |x: usize| match x % 11 {
        4 => format!("[{x}]\n"),
        5 => "{\"x\": \"high\"}\n\n".to_owned(),
        _ => format!("{{\"x\": {x}, \"note\": \"{}\"}}\n", "a longer note ".repeat(x % 11)),
    };
    (0..30_000).map(line).collect()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

fn scored(task: &Task, name: &str, layout: Layout, content: &[u8]) -> (Vec<u8>, Vec<u8>, Totals) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    let input = Input { name: Path::new("data"), layout, rows: Rows::File(path) };
    let mut rejected = Vec::new();
    let (written, totals) = score(task, input, Vec::new(), &mut rejected, &Checks::default()).unwrap();
    (written, rejected, totals)
}

#[rstest]
#[case::csv("a.csv", Layout::Table, rows("\n").into_bytes())]
#[case::windows("a.csv", Layout::Table, rows("\r\n").into_bytes())]
#[case::utf_16("a.csv", Layout::Table, rows("\n").encode_utf16().flat_map(u16::to_le_bytes).collect())]
#[case::gzip("a.csv.gz", Layout::Table, gzip(&rows("\n")))]
#[case::zstandard("a.csv.zst", Layout::Table, zstd::encode_all(rows("\n").as_bytes(), 0).unwrap())]
#[case::json_lines("a.jsonl", Layout::JsonLines, lines().into_bytes())]
#[case::json_lines_gzip("a.jsonl.gz", Layout::JsonLines, gzip(&lines()))]
fn outputs_are_equal_for_any_number_of_threads(#[case] name: &str, #[case] layout: Layout, #[case] content: Vec<u8>) {
    let model = Bench::new().model();
    let columns = Columns { warnings: true, ..Columns::default() };
    let task = Task { model, columns, options: FileOptions::default(), threads: 1, force: false };
    let one = scored(&task, name, layout, &content);
    assert!(one.2.rejected > 100 && one.2.rows > 29_000, "{:?}", one.2);
    for threads in [2, 5] {
        let several = scored(&Task { threads, ..task.clone() }, name, layout, &content);
        assert_eq!(several.2, one.2);
        assert!(several.0 == one.0 && several.1 == one.1, "{threads} threads");
    }
}

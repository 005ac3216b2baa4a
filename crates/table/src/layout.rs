//! How the lines of a text file are arranged: delimiter, comments, lines before the header, delimiters at the ends of rows, an
//! index without a name. All is detected in the beginning of the file, unless options say it.

use super::Decision;
use super::delimiter::{Split, Splitting, delimiter_name, described};
use super::file_options::{FileOptions, HeaderOption};
use super::line_filter::LineFilter;
use ordinate_model::wording::listed;

/// The beginnings of comments that are detected.
const COMMENTS: [&str; 3] = ["#", "%", "//"];

/// Lines that a message lists.
const LISTED: usize = 5;

/// How the lines of a file are arranged.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) filter: LineFilter,
    /// The number of fields of a row.
    pub(super) width: usize,
    /// Whether the rows begin with an index that the header does not name.
    pub(super) lacks_index: bool,
    /// Whether only the header ends with a delimiter.
    pub(super) trailing_header: bool,
    /// The fields of the header.
    pub(super) header: Vec<String>,
    pub(super) decisions: Vec<Decision>,
}

impl Layout {
    /// The arrangement of a text with this beginning, which is all of it or is cut. `known` are columns that the header
    /// should have.
    pub(super) fn new(begin: &str, is_cut: bool, options: &FileOptions, known: &[String]) -> Self {
        let whole_lines = begin.rfind('\n').filter(|_| is_cut).map_or(begin, |end| begin.get(..=end).unwrap_or(begin));
        let skip = LineFilter { skip: options.skip_lines.unwrap_or(0), ..LineFilter::default() };
        let text = if skip.skip > 0 { blanked(&skip, whole_lines) } else { whole_lines.to_owned() };
        let splitting = Splitting {
            delimiter: options.delimiter,
            has_header: options.header.is_none(),
            may_have_preamble: options.skip_lines.is_none(),
            is_cut,
            known,
        };
        let given = options.comment.clone();
        let (comment, split) = given.map_or_else(
            || without_comments(&splitting, &text),
            |mark| {
                let split = splitting.best(&without(&text, &mark));
                (Some(mark), split)
            },
        );
        let mut layout = Self {
            width: split.shape.row_width,
            lacks_index: split.shape.lacks_index,
            trailing_header: split.shape.trailing_header,
            filter: LineFilter {
                delimiter: split.delimiter,
                skip: skip.skip,
                comment,
                trailing: split.shape.trailing && is_extra(&split, options),
                spaces: split.spaces,
                suffix: Vec::new(),
            },
            header: split
                .shape
                .header
                .and_then(|header| split.rows.get(header))
                .map(|row| row.fields.clone())
                .unwrap_or_default(),
            decisions: Vec::new(),
        };
        layout.decide(&text, is_cut, &split, options);
        layout
    }

    /// Notes the decisions, and leaves out the lines before the header.
    fn decide(&mut self, text: &str, is_cut: bool, split: &Split, options: &FileOptions) {
        let mut decide =
            |text: String, options: &[&str]| self.decisions.push(Decision::new(text, options.iter().copied()));
        if options.delimiter.is_none() && split.delimiter != b',' {
            let name = delimiter_name(split.delimiter);
            decide(format!("fields are separated by {}", described(split.delimiter)), &["--delimiter", &name]);
        }
        let lines = |keep: &dyn Fn(&str) -> bool| -> Vec<u64> {
            let numbered = text.lines().zip(1_u64..);
            numbered.filter(|(line, _)| keep(line)).map(|(_, number)| number).collect()
        };
        let mark = self.filter.comment.clone();
        let is_comment = |line: &str| mark.as_ref().is_some_and(|mark| line.starts_with(mark.as_str()));
        if let (None, Some(mark)) = (&options.comment, &mark) {
            let comments = lines(&is_comment);
            let listed = line_numbers(&comments, is_cut);
            decide(
                format!("lines that begin with {mark} are comments and are ignored: {listed}"),
                &["--comment", mark],
            );
        }
        let header = split.shape.header.and_then(|header| split.rows.get(header)).map(|row| row.line);
        if let Some(before) = header.map(|line| line - 1).filter(|_| options.skip_lines.is_none()) {
            let is_text = |line: &str| !line.trim().is_empty() && !is_comment(line);
            let preamble: Vec<u64> = lines(&is_text).into_iter().filter(|line| *line <= before).collect();
            if !preamble.is_empty() {
                let text = format!("lines before the header are ignored: {}", line_numbers(&preamble, false));
                decide(text, &["--skip-lines", &before.to_string()]);
                self.filter.skip = before;
            }
        }
        if self.filter.trailing || self.trailing_header {
            let what = if self.trailing_header { "the header" } else { "every row" };
            decide(format!("the delimiter at the end of {what} is ignored"), &[]);
        }
        if self.lacks_index {
            decide(
                "the header has one name fewer than the rows have fields, and the first column is the row index"
                    .to_owned(),
                &[],
            );
        }
    }

    /// Whether the header has none of the known columns, and all of them are names that columns of a file without a header get.
    pub(super) fn lacks_names(&self, known: &[String]) -> bool {
        let numbered = HeaderOption::Numbered.names(self.header.len());
        let is_numbered =
            |name: &String| numbered.contains(name) && !self.header.iter().any(|other| other.trim() == name);
        !known.is_empty() && known.iter().all(is_numbered)
    }

    /// The names of the columns of a file with this header, as they are in the file.
    pub(super) fn names(&self, mut header: Vec<String>) -> Vec<String> {
        if self.lacks_index {
            header.insert(0, String::new());
        }
        if self.trailing_header {
            header.pop();
        }
        header
    }
}

/// Whether the names of a header look like values of a row: at least half of them are numbers, other than those of years or
/// positions, which ascend.
pub(super) fn looks_like_row(header: &[String]) -> bool {
    let numbers: Vec<f64> = header.iter().filter_map(|name| name.trim().parse().ok()).collect();
    let is_sequence =
        numbers.is_sorted_by(|one, next| one < next) && numbers.iter().all(|number| number.fract() == 0.0);
    !numbers.is_empty() && 2 * numbers.len() >= header.len() && !is_sequence
}

/// Whether empty fields at the ends of the rows are too many for the names that are given.
fn is_extra(split: &Split, options: &FileOptions) -> bool {
    match &options.header {
        Some(HeaderOption::Names(names)) => names.len() + 1 == split.shape.row_width,
        _ => true,
    }
}

fn blanked(filter: &LineFilter, text: &str) -> String {
    String::from_utf8(filter.apply(text.as_bytes())).unwrap_or_default()
}

/// A text without its comments.
fn without(text: &str, mark: &str) -> String {
    blanked(&LineFilter { delimiter: b',', comment: Some(mark.to_owned()), ..LineFilter::default() }, text)
}

/// Finds out whether lines that begin with a mark are comments, and splits the other lines.
fn without_comments(splitting: &Splitting<'_>, text: &str) -> (Option<String>, Split) {
    for mark in COMMENTS {
        let marked: Vec<(&str, u64)> = text.lines().zip(1..).filter(|(line, _)| line.starts_with(mark)).collect();
        if marked.is_empty() {
            continue;
        }
        let split = splitting.best(&without(text, mark));
        if are_comments(&marked, &split, splitting) {
            return (Some(mark.to_owned()), split);
        }
    }
    (None, splitting.best(text))
}

/// Whether marked lines are comments, not rows and not the header: they do not have the right number of fields.
fn are_comments(marked: &[(&str, u64)], split: &Split, splitting: &Splitting<'_>) -> bool {
    let first = split.shape.header.unwrap_or(0);
    let Some(header) = split.rows.get(first) else { return false };
    let alone =
        Splitting { delimiter: Some(split.delimiter), has_header: false, may_have_preamble: false, ..*splitting };
    let width = split.shape.row_width;
    let is_row = |line: &str| width > 1 && alone.best(line).rows.first().is_some_and(|row| row.width == width);
    let (above, below): (Vec<_>, Vec<_>) = marked.iter().partition(|(_, number)| *number < header.line);
    let rows = below.iter().filter(|(line, _)| is_row(line)).count();
    if rows * 2 > below.len() || width < 2 && !below.is_empty() {
        return false;
    }
    let has_known = split.shape.has_known && !splitting.known.is_empty();
    // `# x,y` above numbers is the header.
    let is_header = above.last().is_some_and(|(line, _)| is_row(line)) && header.has_number();
    has_known || !is_header
}

/// `line 3`, `lines 1, 2, 3, 4, 5 and 7 more`.
pub(super) fn line_numbers(lines: &[u64], is_cut: bool) -> String {
    let noun = if lines.len() == 1 && !is_cut { "line" } else { "lines" };
    if is_cut {
        return format!("{noun} {} and more", listed(lines.iter().take(LISTED), LISTED));
    }
    format!("{noun} {}", listed(lines, LISTED))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn layout(text: &str) -> Layout {
        Layout::new(text, false, &FileOptions::default(), &[])
    }

    #[rstest]
    #[case::comments("# source: a\n# units: b\nx,y\n1,2\n3,4\n", Some("#"), 0)]
    #[case::comments_with_delimiters("# source, a\n# units, b\nx,y\n1,2\n3,4\n", Some("#"), 0)]
    #[case::comments_in_between("x,y\n1,2\n# a remark\n3,4\n", Some("#"), 0)]
    #[case::comments_of_matlab("% a\nx,y\n1,2\n", Some("%"), 0)]
    #[case::the_header_begins_so("# x,y\n1,2\n3,4\n", None, 0)]
    #[case::rows_begin_so("tag,y\n#a,2\n#b,4\n#c,5\n", None, 0)]
    #[case::a_column_of_marks("tag\n#a\n#b\n", None, 0)]
    #[case::comments_before_a_header_that_begins_so("# by hand\n# x,y\n1,2\n3,4\n", None, 1)]
    #[case::preamble("Report of 2024\n\nx,y\n1,2\n3,4\n", None, 2)]
    #[case::title_of_a_spreadsheet("Report;;\n;;\nx;y;z\n1;2;3\n3;4;5\n", None, 2)]
    #[case::blank_lines("\n\nx,y\n1,2\n", None, 0)]
    #[case::a_wide_row("x,y\n1,2\n1,2,3\n", None, 0)]
    #[case::wide_rows("x,y\n4,234,5\n2,345,6\n", None, 0)]
    fn comments_and_preambles_are_detected(#[case] text: &str, #[case] comment: Option<&str>, #[case] skip: u64) {
        let Layout { filter, decisions, .. } = layout(text);
        assert_eq!((filter.comment.as_deref(), filter.skip), (comment, skip), "{decisions:?}");
    }

    #[rstest]
    #[case::trailing_in_rows("A,B\n1,1,\n2,4,\n", (true, false, false))]
    #[case::trailing_everywhere("A,B,\n1,1,\n2,4,\n", (true, false, false))]
    #[case::trailing_in_the_header("A,B,\n1,1\n2,4\n", (false, true, false))]
    #[case::missing_values("A,B\n1,\n2,\n", (false, false, false))]
    #[case::index_of_r("\"x\" \"y\"\n\"1\" 1 2\n\"2\" 3 4\n", (false, false, true))]
    #[case::named_index_of_r("\"x\",\"y\"\n\"Fiat\",1,2\n\"Opel\",3,4\n", (false, false, true))]
    #[case::thousands("x,y\n4,234,5\n2,345,6\n7,543,1\n", (false, false, false))]
    fn the_ends_of_rows_are_detected(#[case] text: &str, #[case] expected: (bool, bool, bool)) {
        let layout = layout(text);
        assert_eq!((layout.filter.trailing, layout.trailing_header, layout.lacks_index), expected);
    }

    #[test]
    fn lines_are_listed() {
        assert_eq!(line_numbers(&[3], false), "line 3");
        assert_eq!(line_numbers(&[1, 2, 3, 4, 5, 6, 7], false), "lines 1, 2, 3, 4, 5 and 2 more");
        assert_eq!(line_numbers(&[3], true), "lines 3 and more");
    }
}

//! Errors in data, or in options that do not fit the data: each names the file, the line and the column.

mod location;
mod shell;

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::encoding::{Encoding, NotInEncoding};
use super::layout::looks_like_row;
use super::row::RowNumber;
use super::spool::SpoolError;
use super::text_file::fitting;
use super::{MAX_CLASSES, MAX_COLUMNS, MAX_ROW_BYTES};
pub use location::{Header, Location, NamedColumn, Purpose};
use location::{in_column, listed_with_suggestions, quoted, suggestion};
use ordinate_model::signature::{CellError, FeatureType};
use ordinate_model::wording::counted;
pub use shell::shell_word;

/// An error in the data, or in options that do not fit them.
///
/// The message is `<place>: <what is wrong>, got <value>`, and may have a second line `help: <what to do>`.
#[derive(Debug, Error)]
pub enum DataError {
    /// The file cannot be opened or read.
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A pipe or a folder, which cannot be read twice.
    #[error(
        "{}: expected a regular file, because training opens its data more than once\n\
         help: save the data to a file, or send them to standard input and give - as DATA", path.display()
    )]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// A pattern that is not valid or that no file matches, or a second `-`.
    #[error("{pattern}: {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// The reason.
        reason: String,
    },
    /// A file that would be read twice.
    #[error("{}: the file is given more than once, and its rows would count more than once", path.display())]
    NamedTwice {
        /// The file.
        path: PathBuf,
    },
    /// A file that is neither text nor Parquet.
    #[error("{}: expected CSV or Parquet, got {what}\nhelp: {advice}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Its probable format.
        what: &'static str,
        /// How to convert it.
        advice: &'static str,
    },
    /// A Parquet file on standard input or in a pipe.
    #[error("{}: Parquet cannot be read from a pipe\nhelp: save it to a file first", path.display())]
    PipedParquet {
        /// The pipe.
        path: PathBuf,
    },
    /// A quote that includes the rest of the file.
    #[error("{location}: a quote opens here and is never closed\nhelp: close it or remove it")]
    OpenQuote {
        /// The line of the quote.
        location: Location,
    },
    /// A quote that includes the beginning of a later field.
    #[error(
        "{location}: a quote opens here and is closed in line {closed}, within a field\n\
         help: close it at the end of its field, or remove it"
    )]
    MisplacedQuote {
        /// The line of the quote.
        location: Location,
        /// The line of the quote that closes it.
        closed: u64,
    },
    /// No header.
    #[error("{}: the file is empty\nhelp: CSV needs a header line with column names, then one line per row", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A header without rows.
    #[error("{}: the file has a header but no rows", path.display())]
    HeaderOnly {
        /// The file.
        path: PathBuf,
    },
    /// A header without names.
    #[error("{header}: the file has no columns")]
    NoColumns {
        /// The header.
        header: Header,
    },
    /// Files with different headers.
    #[error("{header}: the header differs from the header of {}: {difference}", first.display())]
    OtherHeader {
        /// The header.
        header: Header,
        /// The file that was read first.
        first: PathBuf,
        /// The first difference.
        difference: String,
    },
    /// Columns that are needed and that the header does not have.
    #[error(
        "{header}: no column {}{}\nhelp: the columns are {}{}", listed_with_suggestions(missing),
        needed_by.as_ref().map(|option| format!(", which {option} needs")).unwrap_or_default(), quoted(columns),
        if header.line.is_some() && looks_like_row(columns) { NO_HEADER } else { "" }
    )]
    NoSuchColumn {
        /// The header.
        header: Header,
        /// The model or option that needs the columns, where messages name it.
        needed_by: Option<String>,
        /// The missing names, each with the most similar column, if one is similar.
        missing: Vec<(String, Option<String>)>,
        /// All columns of the header.
        columns: Vec<String>,
    },
    /// Several columns with the name of one that is needed.
    #[error("{header}: column {column:?} exists twice, and {needed_by} needs one\nhelp: rename or remove the others")]
    RepeatedColumn {
        /// The header.
        header: Header,
        /// The name.
        column: String,
        /// The model or option that needs the column.
        needed_by: String,
    },
    /// `--exclude` names neither a column of the data nor of the model.
    #[error(
        "--exclude: neither the data nor the model has a column {name:?}{}\nhelp: the columns of the model are {}",
        suggestion(nearest.as_deref()), quoted(columns)
    )]
    NoSuchTerm {
        /// The name.
        name: String,
        /// The most similar column of the model, if one is similar.
        nearest: Option<String>,
        /// All columns of the model.
        columns: Vec<String>,
    },
    /// `--exclude` names all columns of the model.
    #[error("--exclude: the model would have no columns\nhelp: exclude fewer")]
    NoTerms,
    /// No column to predict from.
    #[error("{}: no columns left to predict {target:?} from\nhelp: {advice}", path.display())]
    NoFeatures {
        /// The file.
        path: PathBuf,
        /// The target.
        target: String,
        /// The action that helps.
        advice: &'static str,
    },
    /// A column with two roles, such as target and feature, with which a model would copy the answer.
    #[error("column {column:?} is {role} and cannot be a feature too\nhelp: remove it from --features")]
    TwoRoles {
        /// The column.
        column: String,
        /// Its other role, such as `the target`.
        role: &'static str,
    },
    /// `--weights` names the target.
    #[error("column {column:?} cannot be both the target and the weights\nhelp: give another column to --weights")]
    TargetWeighs {
        /// The column.
        column: String,
    },
    /// The column of the offset is also the target or the weights.
    #[error("column {column:?} cannot be both the {role} and {offset}\nhelp: give another column to {option}")]
    OffsetHasRole {
        /// The column.
        column: String,
        /// Its other role.
        role: &'static str,
        /// `the offset` or `the exposure`.
        offset: &'static str,
        /// The option that names the offset.
        option: &'static str,
    },
    /// `--exclude` names the target, the weights or the offset.
    #[error("--exclude: the {column} is not a feature\nhelp: remove it from --exclude")]
    ExcludedRole {
        /// The column.
        column: NamedColumn,
    },
    /// Several types for one column.
    #[error("--types and --categorical give more than one type to column {column:?}")]
    TwoTypes {
        /// The column.
        column: String,
    },
    /// A type other than a number for weights, offset or exposure.
    #[error("{option}: the {column} must be a number, got the type {kind}\nhelp: remove it from {option}")]
    RoleNotNumber {
        /// The option that gives the type.
        option: &'static str,
        /// The column.
        column: NamedColumn,
        /// The type.
        kind: FeatureType,
    },
    /// A type or a rule for a column that is not used.
    #[error(
        "{option}: column {column:?} {}{}",
        if *is_target { "is the target, not a feature" } else { "is not a feature" }, suggestion(nearest.as_deref())
    )]
    UnusedColumn {
        /// The option.
        option: &'static str,
        /// The column.
        column: String,
        /// Whether the column is the target.
        is_target: bool,
        /// The most similar feature, if the column does not exist and one is similar.
        nearest: Option<String>,
    },
    /// A row that is wider or narrower than the header.
    #[error(
        "{location}: expected {expected} fields as in the header, got {got}\nhelp: {}",
        if *several_lines { OPEN_QUOTE } else { "look for a missing separator, or one that is not quoted" }
    )]
    Ragged {
        /// The row.
        location: Location,
        /// Columns of the header.
        expected: usize,
        /// Fields of the row.
        got: usize,
        /// Whether a field contains a line end, as after a quote that is not closed.
        several_lines: bool,
    },
    /// Too many rows that are wider or narrower than the header.
    #[error(
        "{location}: expected {expected} fields as in the header, got {got}, and {rows} of {total} rows are such: {lines}\n\
         help: look for a missing separator, one that is not quoted, or another --delimiter"
    )]
    RaggedRows {
        /// The first of the rows.
        location: Location,
        /// Columns of the header.
        expected: usize,
        /// Fields of the first of the rows.
        got: usize,
        /// The number of these rows.
        rows: u64,
        /// The number of all rows.
        total: u64,
        /// The first of the lines.
        lines: String,
    },
    /// A zero byte in a text file.
    #[error("{location}: the line has a zero byte, which no text has\nhelp: check that the file is complete and CSV")]
    Binary {
        /// The line.
        location: Location,
    },
    /// A folder without data files.
    #[error("{}: the folder has no CSV or Parquet files", path.display())]
    EmptyFolder {
        /// The folder.
        path: PathBuf,
    },
    /// A row that does not end.
    #[error("{location}: the row that begins here is longer than {MAX_ROW_BYTES} bytes\nhelp: {OPEN_QUOTE}")]
    Endless {
        /// The line in which it begins.
        location: Location,
    },
    /// A reference level that no row has.
    #[error("--reference: column {column:?} has no category {level:?}{}", suggestion(nearest.as_deref()))]
    NoSuchLevel {
        /// The column.
        column: String,
        /// The level.
        level: String,
        /// The most similar level, if one is similar.
        nearest: Option<String>,
    },
    /// A target of dates.
    #[error(
        "target {column:?}: the column has dates, and a model predicts numbers or classes\nhelp: choose another --target"
    )]
    DateTarget {
        /// The column.
        column: String,
    },
    /// A target without any value.
    #[error("target {column:?}: no row has a value\nhelp: choose another --target")]
    NoTargets {
        /// The column.
        column: String,
    },
    /// Rows, none of which can be used.
    #[error(
        "no row can be used: {no_target} without a target, {no_weight} with a weight of zero or none, {missing} with missing \
         values\nhelp: {advice}"
    )]
    NoRowsLeft {
        /// Rows without a target.
        no_target: u64,
        /// Rows without a weight, or with a weight of zero.
        no_weight: u64,
        /// Rows with missing values that are to be dropped.
        missing: u64,
        /// The action that helps.
        advice: String,
    },
    /// No column to predict from is left.
    #[error("no columns left to predict {target:?} from: {reason}\nhelp: {advice}")]
    NothingToLearn {
        /// The target.
        target: String,
        /// Why columns were left out.
        reason: &'static str,
        /// The action that helps.
        advice: &'static str,
    },
    /// Missing values in a column that must not have any.
    #[error(
        "column {column:?}: {count} values are missing, and --missing reject allows none\n\
         help: replace them, for example with --missing {}", shell_word(&format!("{column}=auto"))
    )]
    MissingValues {
        /// The column.
        column: String,
        /// The number of missing values.
        count: u64,
    },
    /// A target or weight without a value.
    #[error("{location}, {column}: the value is missing\nhelp: add it, or remove the row")]
    MissingAnswer {
        /// The row.
        location: Location,
        /// The column.
        column: NamedColumn,
    },
    /// A value that is not of the declared type of its column.
    #[error("{location}, {column}: {source}\nhelp: {}", column.advice_on_type())]
    Value {
        /// The row.
        location: Location,
        /// The column.
        column: NamedColumn,
        /// The error of the value.
        source: CellError,
    },
    /// A test row that the model could not predict.
    #[error("{location}, {column}: {reason}\nhelp: correct the value, or remove the row from the test data")]
    Unanswerable {
        /// The row.
        location: Location,
        /// The column.
        column: NamedColumn,
        /// The reason.
        reason: String,
    },
    /// A weight, an exposure or a target that is zero or negative where it must not be.
    #[error("{location}, {column}: expected {expected}, got {value}\nhelp: {reason}")]
    NotPositive {
        /// The row.
        location: Location,
        /// The column.
        column: NamedColumn,
        /// A description of the accepted values.
        expected: &'static str,
        /// The value.
        value: f64,
        /// What to do.
        reason: &'static str,
    },
    /// An offset or an exposure whose mean is not a number that a double can hold.
    #[error(
        "{location}, {column}: expected a value whose mean a double can hold, got {value:?}\n\
         help: correct it, or remove the row"
    )]
    ExtremeOffset {
        /// The row.
        location: Location,
        /// The column.
        column: NamedColumn,
        /// The value.
        value: f64,
    },
    /// A class with too few rows to fit.
    #[error(
        "target {column:?}: class {class:?} has too few rows for {what}\n\
         help: add rows of the class, remove its rows, or {advice}"
    )]
    RareClass {
        /// The target.
        column: String,
        /// The class.
        class: String,
        /// What needs more rows.
        what: &'static str,
        /// Another way out.
        advice: &'static str,
    },
    /// More classes than the limit.
    #[error(
        "target {column:?}: expected at most {MAX_CLASSES} classes, got more different values\nhelp: {}",
        other_target(*is_text)
    )]
    TooManyClasses {
        /// The target.
        column: String,
        /// Whether its values are text.
        is_text: bool,
    },
    /// A target whose values hardly repeat.
    #[error(
        "target {column:?}: expected classes, got {classes} different values in {}{}\nhelp: {}",
        counted(*rows, "row", "rows"), if *is_text { "; it may be an identifier or free text" } else { "" },
        other_target(*is_text)
    )]
    NotClasses {
        /// The target.
        column: String,
        /// Number of different values.
        classes: usize,
        /// Number of rows.
        rows: u64,
        /// Whether its values are text.
        is_text: bool,
    },
    /// An error in the data as a whole instead of a row.
    #[error("{data}: {fault}")]
    InData {
        /// The file, or the first of several.
        data: String,
        /// The error.
        fault: Box<DataError>,
    },
    /// A column without any value.
    #[error("column {column:?}: no row has a value\nhelp: leave out the column with --exclude {}", shell_word(column))]
    NoValues {
        /// The column.
        column: String,
    },
    /// A target or category with the same value in every row.
    #[error("{role} {column:?}: every row has the same value\nhelp: {advice}")]
    Constant {
        /// `target` or `feature`.
        role: &'static str,
        /// The column.
        column: String,
        /// What to do.
        advice: String,
    },
    /// Classes where a number is to be predicted.
    #[error(
        "target {column:?}: --estimator {estimator} needs a numeric target, and the column contains classes\n\
         help: use --estimator logistic, or choose another --target"
    )]
    ClassTarget {
        /// The target.
        column: String,
        /// The estimator.
        estimator: &'static str,
    },
    /// `--standard-errors` for a target of classes.
    #[error(
        "--standard-errors applies to least squares, and the target {column:?} has classes\n\
         help: remove --standard-errors; classes have standard errors with --c inf"
    )]
    UnusedByClasses {
        /// The target.
        column: String,
    },
    /// An option of classes for a regression.
    #[error(
        "{option} applies to classes, and --estimator {estimator} is fitted to the numeric target {column:?}\n\
         help: remove {option}, or add --estimator logistic if the numbers are classes"
    )]
    UnusedByNumbers {
        /// The option.
        option: &'static str,
        /// The target.
        column: String,
        /// The estimator.
        estimator: &'static str,
    },
    /// `--threshold` for a target of more than two classes.
    #[error(
        "--threshold applies to two classes, and target {column:?} has {classes}\n\
         help: remove --threshold; the most probable class is predicted"
    )]
    ThresholdOfManyClasses {
        /// The target.
        column: String,
        /// The number of classes.
        classes: usize,
    },
    /// `--target-transform log` for a target of classes.
    #[error(
        "--target-transform log needs a numeric target, and target {column:?} contains classes\n\
         help: remove --target-transform"
    )]
    TransformOfClasses {
        /// The target.
        column: String,
    },
    /// Missing values that cannot be imputed.
    #[error("column {column:?}: missing values cannot be imputed: {reason}")]
    Imputation {
        /// The column.
        column: String,
        /// The reason.
        reason: String,
    },
    /// A model with more columns than the limit.
    #[error(
        "the model would have {columns} columns, and the limit is {MAX_COLUMNS}\n\
         help: remove --interactions, lower --degree, or leave out features with many categories"
    )]
    TooManyColumns {
        /// The number of columns.
        columns: usize,
    },
    /// Two columns of the model with one name.
    #[error("two columns of the model would be named {name:?}\nhelp: rename the column {name:?} in the data")]
    SameName {
        /// The name.
        name: String,
    },
    /// A field that is not UTF-8.
    #[error(
        "{location}{}: the text is not UTF-8\nhelp: name its encoding, for example --encoding windows-1252",
        in_column(column.as_deref())
    )]
    NotUtf8 {
        /// The row.
        location: Location,
        /// The column, if its name is known.
        column: Option<String>,
    },
    /// Text that is not in its encoding, given or detected.
    #[error(
        "{location}: the text is not in {encoding}\nhelp: {}",
        match fitting {
            Some(fitting) => format!("use --encoding {fitting}"),
            None => "correct the line, or name another --encoding".to_owned(),
        }
    )]
    OtherEncoding {
        /// The line.
        location: Location,
        /// The encoding.
        encoding: String,
        /// The encoding of the file, if it can be read again.
        fitting: Option<String>,
    },
    /// A Parquet file that is damaged, truncated or not supported.
    #[error("{}: the Parquet file cannot be read: {reason}", path.display())]
    BrokenParquet {
        /// The file.
        path: PathBuf,
        /// The reader's error.
        reason: String,
    },
    /// A Parquet column of a type that a model cannot use.
    #[error(
        "{}, column {column:?}: expected numbers, booleans or text, got {kind}\nhelp: {}", path.display(),
        if *is_optional { format!("convert it, or leave it out with --exclude {}", shell_word(column)) }
        else { "convert it".to_owned() }
    )]
    ColumnKind {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// What it contains.
        kind: &'static str,
        /// Whether the column can be left out.
        is_optional: bool,
    },
    /// The temporary file with encoded rows cannot be written or read.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

const NO_HEADER: &str = "; if the file has no header, use --header none, which names them column_1, column_2 and so on";

const OPEN_QUOTE: &str = "look for a quote that is not closed";

/// The advice for a target that has no classes.
fn other_target(is_text: bool) -> &'static str {
    if is_text {
        "choose another --target, or group the values into classes"
    } else {
        "use --estimator linear, ridge, lasso or elastic-net to predict a number, or group the values into classes"
    }
}

impl DataError {
    /// The error of a file that cannot be read, or that is not text in its encoding.
    pub(crate) fn unreadable(path: &Path, source: io::Error) -> Self {
        let Some(NotInEncoding { encoding, line }) = source.get_ref().and_then(|source| source.downcast_ref()) else {
            return Self::Unreadable { path: path.to_owned(), source };
        };
        let location = Location { path: path.to_owned(), row: RowNumber::Line(*line) };
        let fitting = fitting(path).filter(|fitting| fitting != encoding).map(Encoding::name);
        Self::OtherEncoding { location, encoding: encoding.name(), fitting }
    }

    /// The same error, prefixed with the name of the data.
    #[must_use]
    pub fn in_data(self, data: String) -> Self {
        Self::InData { data, fault: Box::new(self) }
    }
}

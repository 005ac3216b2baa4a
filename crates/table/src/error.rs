//! What can be wrong with data: each fault names the file, the line and the column, and says what to do.

mod words;

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::spool::SpoolError;
use super::{MAX_CLASSES, MAX_COLUMNS, MAX_LEVELS, MAX_ROW_BYTES};
use ordinate_model::number::NumberError;
use ordinate_model::signature::CellError;
use ordinate_model::wording::counted;
pub use words::{Header, Location, NamedColumn, Purpose};
use words::{listed, suggestion};

/// A fault of the data, or of what was asked of them.
#[derive(Debug, Error)]
pub enum DataError {
    /// The file cannot be opened or read.
    #[error("{}: cannot be read: {source}. Check the path and its permissions", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A pipe or a folder: it cannot be read more than once.
    #[error("{}: this is not a regular file, and training opens its data more than once. Save them to a file first, or pipe them in and name - as the data", path.display())]
    NotAFile {
        /// What it is.
        path: PathBuf,
    },
    /// A pattern that no file matches, or that is none.
    #[error("{pattern}: {reason}. Check the pattern, and quote it so that the shell leaves it alone")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong.
        reason: String,
    },
    /// A file that would be read twice.
    #[error("{}: the file is named more than once, and its rows would count as often. Name it once", path.display())]
    NamedTwice {
        /// The file.
        path: PathBuf,
    },
    /// A file that is neither text nor Parquet.
    #[error("{}: this {what}, not CSV. {advice}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it seems to be.
        what: &'static str,
        /// What to do about it.
        advice: &'static str,
    },
    /// A quote in a header that swallows all that follows.
    #[error(
        "{location}: a quote opens here in the header and is not closed before the file or the limit of {MAX_ROW_BYTES} bytes ends. Close it"
    )]
    OpenHeader {
        /// Where it opens.
        location: Location,
    },
    /// Not even a header.
    #[error("{}: the file is empty. It needs a header line with one name a column, then one row a line", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A header and nothing else.
    #[error("{}: the file has a header but no rows. Add at least one row below it", path.display())]
    HeaderOnly {
        /// The file.
        path: PathBuf,
    },
    /// A header without a single name.
    #[error("{header}: there are no columns. Check that this is the right file")]
    NoColumns {
        /// Where.
        header: Header,
    },
    /// A column has no name.
    #[error("{header}: column {column} has no name. Give every column a name in the header")]
    UnnamedColumn {
        /// Where.
        header: Header,
        /// Its place, counted from 1.
        column: usize,
    },
    /// Two columns share a name.
    #[error("{header}: the column name {name:?} appears twice. Rename one of them")]
    DuplicateColumn {
        /// Where.
        header: Header,
        /// The name.
        name: String,
    },
    /// Files that do not belong together.
    #[error("{header}: the header is not that of {}: {difference}. Give files of one kind", first.display())]
    OtherHeader {
        /// Where.
        header: Header,
        /// The file whose header counts.
        first: PathBuf,
        /// How they differ.
        difference: String,
    },
    /// A column that was asked for is not in the header.
    #[error("{header}: there is no column {name:?}{} The columns are {}", suggestion(nearest.as_deref()), listed(columns))]
    NoSuchColumn {
        /// Where.
        header: Header,
        /// The name that was asked for.
        name: String,
        /// The most similar name that is there, if one is similar.
        nearest: Option<String>,
        /// All names that are there.
        columns: Vec<String>,
    },
    /// A column of the model that was to be left out is not one of its columns.
    #[error("--exclude: neither the data nor the model has a column {name:?}{} The columns of the model are {}", suggestion(nearest.as_deref()), listed(columns))]
    NoSuchTerm {
        /// The name that was asked for.
        name: String,
        /// The most similar name of a column of the model, if one is similar.
        nearest: Option<String>,
        /// All its columns.
        columns: Vec<String>,
    },
    /// All columns of the model were to be left out.
    #[error("--exclude leaves no column of the model. Leave out fewer")]
    NoTerms,
    /// Nothing is left to learn from.
    #[error("{}: no feature is left beside the target {target:?}. Name at least one other column", path.display())]
    NoFeatures {
        /// The file.
        path: PathBuf,
        /// The target.
        target: String,
    },
    /// A column was given two roles, for instance the target's and a feature's, which would make the model copy the answer.
    #[error("the column {column:?} cannot be {role} and a feature. Take it out of --features")]
    TwoRoles {
        /// The column.
        column: String,
        /// Its other role.
        role: &'static str,
    },
    /// The target was to say how much rows count.
    #[error("the column {column:?} cannot be both the target and the weights. Name another with --weights")]
    TargetWeighs {
        /// The column.
        column: String,
    },
    /// A column that is no feature was to be left out of them.
    #[error(
        "--exclude names the {column}, which is not a feature in any case. Take it out of --exclude, or name another"
    )]
    ExcludedRole {
        /// The column.
        column: NamedColumn,
    },
    /// A column was given several types.
    #[error("--types and --categorical give the column {column:?} more than one type. Keep one of them")]
    TwoTypes {
        /// The column.
        column: String,
    },
    /// A type or a rule was given for a column that is not used.
    #[error("{option} names the column {column:?}, which is not among the features{}{}", if *is_target { " nor can it be given for the target" } else { "" }, suggestion(nearest.as_deref()))]
    UnusedColumn {
        /// The option.
        option: &'static str,
        /// The column.
        column: String,
        /// Whether it is the target.
        is_target: bool,
        /// The most similar name of a feature, if there is no such column and one is similar.
        nearest: Option<String>,
    },
    /// A row is wider or narrower than the header.
    #[error(
        "{location}: {} where the header has {expected}. {}", counted(*got, "field", "fields"), if *several_lines { "The row goes over several lines: look for a quote that is not closed" } else { "Check the line for a missing or an unquoted delimiter" }
    )]
    Ragged {
        /// Where.
        location: Location,
        /// Columns of the header.
        expected: usize,
        /// Fields of the row.
        got: usize,
        /// Whether a field of it holds the end of a line, as behind a quote that is not closed.
        several_lines: bool,
    },
    /// A row that does not end.
    #[error(
        "{location}: a row begins here that has more than {MAX_ROW_BYTES} bytes. Look for a quote that is not closed"
    )]
    Endless {
        /// Where it begins.
        location: Location,
    },
    /// A feature has no value.
    #[error(
        "{location}, column {column:?}: the value is missing. Fill it in, let another stand in (--missing {column}=median, mean, most-frequent or constant=VALUE), or leave the column out (--exclude {column:?})"
    )]
    Missing {
        /// Where.
        location: Location,
        /// The column.
        column: String,
    },
    /// The target or a weight has no value.
    #[error("{location}, {column}: the value is missing. Fill it in, or remove the row")]
    MissingAnswer {
        /// Where.
        location: Location,
        /// The column.
        column: NamedColumn,
    },
    /// A cell is not a number that a double can hold.
    #[error(
        "{location}, {column}: {value} is {why}. {}", column.instead_of(value)
    )]
    NotANumber {
        /// Where.
        location: Location,
        /// The column.
        column: NamedColumn,
        /// What stands there.
        value: String,
        /// What is wrong with it.
        why: NumberError,
    },
    /// Numbers and words in one column.
    #[error(
        "{location}, {column}: {value} is not a number, but {number} in the same column is. {}", column.instead_of(value)
    )]
    Mixed {
        /// Where the word is.
        location: Location,
        /// The column.
        column: NamedColumn,
        /// The word.
        value: String,
        /// A number.
        number: String,
    },
    /// A cell is not of the type that its column was declared to have.
    #[error("{location}, {column}: {source}. {}", column.instead_of_another_type())]
    Value {
        /// Where.
        location: Location,
        /// The column.
        column: NamedColumn,
        /// What is wrong with it.
        source: CellError,
    },
    /// A row to measure on that the model would not answer when it is served.
    #[error(
        "{location}, {column}: {reason}. Rows to measure on must be rows that the model answers: correct it, or take the row out"
    )]
    Unanswerable {
        /// Where.
        location: Location,
        /// The column.
        column: NamedColumn,
        /// What was expected.
        reason: String,
    },
    /// A weight, or a target whose logarithm is wanted, is not above zero.
    #[error("{location}, {column}: {value} is not above zero, and {reason}")]
    NotPositive {
        /// Where.
        location: Location,
        /// The column.
        column: NamedColumn,
        /// What stands there.
        value: f64,
        /// Why it has to be.
        reason: &'static str,
    },
    /// A column of words with hardly two rows alike.
    #[error(
        "{location}, column {column:?}: more than {MAX_LEVELS} different values: this looks like an identifier, a date or a text, not like a category. Leave it out (--exclude {column:?}), or put its values into groups first"
    )]
    TooManyLevels {
        /// Where the first is that is too many.
        location: Location,
        /// The column.
        column: String,
    },
    /// A column of words without two rows alike.
    #[error(
        "the column {column:?} has another value in every row: this looks like an identifier or a text, not like a category. Leave it out (--exclude {column:?}), or put its values into groups first"
    )]
    Identifier {
        /// The column.
        column: String,
    },
    /// A class that some fit cannot learn, because all its rows are kept from it.
    #[error(
        "the target {column:?}: too few rows are {class:?} for {what}. Leave these rows out, add more like them, or {advice}"
    )]
    RareClass {
        /// The target.
        column: String,
        /// The class.
        class: String,
        /// What it takes more rows for.
        what: &'static str,
        /// What else to do.
        advice: &'static str,
    },
    /// More classes than a classifier is good for.
    #[error(
        "the target {column:?} has more than {MAX_CLASSES} different values, too many to be classes. For a number to be predicted use --estimator linear, ridge, lasso or elastic-net; otherwise put its values into groups first"
    )]
    TooManyClasses {
        /// The target.
        column: String,
    },
    /// A target whose values hardly repeat.
    #[error(
        "the target {column:?} has {classes} different values in {rows} rows: these are no classes. For a number to be predicted use --estimator linear, ridge, lasso or elastic-net; otherwise put its values into groups first"
    )]
    HardlyTwoAlike {
        /// The target.
        column: String,
        /// Its different values.
        classes: usize,
        /// How many rows there are.
        rows: u64,
    },
    /// A fault of all rows together, which stands in none of them.
    #[error("{data}: {fault}")]
    OfData {
        /// The file, or the first of several.
        data: String,
        /// What is wrong.
        fault: Box<DataError>,
    },
    /// A column without a single value.
    #[error("the column {column:?} has no value in any row. Leave it out with --exclude {column:?}")]
    NoValues {
        /// The column.
        column: String,
    },
    /// A target or category that is the same everywhere.
    #[error("the {role} {column:?} has the same value in every row, so there is nothing to learn from it. {advice}")]
    Constant {
        /// `target` or `feature`.
        role: &'static str,
        /// The column.
        column: String,
        /// What to do.
        advice: String,
    },
    /// Words where a number is to be predicted.
    #[error(
        "the target {column:?} holds classes, and --estimator {estimator} predicts numbers. Use --estimator logistic, or choose another --target"
    )]
    TargetIsNoNumber {
        /// The target.
        column: String,
        /// What was to be fitted.
        estimator: &'static str,
    },
    /// A price that the fit does not have.
    #[error(
        "--c is for --estimator logistic, and the target {column:?} holds numbers, to which --estimator {estimator} is fitted. Leave --c out, or give --estimator logistic if the numbers are classes"
    )]
    PriceOfClasses {
        /// The target.
        column: String,
        /// What is fitted.
        estimator: &'static str,
    },
    /// A transformation of something that is no number.
    #[error(
        "--target-transform log needs a number to predict, and the target {column:?} holds classes. Leave the option out"
    )]
    TransformOfClasses {
        /// The target.
        column: String,
    },
    /// No value can stand in where one is missing.
    #[error("the missing values of {column:?} cannot be imputed: {reason}")]
    Imputation {
        /// The column.
        column: String,
        /// Why not.
        reason: String,
    },
    /// A design too wide to be solved.
    #[error(
        "the model would have {columns} columns, more than the {MAX_COLUMNS} that can be fitted. Leave out --interactions, lower --degree, or leave out features with many categories"
    )]
    TooManyColumns {
        /// How many.
        columns: usize,
    },
    /// Two columns of the design would have one name.
    #[error("two columns of the model would be called {name:?}. Rename the column of that name in the data")]
    SameName {
        /// The name.
        name: String,
    },
    /// A field is not UTF-8.
    #[error("{location}{}: the text is not UTF-8. Convert the file, for example with iconv -f LATIN1 -t UTF-8", column.as_ref().map(|name| format!(", column {name:?}")).unwrap_or_default())]
    NotUtf8 {
        /// Where.
        location: Location,
        /// The column, once the header has been read.
        column: Option<String>,
    },
    /// A Parquet file that is damaged or cut short, or uses what is not understood here.
    #[error("{}: this Parquet file cannot be read: {reason}. Write it again, or convert it to CSV", path.display())]
    BrokenParquet {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        reason: String,
    },
    /// A column whose values are neither numbers nor categories.
    #[error("{}: the column {column:?} holds {kind}, which are neither numbers nor categories. Leave it out (--exclude {column:?}), or convert it first", path.display())]
    ColumnKind {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// What it holds.
        kind: &'static str,
    },
    /// What is kept of the data for further passes cannot be written or read back.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

impl DataError {
    /// The same, which says of what data.
    #[must_use]
    pub fn of(self, data: String) -> Self {
        Self::OfData { data, fault: Box::new(self) }
    }
}

//! Why a model cannot be written as SQL.

use thiserror::Error;

use crate::dialect::Dialect;

/// Why a model cannot be written as SQL.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ExportError {
    /// A name of a dialect that is not known.
    #[error("expected one of {}, got {found:?}", Dialect::names())]
    UnknownDialect {
        /// The name.
        found: String,
    },
    /// A name, level or class that the dialect cannot write.
    #[error("{place}: expected a text that {dialect} can write, but it has {character:?}\nhelp: {help}")]
    Text {
        /// The feature or class, with its name.
        place: String,
        /// The dialect.
        dialect: Dialect,
        /// The character.
        character: char,
        /// The advice.
        help: &'static str,
    },
    /// Two columns that the dialect does not distinguish.
    #[error(
        "columns {first:?} and {second:?}: {dialect} does not distinguish upper and lower case in names of columns\n\
         help: rename one of them in the training data"
    )]
    SameName {
        /// The name of one column.
        first: String,
        /// The name of the other column.
        second: String,
        /// The dialect.
        dialect: Dialect,
    },
    /// A feature with the name of an output column of a statement.
    #[error(
        "feature {name:?}: the statement adds a column of this name to the table\n\
         help: write the expressions, without a table, and name them yourself"
    )]
    OutputName {
        /// The name.
        name: String,
    },
    /// More terms than any database should parse: with k classes, each score is subtracted from each other one.
    #[error(
        "the SQL would have {terms} terms, more than the limit of {limit}\n\
         help: predict the rows of a file instead, with ordinate predict"
    )]
    TooLarge {
        /// The number of terms.
        terms: usize,
        /// The largest permitted number.
        limit: usize,
    },
    /// A table of which no rows can be selected.
    #[error("expected a table as in a FROM clause, got {found:?}")]
    Table {
        /// The text.
        found: String,
    },
}

//! The dialects of SQL: how each writes names, texts, numbers and the few functions that differ.

mod dates;

use std::fmt::{self, Write as _};
use std::str::FromStr;

use crate::error::ExportError;

/// A dialect of SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// DuckDB.
    DuckDb,
    /// SQLite with its mathematical functions, as most builds have them.
    Sqlite,
    /// PostgreSQL from version 14.
    Postgres,
    /// Spark SQL and Databricks.
    Spark,
    /// Amazon Athena and Trino.
    Athena,
    /// Amazon Redshift.
    Redshift,
    /// BigQuery (GoogleSQL).
    BigQuery,
    /// Snowflake.
    Snowflake,
}

impl fmt::Display for Dialect {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl FromStr for Dialect {
    type Err = ExportError;

    fn from_str(name: &str) -> Result<Self, ExportError> {
        let found = Self::ALL.into_iter().find(|dialect| dialect.name() == name);
        found.ok_or_else(|| ExportError::UnknownDialect { found: name.to_owned() })
    }
}

/// Characters that BigQuery does not permit in the name of a column.
const NOT_IN_BIGQUERY_NAMES: &str = "!\"$()*,./;?@[\\]^`{}~";

impl Dialect {
    /// All dialects.
    pub const ALL: [Self; 8] = [
        Self::DuckDb,
        Self::Sqlite,
        Self::Postgres,
        Self::Spark,
        Self::Athena,
        Self::Redshift,
        Self::BigQuery,
        Self::Snowflake,
    ];

    /// The name in options.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DuckDb => "duckdb",
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Spark => "spark",
            Self::Athena => "athena",
            Self::Redshift => "redshift",
            Self::BigQuery => "bigquery",
            Self::Snowflake => "snowflake",
        }
    }

    /// `duckdb, sqlite, …`.
    pub(crate) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    /// The name of a column as the dialect compares it with others: whether upper and lower case are distinguished.
    pub(crate) fn folded(self, name: &str) -> String {
        match self {
            Self::Postgres | Self::Snowflake => name.to_owned(),
            Self::DuckDb | Self::Sqlite => name.to_ascii_lowercase(),
            Self::Spark | Self::Athena | Self::Redshift | Self::BigQuery => name.to_lowercase(),
        }
    }

    /// Whether an operation whose result is too small for a double is an error, and not 0.
    pub(crate) fn rejects_underflow(self) -> bool {
        matches!(self, Self::Postgres | Self::Redshift)
    }

    /// The first character that the dialect does not permit in the name of a column.
    pub(crate) fn not_in_names(self, name: &str) -> Option<char> {
        // Spark replaces ${name} by a variable, also in names, where nothing can be escaped.
        let is_variable = self == Self::Spark && name.contains("${");
        let is_forbidden = |character: &char| match character {
            '\0' => true,
            '$' if is_variable => true,
            other => self == Self::BigQuery && NOT_IN_BIGQUERY_NAMES.contains(*other),
        };
        name.chars().find(is_forbidden)
    }

    /// The name of a column, quoted.
    pub(crate) fn identifier(self, name: &str) -> String {
        match self {
            // SQLite reads a name in double quotes as a string if the table has no such column.
            Self::Spark | Self::Sqlite | Self::BigQuery => format!("`{}`", name.replace('`', "``")),
            _ => format!("\"{}\"", name.replace('"', "\"\"")),
        }
    }

    /// The name of an output column, quoted if it needs to be: Snowflake would otherwise require quotes in every query.
    pub(crate) fn alias(self, name: &str) -> String {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if name.bytes().all(is_plain) { name.to_owned() } else { self.identifier(name) }
    }

    /// A string.
    pub(crate) fn string(self, text: &str) -> String {
        match self {
            // An escape string has one meaning, whatever standard_conforming_strings is.
            Self::Postgres if text.contains('\\') => {
                format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
            }
            Self::DuckDb | Self::Sqlite | Self::Postgres | Self::Athena => {
                format!("'{}'", text.replace('\'', "''"))
            }
            Self::Redshift => text
                .split('\\')
                .map(|part| format!("'{}'", part.replace('\'', "''")))
                .collect::<Vec<_>>()
                .join(" || CHR(92) || "),
            Self::Spark | Self::BigQuery | Self::Snowflake => {
                let mut quoted = String::from("'");
                text.chars().for_each(|character| self.push_escaped(&mut quoted, character));
                quoted.push('\'');
                quoted
            }
        }
    }

    /// A character of a string in which a backslash escapes.
    fn push_escaped(self, to: &mut String, character: char) {
        match character {
            '\\' => to.push_str("\\\\"),
            '\'' => to.push_str("\\'"),
            '\n' => to.push_str("\\n"),
            '\r' => to.push_str("\\r"),
            '\t' => to.push_str("\\t"),
            // Spark replaces ${name} by a variable, also in strings.
            '$' if self == Self::Spark => to.push_str("\\u0024"),
            '\u{1}'..='\u{1f}' => {
                let _ = write!(to, "\\u{:04x}", u32::from(character));
            }
            other => to.push(other),
        }
    }

    /// A finite double that reads back as itself.
    pub(crate) fn number(self, value: f64) -> String {
        let text = decimal(value);
        match self {
            Self::DuckDb | Self::Athena | Self::BigQuery => text,
            Self::Spark => text + "D",
            // Without the cast the type is numeric, which has no NaN-safe functions and other rules of rounding.
            Self::Postgres | Self::Redshift => format!("'{text}'::float8"),
            Self::Snowflake => format!("'{text}'::float"),
            Self::Sqlite if is_short(&text) => text,
            Self::Sqlite => exact(value),
        }
    }

    /// The condition that a double is finite; not true for NULL.
    pub(crate) fn is_finite(self, value: &str) -> String {
        match self {
            // Reads as infinity.
            Self::Sqlite => format!("ABS({value}) < 9E999"),
            // NaN is not comparable, or larger than all numbers.
            _ => format!("ABS({value}) <= {}", self.number(f64::MAX)),
        }
    }

    /// A boolean.
    pub(crate) fn boolean(self, value: bool) -> &'static str {
        match (self, value) {
            (Self::Sqlite, true) => "1",
            (Self::Sqlite, false) => "0",
            (_, true) => "TRUE",
            (_, false) => "FALSE",
        }
    }

    /// The name of the type of doubles.
    fn double(self) -> &'static str {
        match self {
            Self::Sqlite => "REAL",
            Self::Postgres | Self::Redshift => "DOUBLE PRECISION",
            Self::BigQuery => "FLOAT64",
            _ => "DOUBLE",
        }
    }

    /// An expression as a double.
    pub(crate) fn to_double(self, expression: &str) -> String {
        format!("CAST({expression} AS {})", self.double())
    }

    /// A column of numbers as doubles. A column of texts or booleans is an error where the dialect has a sign for numbers
    /// only: a cast would read `1_5` as 15.
    pub(crate) fn double_of_column(self, column: &str) -> String {
        match self {
            Self::DuckDb | Self::Postgres | Self::Redshift => self.to_double(&format!("+{column}")),
            _ => self.to_double(column),
        }
    }

    /// The condition that a column has booleans, where other types are read as booleans.
    pub(crate) fn is_boolean(self, column: &str) -> Option<String> {
        (self == Self::DuckDb).then(|| format!("typeof({column}) = 'BOOLEAN'"))
    }

    /// An expression limited to a range.
    pub(crate) fn clamp(self, expression: &str, [low, high]: [f64; 2]) -> String {
        let [least, greatest] = if self == Self::Sqlite { ["min", "max"] } else { ["LEAST", "GREATEST"] };
        format!("{greatest}({}, {least}({}, {expression}))", self.number(low), self.number(high))
    }

    /// A text without white space of ASCII around it.
    pub(crate) fn trimmed(self, text: &str) -> String {
        match self {
            Self::DuckDb | Self::Redshift | Self::Postgres => {
                let function = if self == Self::DuckDb { "trim" } else { "BTRIM" };
                format!("{function}({text}, ' ' || CHR(9) || CHR(10) || CHR(12) || CHR(13))")
            }
            Self::Sqlite => format!("trim({text}, char(9, 10, 12, 13, 32))"),
            Self::Spark => format!("trim(BOTH ' \\t\\n\\u000c\\r' FROM {text})"),
            Self::Athena => format!("trim({text})"),
            Self::BigQuery | Self::Snowflake => format!("TRIM({text}, ' \\t\\n\\f\\r')"),
        }
    }

    /// A column of texts, compared byte by byte.
    pub(crate) fn text(self, column: &str) -> String {
        if self == Self::Sqlite { format!("({column} COLLATE BINARY)") } else { column.to_owned() }
    }

    /// The condition that a column of numbers has a number: SQLite's columns have values of any type.
    pub(crate) fn is_number(self, column: &str) -> Option<String> {
        (self == Self::Sqlite).then(|| format!("typeof({column}) IN ('integer', 'real')"))
    }

    /// Whether an expression of doubles is a whole number.
    pub(crate) fn is_whole(self, expression: &str) -> String {
        let function = if self == Self::Sqlite { "round" } else { "FLOOR" };
        format!("{expression} = {function}({expression})")
    }
}

/// The shortest decimal number that is this double, with an exponent: without one, dialects read a decimal type.
fn decimal(value: f64) -> String {
    // Adding zero makes -0 equal to 0.
    let value = value + 0.0;
    if value == 0.0 || (1e-5..1e15).contains(&value.abs()) { format!("{value}E0") } else { format!("{value:E}") }
}

/// Whether a number in scientific notation has so few digits that any parser reads it exactly.
fn is_short(text: &str) -> bool {
    const MOST_DIGITS: usize = 15;
    let (digits, exponent) = text.split_once('E').unwrap_or((text, "0"));
    let count = digits.bytes().filter(u8::is_ascii_digit).count();
    count <= MOST_DIGITS && exponent.parse::<i32>().is_ok_and(|exponent| exponent.abs() <= 20)
}

/// A double as an integer times or divided by powers of two, which are exact: SQLite guarantees 15 digits of a decimal
/// number only.
fn exact(value: f64) -> String {
    const LARGEST_POWER: u32 = 62;
    let bits = value.to_bits();
    let (fraction, exponent) = (bits & ((1 << 52) - 1), i32::try_from((bits >> 52) & 0x7ff).unwrap_or(0));
    let (mut integer, mut power) =
        if exponent == 0 { (fraction, -1074) } else { (fraction | (1 << 52), exponent - 1075) };
    while integer % 2 == 0 && integer > 0 {
        integer /= 2;
        power += 1;
    }
    let mut text = format!("({}1.0 * {integer}", if value < 0.0 { "-" } else { "" });
    let operator = if power < 0 { '/' } else { '*' };
    let mut left = power.unsigned_abs();
    while left > 0 {
        let step = left.min(LARGEST_POWER);
        let _ = write!(text, " {operator} {}", 1_u64 << step);
        left -= step;
    }
    text + ")"
}

#[cfg(test)]
mod tests;

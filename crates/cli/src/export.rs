//! `ordinate export`: the prediction of a model as SQL.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser;
use clap::{Args, ValueEnum};
use ordinate_export::{Dialect, sql};

use super::model;
use super::output::{OutputFile, is_standard_output};

/// Write the prediction of a model as SQL, to score rows in a database
///
/// The columns are those of predict: `prediction`, and `probability_CLASS` of a classifier. A row that predict rejects
/// has NULL. The columns of the table have the names of the features and their types: numbers, booleans, text, dates or
/// timestamps in UTC.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ordinate export price.json --to sql > price.sql
  ordinate export price.json --to sql --dialect spark --table sales.houses
  ordinate export iris --to sql --table \"read_parquet('flowers.parquet')\" | duckdb")]
pub(super) struct Arguments {
    #[arg(value_name = "MODEL", help = model::HELP, long_help = model::LONG_HELP)]
    model: String,
    /// Language to write
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    to: Language,
    /// Dialect of SQL
    ///
    /// Tests run the SQL in duckdb, sqlite, postgres and spark. That of athena, redshift, bigquery and snowflake is
    /// only parsed.
    #[arg(long, value_name = "DIALECT", default_value = "duckdb", value_parser = dialect())]
    dialect: Dialect,
    /// Table to select from: a statement instead of a list of expressions
    ///
    /// It is written after FROM as it is: a name, quoted if necessary, or what else the database allows there.
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
    /// File to write to; - for standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    out: PathBuf,
}

/// A language of predictions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    Sql,
}

fn dialect() -> impl TypedValueParser<Value = Dialect> {
    PossibleValuesParser::new(Dialect::ALL.map(Dialect::name)).try_map(|name| name.parse::<Dialect>())
}

/// Returns the SQL, or writes it to a file.
pub(super) fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let Language::Sql = arguments.to;
    let model = model::load(&arguments.model)?;
    let text = sql(&model, arguments.dialect, arguments.table.as_deref())?;
    if is_standard_output(&arguments.out) {
        return Ok(text);
    }
    let write = || {
        let mut file = OutputFile::create(&arguments.out)?;
        file.write_all(text.as_bytes())?;
        file.keep()
    };
    write().map_err(|error| format!("{}: cannot be written: {error}", arguments.out.display()))?;
    Ok(String::new())
}

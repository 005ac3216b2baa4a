use super::*;
use proptest::prelude::*;

/// The double that a dialect reads.
fn read(dialect: Dialect, text: &str) -> f64 {
    let text = text.trim_end_matches("::float8").trim_end_matches("::float").trim_end_matches('D').trim_matches('\'');
    let Some(product) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) else {
        return text.parse().unwrap();
    };
    assert_eq!(dialect, Dialect::Sqlite);
    // From left to right, as SQLite computes it: only integers that a double represents exactly.
    let mut parts = product.split(' ');
    let mut value: f64 = parts.next().unwrap().parse().unwrap();
    while let (Some(operator), Some(number)) = (parts.next(), parts.next()) {
        #[allow(clippy::cast_precision_loss)]
        let number = number.parse::<i64>().unwrap() as f64;
        value = if operator == "*" { value * number } else { value / number };
    }
    value
}

proptest! {
    #[test]
    fn numbers_read_back_as_the_same_double(bits: u64, dialect in 0..Dialect::ALL.len()) {
        let (value, dialect) = (f64::from_bits(bits), Dialect::ALL[dialect]);
        prop_assume!(value.is_finite());
        let text = dialect.number(value);
        prop_assert_eq!(read(dialect, &text).to_bits(), (value + 0.0).to_bits(), "{}", text);
    }

    #[test]
    fn short_numbers_read_back_as_the_same_double(digits in -1_000_000_i32..1_000_000, places in 0..9_i32) {
        let value = f64::from(digits) / 10_f64.powi(places);
        for dialect in Dialect::ALL {
            prop_assert_eq!(read(dialect, &dialect.number(value)).to_bits(), (value + 0.0).to_bits());
        }
    }
}

/// `1.5` is a decimal number in most dialects, and `3 / 2` is 1.
#[test]
fn numbers_are_doubles_by_their_type() {
    let numbers = Dialect::ALL.map(|dialect| dialect.number(1.5));
    let expected =
        ["1.5E0", "1.5E0", "'1.5E0'::float8", "1.5E0D", "1.5E0", "'1.5E0'::float8", "1.5E0", "'1.5E0'::float"];
    assert_eq!(numbers, expected);
    assert_eq!(Dialect::DuckDb.number(-0.0), "0E0");
    assert_eq!(Dialect::DuckDb.number(1.25e-7), "1.25E-7");
    assert_eq!(Dialect::Sqlite.number(0.1 + 0.2), "(1.0 * 1351079888211149 / 4503599627370496)");
}

#[test]
fn strings_end_where_they_are_to_end() {
    let strings = |text: &str| Dialect::ALL.map(|dialect| dialect.string(text));
    assert_eq!(
        strings("it's"),
        ["'it''s'", "'it''s'", "'it''s'", r"'it\'s'", "'it''s'", "'it''s'", r"'it\'s'", r"'it\'s'"]
    );
    assert_eq!(
        strings(r"a\'b"),
        [
            r"'a\''b'",
            r"'a\''b'",
            r"E'a\\''b'",
            r"'a\\\'b'",
            r"'a\''b'",
            r"'a' || CHR(92) || '''b'",
            r"'a\\\'b'",
            r"'a\\\'b'"
        ]
    );
    assert_eq!(Dialect::Spark.string("${x}\n\u{1}"), r"'\u0024{x}\n\u0001'");
}

#[test]
fn names_are_quoted_as_the_dialect_quotes_them() {
    let names = Dialect::ALL.map(|dialect| dialect.identifier("a\"b`c"));
    let (double, back) = ("\"a\"\"b`c\"", "`a\"b``c`");
    assert_eq!(names, [double, back, double, back, double, double, back, double]);
    assert_eq!(Dialect::Snowflake.alias("probability_yes"), "probability_yes");
    assert_eq!(Dialect::Snowflake.alias("probability_Yes"), "\"probability_Yes\"");
    assert_eq!(Dialect::BigQuery.not_in_names("a.b"), Some('.'));
    assert_eq!(["${a}", "$a"].map(|name| Dialect::Spark.not_in_names(name)), [Some('$'), None]);
}

#[test]
fn a_dialect_has_a_name() {
    assert!(Dialect::ALL.into_iter().all(|dialect| dialect.name().parse() == Ok(dialect)));
    let error = "mysql".parse::<Dialect>().unwrap_err().to_string();
    assert_eq!(
        error,
        "expected one of duckdb, sqlite, postgres, spark, athena, redshift, bigquery, snowflake, got \"mysql\""
    );
}

//! Dates: the moment of a column, and the parts that become columns of a design. All are in UTC.

use ordinate_model::date::{self, DatePart};

use super::Dialect;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

impl Dialect {
    /// The moment of a column of dates or times, with a replacement for NULL in days since 1970-01-01: an expression for
    /// [`is_moment`](Self::is_moment) and [`date_part`](Self::date_part).
    pub(crate) fn moment(self, column: &str, missing: &str, imputed: Option<f64>) -> String {
        let given = match self {
            Self::Sqlite => column.to_owned(),
            Self::Spark => format!(
                "CASE typeof({column}) WHEN 'date' THEN unix_date(CAST({column} AS DATE)) * {DAY}L \
                 WHEN 'timestamp' THEN unix_micros(CAST({column} AS TIMESTAMP)) ELSE {} END",
                spark_microseconds(&format!("CAST({column} AS TIMESTAMP_NTZ)"))
            ),
            Self::Athena => format!("CAST({column} AS TIMESTAMP(6))"),
            Self::Snowflake => format!("CAST({column} AS TIMESTAMP_NTZ)"),
            Self::BigQuery => format!("CAST({column} AS TIMESTAMP)"),
            // A column of texts is an error: their offset from UTC would be ignored.
            Self::DuckDb | Self::Postgres | Self::Redshift => {
                format!("CAST({column} + INTERVAL '0 days' AS TIMESTAMP)")
            }
        };
        match (imputed, self) {
            (None, Self::Spark) => format!("({given})"),
            (None, _) => given,
            (Some(days), Self::Spark) => format!("COALESCE({given}, {}L)", microseconds(days)),
            (Some(days), Self::Sqlite) => format!("CASE WHEN {missing} THEN '{}' ELSE {column} END", plain(days)),
            (Some(days), _) => format!("COALESCE({given}, {})", self.timestamp(&plain(days))),
        }
    }

    fn timestamp(self, text: &str) -> String {
        match self {
            Self::BigQuery => format!("TIMESTAMP '{text}+00'"),
            Self::Snowflake => format!("'{text}'::TIMESTAMP_NTZ"),
            _ => format!("TIMESTAMP '{text}'"),
        }
    }

    /// The condition that a moment is a date from the year 1 to 9999.
    pub(crate) fn is_moment(self, moment: &str) -> String {
        match self {
            // SQLite reads 30 February as 1 March, and hour 24 as the next day. Normalized, such days are others.
            Self::Sqlite => format!(
                "({moment}) GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' AND julianday({moment}) IS NOT NULL \
                 AND date(substr({moment}, 1, 10), '+0 days') = substr({moment}, 1, 10) \
                 AND substr({moment}, 12, 2) < '24'"
            ),
            Self::Spark => format!("{moment} BETWEEN -62135596800000000L AND 253402300799999999L"),
            _ => format!(
                "{moment} BETWEEN {} AND {}",
                self.timestamp("0001-01-01 00:00:00"),
                self.timestamp("9999-12-31 23:59:59.999999")
            ),
        }
    }

    /// A part of a moment as a double; `Days` are days since 1970-01-01.
    pub(crate) fn date_part(self, moment: &str, part: DatePart) -> String {
        if part == DatePart::Days {
            return self.days(moment);
        }
        let name = match part {
            DatePart::Year => "YEAR",
            DatePart::Month => "MONTH",
            DatePart::DayOfWeek => "ISODOW",
            DatePart::DayOfYear => "DOY",
            DatePart::Hour | DatePart::Days => "HOUR",
        };
        let of_function = |function: &str, of: &str| format!("{function}({of})");
        let integer = match (self, part) {
            (Self::Sqlite, DatePart::DayOfWeek) => {
                format!("(CAST(strftime('%w', {moment}) AS INTEGER) + 6) % 7 + 1")
            }
            (Self::Sqlite, _) => format!("strftime('{}', {moment})", sqlite_format(part)),
            (Self::Spark, DatePart::Hour) => format!("pmod({moment}, {DAY}L) div 3600000000L"),
            (Self::Spark, DatePart::DayOfWeek) => format!("weekday({}) + 1", spark_date(moment)),
            (Self::Spark, DatePart::DayOfYear) => of_function("dayofyear", &spark_date(moment)),
            (Self::Spark, _) => of_function(&name.to_lowercase(), &spark_date(moment)),
            (Self::Athena, DatePart::DayOfWeek) => of_function("day_of_week", moment),
            (Self::Athena, DatePart::DayOfYear) => of_function("day_of_year", moment),
            (Self::Athena, _) => of_function(&name.to_lowercase(), moment),
            (Self::Redshift, DatePart::DayOfWeek) => format!("MOD(EXTRACT(DOW FROM {moment}) + 6, 7) + 1"),
            (Self::BigQuery, DatePart::DayOfWeek) => format!("MOD(EXTRACT(DAYOFWEEK FROM {moment}) + 5, 7) + 1"),
            (Self::BigQuery, DatePart::DayOfYear) => format!("EXTRACT(DAYOFYEAR FROM {moment})"),
            (Self::DuckDb | Self::Postgres | Self::Redshift | Self::BigQuery, _) => {
                format!("EXTRACT({name} FROM {moment})")
            }
            (Self::Snowflake, DatePart::DayOfWeek) => of_function("DAYOFWEEKISO", moment),
            (Self::Snowflake, DatePart::DayOfYear) => of_function("DAYOFYEAR", moment),
            (Self::Snowflake, _) => of_function(name, moment),
        };
        self.to_double(&integer)
    }

    /// Whole days, and the time of day as a fraction, which are added as the model adds them.
    fn days(self, moment: &str) -> String {
        let whole = match self {
            Self::DuckDb | Self::Postgres => format!("CAST({moment} AS DATE) - DATE '1970-01-01'"),
            Self::Sqlite => format!("julianday(date({moment})) - 2440587.5"),
            Self::Spark => format!("({moment} - pmod({moment}, {DAY}L)) div {DAY}L"),
            Self::Athena => format!("date_diff('day', DATE '1970-01-01', CAST({moment} AS DATE))"),
            Self::Redshift | Self::Snowflake => format!("DATEDIFF(day, DATE '1970-01-01', CAST({moment} AS DATE))"),
            Self::BigQuery => format!("UNIX_DATE(DATE({moment}))"),
        };
        // In parts of a day, and their number.
        let (time, parts) = match self {
            Self::DuckDb => (format!("epoch_us({moment}) - epoch_us(CAST(CAST({moment} AS DATE) AS TIMESTAMP))"), DAY),
            Self::Postgres => (format!("EXTRACT(EPOCH FROM CAST({moment} AS TIME)) * 1000000"), DAY),
            Self::Sqlite => (
                format!(
                    "strftime('%H', {moment}) * 3600 + strftime('%M', {moment}) * 60 + \
                     CAST(strftime('%f', {moment}) AS REAL)"
                ),
                86_400,
            ),
            Self::Spark => (format!("pmod({moment}, {DAY}L)"), DAY),
            Self::Athena => (format!("date_diff('millisecond', date_trunc('day', {moment}), {moment})"), 86_400_000),
            Self::Redshift | Self::Snowflake => {
                (format!("DATEDIFF(microsecond, DATE_TRUNC('day', {moment}), {moment})"), DAY)
            }
            Self::BigQuery => (format!("UNIX_MICROS({moment}) - UNIX_DATE(DATE({moment})) * {DAY}"), DAY),
        };
        // A day has fewer microseconds than a double represents.
        #[allow(clippy::cast_precision_loss)]
        let parts = self.number(parts as f64);
        format!("({} + {} / {parts})", self.to_double(&whole), self.to_double(&time))
    }
}

/// The microseconds since 1970 of a timestamp without a time zone: a cast to one with a time zone would depend on that of
/// the session.
fn spark_microseconds(moment: &str) -> String {
    format!(
        "unix_date(CAST({moment} AS DATE)) * {DAY}L + hour({moment}) * 3600000000L + minute({moment}) * 60000000L \
         + CAST(extract(SECOND FROM {moment}) * 1000000 AS BIGINT)"
    )
}

/// The date of microseconds since 1970.
fn spark_date(moment: &str) -> String {
    format!("date_from_unix_date(CAST(({moment} - pmod({moment}, {DAY}L)) div {DAY}L AS INT))")
}

fn sqlite_format(part: DatePart) -> &'static str {
    match part {
        DatePart::Year => "%Y",
        DatePart::Month => "%m",
        DatePart::DayOfWeek => "%w",
        DatePart::DayOfYear => "%j",
        DatePart::Hour | DatePart::Days => "%H",
    }
}

/// A date as `2024-01-31 08:30:00`, to the microsecond.
fn plain(days: f64) -> String {
    // Nanoseconds have three digits more than any dialect reads.
    const MOST: usize = "00:00:00.000000".len();
    let iso = date::to_iso(days);
    let (day, time) = iso.split_once('T').unwrap_or((&iso, "00:00:00"));
    let time = time.trim_end_matches('Z');
    format!("{day} {}", time.get(..MOST).unwrap_or(time))
}

// Dates have less than 2^63 microseconds.
#[allow(clippy::cast_possible_truncation)]
fn microseconds(days: f64) -> i64 {
    let day = days.floor();
    #[allow(clippy::cast_precision_loss)]
    let time = (days - day) * DAY as f64;
    (day as i64) * DAY + time.round() as i64
}

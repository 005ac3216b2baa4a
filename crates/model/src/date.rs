//! Dates and times as text, and as days since 1970-01-01.

use time::{Date, Month};

/// The date formats that training tries, besides ISO 8601, in this order. `%m` and `%d` read one digit or two.
pub const FORMATS: [&str; 14] = [
    "%Y/%m/%d",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%d.%m.%Y",
    "%m-%d-%Y",
    "%d-%m-%Y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%d.%m.%y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d %b %Y",
    "%b %d, %Y",
    "%b %d %Y",
];

/// The Julian day of 1970-01-01.
const EPOCH: i32 = 2_440_588;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The parts of a date that become columns of a design.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatePart {
    /// The year, such as 2024.
    Year,
    /// The month, from 1 to 12.
    Month,
    /// The day of the week, from 1 (Monday) to 7.
    DayOfWeek,
    /// The day of the year, from 1 to 366.
    DayOfYear,
    /// The hour, from 0 to 23.
    Hour,
    /// Days since the first date of the training data, with the time of day as a fraction.
    Days,
}

impl DatePart {
    /// All parts, in the order of their columns.
    pub const ALL: [Self; 6] = [Self::Year, Self::Month, Self::DayOfWeek, Self::DayOfYear, Self::Hour, Self::Days];

    /// The name in model files and column names.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Month => "month",
            Self::DayOfWeek => "day_of_week",
            Self::DayOfYear => "day_of_year",
            Self::Hour => "hour",
            Self::Days => "days",
        }
    }

    /// The part of a date in days since 1970-01-01; `first` is the first date of the training data.
    #[must_use]
    pub fn of(self, days: f64, first: f64) -> f64 {
        if self == Self::Days {
            return days - first;
        }
        let Some(date) = calendar(days) else { return f64::NAN };
        match self {
            Self::Year => f64::from(date.year()),
            Self::Month => f64::from(u8::from(date.month())),
            Self::DayOfWeek => f64::from(date.weekday().number_from_monday()),
            Self::DayOfYear => f64::from(date.ordinal()),
            Self::Hour => ((days - days.floor()) * 24.0 + HALF_A_MICROSECOND).floor(),
            Self::Days => days - first,
        }
    }
}

/// In hours: the fraction of a day is rounded, and 7:00 must not become the hour 6.
const HALF_A_MICROSECOND: f64 = 1.0 / 7.2e9;

fn calendar(days: f64) -> Option<Date> {
    // The range of `time` is checked by `from_julian_day`; a cast saturates.
    #[allow(clippy::cast_possible_truncation)]
    Date::from_julian_day(((days.floor()) as i32).checked_add(EPOCH)?).ok()
}

fn days(year: i32, month: u8, day: u8) -> Option<f64> {
    let date = Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()?;
    Some(f64::from(date.to_julian_day() - EPOCH))
}

/// A date in ISO 8601: `2024-01-31`, or with a time of day as in `2024-01-31T08:30:00Z`.
#[must_use]
pub fn to_iso(value: f64) -> String {
    let Some(date) = calendar(value) else { return value.to_string() };
    let day = format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day());
    // Milliseconds of the day: what a double of days since 1970 holds for thousands of years.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let milliseconds = ((value - value.floor()) * 86_400_000.0).round() as u64;
    if milliseconds == 0 {
        return day;
    }
    let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
    let fraction = if rest == 0 { String::new() } else { format!(".{rest:03}") };
    format!("{day}T{:02}:{:02}:{:02}{fraction}Z", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Reads a date in ISO 8601, with or without a time of day and an offset. A time without an offset is in UTC.
#[must_use]
pub fn parse_iso(text: &str) -> Option<f64> {
    // The first digits of the year exclude most other text.
    text.as_bytes().first().filter(|byte| byte.is_ascii_digit())?;
    parse(text, "%Y-%m-%d")
}

/// Reads a date by a format with `%Y %y %m %d %b %B %H %I %M %S %p %z`, all of the text. If the format has no time of day, one
/// may follow the date: `T` or a space, hours and minutes, and perhaps seconds, AM or PM, and an offset.
#[must_use]
pub fn parse(text: &str, format: &str) -> Option<f64> {
    let mut scan = Scan { rest: text };
    let mut found = Parts::default();
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        match character {
            '%' => found.read(characters.next()?, &mut scan)?,
            character => scan.literal(character)?,
        }
    }
    if !found.has_time && scan.rest.starts_with(['T', 't', ' ']) {
        scan.literal(scan.rest.chars().next()?)?;
        found.read_time(&mut scan)?;
    }
    scan.rest.is_empty().then(|| found.value())?
}

/// Text that is still to be read.
struct Scan<'t> {
    rest: &'t str,
}

impl Scan<'_> {
    fn literal(&mut self, expected: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(expected)?;
        Some(())
    }

    /// A number of at least `least` and at most `most` digits.
    fn digits(&mut self, least: usize, most: usize) -> Option<u32> {
        let count = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        if count < least { None } else { digits.parse().ok() }
    }

    /// A fraction of a second, after its point or comma.
    fn fraction(&mut self) -> Option<f64> {
        let count = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        format!("0.{digits}").parse().ok().filter(|_| count > 0)
    }

    /// The name of a month, whole or its first three letters.
    fn month(&mut self) -> Option<u8> {
        let count = self.rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (name, rest) = self.rest.split_at_checked(count)?;
        let name = name.to_ascii_lowercase();
        let is_month = |month: &str| {
            month == name || (name.len() == 3 && month.starts_with(&name)) || (name == "sept" && month == "september")
        };
        let place = MONTHS.iter().position(|month| is_month(month))?;
        self.rest = rest.strip_prefix('.').unwrap_or(rest);
        u8::try_from(place + 1).ok()
    }
}

/// The parts of a date that were read.
#[derive(Default)]
struct Parts {
    year: Option<i32>,
    month: Option<u8>,
    day: Option<u8>,
    has_time: bool,
    /// Hours, minutes and seconds in seconds.
    seconds: f64,
    /// 0 for AM, 12 for PM.
    half: Option<u32>,
    hour: u32,
    /// Seconds east of UTC.
    offset: f64,
}

impl Parts {
    fn read(&mut self, part: char, scan: &mut Scan<'_>) -> Option<()> {
        match part {
            'Y' => self.year = Some(i32::try_from(scan.digits(4, 4)?).ok()?),
            'y' => {
                let year = i32::try_from(scan.digits(2, 2)?).ok()?;
                // As POSIX reads two digits.
                self.year = Some(if year < 69 { 2000 + year } else { 1900 + year });
            }
            'm' => self.month = Some(u8::try_from(scan.digits(1, 2)?).ok()?),
            'd' => self.day = Some(u8::try_from(scan.digits(1, 2)?).ok()?),
            'b' | 'B' => self.month = Some(scan.month()?),
            'H' | 'I' => {
                self.has_time = true;
                self.hour = scan.digits(1, 2).filter(|hour| *hour < 24)?;
            }
            'M' => self.seconds += 60.0 * f64::from(scan.digits(1, 2).filter(|minute| *minute < 60)?),
            'S' => self.read_seconds(scan)?,
            'p' => self.read_half(scan)?,
            'z' => self.read_offset(scan)?,
            '%' => scan.literal('%')?,
            _ => return None,
        }
        Some(())
    }

    fn read_time(&mut self, scan: &mut Scan<'_>) -> Option<()> {
        self.read('H', scan)?;
        scan.literal(':')?;
        self.read('M', scan)?;
        if scan.literal(':').is_some() {
            self.read_seconds(scan)?;
        }
        let after = scan.rest.trim_start();
        if after.starts_with(['A', 'a', 'P', 'p']) {
            scan.rest = after;
            self.read_half(scan)?;
        }
        let after = scan.rest.trim_start();
        if after.starts_with(['Z', 'z', '+', '-']) || after.starts_with("UTC") {
            scan.rest = after;
            self.read_offset(scan)?;
        }
        Some(())
    }

    fn read_seconds(&mut self, scan: &mut Scan<'_>) -> Option<()> {
        // 60 is a leap second.
        self.seconds += f64::from(scan.digits(1, 2).filter(|second| *second <= 60)?);
        if scan.literal('.').or_else(|| scan.literal(',')).is_some() {
            self.seconds += scan.fraction()?;
        }
        Some(())
    }

    fn read_half(&mut self, scan: &mut Scan<'_>) -> Option<()> {
        let (half, rest) = scan.rest.split_at_checked(2)?;
        self.half = match half.to_ascii_uppercase().as_str() {
            "AM" => Some(0),
            "PM" => Some(12),
            _ => return None,
        };
        scan.rest = rest;
        (1..=12).contains(&self.hour).then_some(())
    }

    fn read_offset(&mut self, scan: &mut Scan<'_>) -> Option<()> {
        if let Some(rest) = scan.rest.strip_prefix("UTC").or_else(|| scan.rest.strip_prefix(['Z', 'z'])) {
            scan.rest = rest;
            return Some(());
        }
        let sign = if scan.literal('-').is_some() { -1.0 } else { scan.literal('+').map(|()| 1.0)? };
        let hours = scan.digits(2, 2)?;
        let _ = scan.literal(':');
        let minutes = if scan.rest.is_empty() { 0 } else { scan.digits(2, 2)? };
        self.offset = sign * (3600.0 * f64::from(hours) + 60.0 * f64::from(minutes));
        Some(())
    }

    fn value(&self) -> Option<f64> {
        let day = days(self.year?, self.month?, self.day.unwrap_or(1))?;
        let hour = self.half.map_or(self.hour, |half| self.hour % 12 + half);
        let seconds = 3600.0 * f64::from(hour) + self.seconds - self.offset;
        Some(day + seconds / 86_400.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_dates_are_read_with_time_and_offset() {
        for (text, expected) in [
            ("1970-01-01", 0.0),
            ("2024-02-29", 19_782.0),
            ("1969-12-31", -1.0),
            ("1970-01-02T12:00", 1.5),
            ("1970-01-02 06:00:00.000Z", 1.25),
            ("1970-01-02T06:00:00+06:00", 1.0),
            ("1970-01-01 18:00:00-0600", 1.0),
        ] {
            assert_eq!(parse_iso(text), Some(expected), "{text}");
        }
        for text in ["2023-02-29", "2024-13-01", "2024-1", "1-2-2024", "2024-01-01T", "2024-01-01 25:00", "2024-01-01x"]
        {
            assert_eq!(parse_iso(text), None, "{text}");
        }
    }

    #[test]
    fn dates_are_read_by_a_format() {
        let expected = parse_iso("2024-03-05");
        for (text, format) in [
            ("3/5/2024", "%m/%d/%Y"),
            ("05/03/2024", "%d/%m/%Y"),
            ("5.3.2024", "%d.%m.%Y"),
            ("05-Mar-24", "%d-%b-%y"),
            ("March 5, 2024", "%b %d, %Y"),
            ("3/5/24", "%m/%d/%y"),
        ] {
            assert_eq!(parse(text, format), expected, "{text}");
        }
        assert_eq!(parse("3/5/2024 1:30 PM", "%m/%d/%Y"), expected.map(|day| day + 13.5 / 24.0));
        assert_eq!(parse("31/12/2024", "%m/%d/%Y"), None);
    }

    #[test]
    fn parts_are_those_of_the_calendar() {
        let value = parse_iso("2024-02-29T07:00:00Z").unwrap();
        let first = parse_iso("2024-02-01").unwrap();
        let parts = DatePart::ALL.map(|part| part.of(value, first));
        assert_eq!(parts[..5], [2024.0, 2.0, 4.0, 60.0, 7.0]);
        assert!((parts[5] - (28.0 + 7.0 / 24.0)).abs() < 1e-11);
    }

    #[test]
    fn every_hour_and_minute_is_its_own() {
        for minute in 0..1440 {
            let text = format!("2024-02-29T{:02}:{:02}:00Z", minute / 60, minute % 60);
            let value = parse_iso(&text).unwrap();
            assert!((DatePart::Hour.of(value, 0.0) - f64::from(minute / 60)).abs() < 1e-9, "{text}");
            assert_eq!(to_iso(value), if minute == 0 { "2024-02-29".to_owned() } else { text });
        }
    }
}

//! Dates and times as text, and as days since 1970-01-01.

use time::{Date, Month};

/// The date formats that training tries, besides ISO 8601, in this order. `%m` and `%d` read one digit or two, `%q` a
/// quarter. A date without a day is the first of its month.
pub const FORMATS: [&str; 35] = [
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%b-%d-%Y",
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
    "%Y-%m",
    "%Y/%m",
    "%m/%Y",
    "%b %Y",
    "%Y %b",
    "%b-%Y",
    "%b-%y",
    "%YQ%q",
    "%Yq%q",
    "%Y Q%q",
    "%Y-Q%q",
    COMPACT,
    "%Y%m%dT%H%M%S",
    "%a %b %d %Y",
    "%a %d %b %Y",
    "%a, %d %b %Y",
    "%a, %b %d, %Y",
    "%a %b %d %H:%M:%S %Y",
    "%a %b %d %H:%M:%S %z %Y",
];

/// The format of dates that are whole numbers, too, such as 20240131.
pub const COMPACT: &str = "%Y%m%d";

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

const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

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
        let of = |part: fn(Date) -> f64| calendar(days).map_or(f64::NAN, part);
        match self {
            Self::Year => of(|date| f64::from(date.year())),
            Self::Month => of(|date| f64::from(u8::from(date.month()))),
            Self::DayOfWeek => of(|date| f64::from(date.weekday().number_from_monday())),
            Self::DayOfYear => of(|date| f64::from(date.ordinal())),
            Self::Hour => ((days - days.floor()) * 24.0 + HALF_A_MICROSECOND).floor().min(23.0),
            Self::Days => days - first,
        }
    }
}

/// In hours: the fraction of a day is rounded, and 7:00 must not become the hour 6.
const HALF_A_MICROSECOND: f64 = 1.0 / 7.2e9;

fn calendar(days: f64) -> Option<Date> {
    if !days.is_finite() {
        return None;
    }
    // The range of `time` is checked by `from_julian_day`; a cast saturates.
    #[allow(clippy::cast_possible_truncation)]
    Date::from_julian_day(((days.floor()) as i32).checked_add(EPOCH)?).ok()
}

fn days(year: i32, month: u8, day: u8) -> Option<f64> {
    let date = Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()?;
    Some(f64::from(date.to_julian_day() - EPOCH))
}

/// Whether days since 1970-01-01 are a date that ISO 8601 can write, in the years 0 to 9999.
#[must_use]
pub fn is_date(days: f64) -> bool {
    days.is_finite() && calendar(days).is_some_and(|date| (0..=9999).contains(&date.year()))
}

/// A date in ISO 8601: `2024-01-31`, or with a time of day as in `2024-01-31T08:30:00Z`. [`parse_iso`] reads it as the
/// same value: the time has as many digits as it needs, at most nanoseconds.
#[must_use]
pub fn to_iso(value: f64) -> String {
    const PRECISIONS: [u32; 4] = [0, 3, 6, 9];
    let mut text = String::new();
    for digits in PRECISIONS {
        let Some(written) = to_iso_with(value, digits) else { return value.to_string() };
        text = written;
        if parse_iso(&text).is_some_and(|read| read.total_cmp(&value).is_eq()) {
            break;
        }
    }
    text
}

/// A date with this many digits of a second, at most 9.
fn to_iso_with(value: f64, digits: u32) -> Option<String> {
    let per_second = 10_u64.pow(digits);
    let per_day = 86_400 * per_second;
    // Not negative, and at most 86,400,000,000,000.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let time = ((value - value.floor()) * per_day as f64).round() as u64;
    let (day, time) = if time >= per_day { (value.floor() + 1.0, 0) } else { (value.floor(), time) };
    let date = calendar(day)?;
    let day = format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day());
    if time == 0 {
        return Some(day);
    }
    let (seconds, rest) = (time / per_second, time % per_second);
    let fraction = if rest == 0 { String::new() } else { format!(".{rest:0width$}", width = digits as usize) };
    Some(format!("{day}T{:02}:{:02}:{:02}{fraction}Z", seconds / 3600, seconds / 60 % 60, seconds % 60))
}

/// The most bytes of a format.
const MAX_FORMAT: usize = 64;

/// Whether a format has a year and a month, and only parts that [`parse`] reads.
#[must_use]
pub fn is_format(format: &str) -> bool {
    let (mut year, mut month, mut parts) = (false, false, format.chars());
    while let Some(character) = parts.next() {
        if character != '%' {
            continue;
        }
        match parts.next() {
            Some('Y' | 'y') => year = true,
            Some('m' | 'b' | 'B' | 'q') => month = true,
            Some('d' | 'a' | 'A' | 'H' | 'I' | 'M' | 'S' | 'p' | 'z' | '%') => {}
            _ => return false,
        }
    }
    format.len() <= MAX_FORMAT && year && month
}

/// 8:30 on 31 January 2024 by a format.
#[must_use]
pub fn example(format: &str) -> String {
    let mut text = String::new();
    let mut parts = format.chars();
    while let Some(character) = parts.next() {
        match (character, if character == '%' { parts.next() } else { None }) {
            ('%', Some('Y')) => text.push_str("2024"),
            ('%', Some('y')) => text.push_str("24"),
            ('%', Some('m')) => text.push_str("01"),
            ('%', Some('q')) => text.push('1'),
            ('%', Some('b')) => text.push_str("Jan"),
            ('%', Some('B')) => text.push_str("January"),
            ('%', Some('a')) => text.push_str("Wed"),
            ('%', Some('A')) => text.push_str("Wednesday"),
            ('%', Some('d')) => text.push_str("31"),
            ('%', Some('H' | 'I')) => text.push_str("08"),
            ('%', Some('M')) => text.push_str("30"),
            ('%', Some('S')) => text.push_str("00"),
            ('%', Some('p')) => text.push_str("AM"),
            ('%', Some('z')) => text.push('Z'),
            (other, _) => text.push(other),
        }
    }
    text
}

/// Reads a date in ISO 8601, with or without a time of day and an offset. A time without an offset is in UTC.
#[must_use]
pub fn parse_iso(text: &str) -> Option<f64> {
    // The first digits of the year exclude most other text.
    text.as_bytes().first().filter(|byte| byte.is_ascii_digit())?;
    parse(text, "%Y-%m-%d")
}

/// Reads a date by a format with `%Y %y %m %q %d %b %B %a %A %H %I %M %S %p %z`, all of the text. If the format has no time
/// of day, one may follow the date: `T` or a space, hours and minutes, and perhaps seconds, AM or PM, and an offset. The day
/// of the week (`%a`) is ignored.
#[must_use]
pub fn parse(text: &str, format: &str) -> Option<f64> {
    // Without separators, no part may have fewer digits.
    if format.starts_with(COMPACT) && text.bytes().take_while(u8::is_ascii_digit).count() != 8 {
        return None;
    }
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

    /// The place of a name in a list, whole or its first three letters.
    fn name(&mut self, names: &[&str]) -> Option<usize> {
        let count = self.rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (name, rest) = self.rest.split_at_checked(count)?;
        let name = name.to_ascii_lowercase();
        let is_it = |full: &str| {
            full == name || (name.len() == 3 && full.starts_with(&name)) || (name == "sept" && full == "september")
        };
        let place = names.iter().position(|full| is_it(full))?;
        self.rest = rest.strip_prefix('.').unwrap_or(rest);
        Some(place)
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
            'b' | 'B' => self.month = u8::try_from(scan.name(&MONTHS)? + 1).ok(),
            'a' | 'A' => _ = scan.name(&WEEKDAYS)?,
            'q' => {
                let quarter = scan.digits(1, 1).filter(|quarter| (1..=4).contains(quarter))?;
                self.month = u8::try_from(3 * quarter - 2).ok();
            }
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
        if after.starts_with(['Z', 'z', '+', '-']) || after.starts_with("UTC") || after.starts_with("GMT") {
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
        Some(())
    }

    fn read_offset(&mut self, scan: &mut Scan<'_>) -> Option<()> {
        if let Some(rest) = scan
            .rest
            .strip_prefix("UTC")
            .or_else(|| scan.rest.strip_prefix("GMT"))
            .or_else(|| scan.rest.strip_prefix(['Z', 'z']))
        {
            scan.rest = rest;
            return Some(());
        }
        let sign = if scan.literal('-').is_some() { -1.0 } else { scan.literal('+').map(|()| 1.0)? };
        let hours = scan.digits(2, 2).filter(|hours| *hours < 24)?;
        let _ = scan.literal(':');
        let minutes = if scan.rest.is_empty() { 0 } else { scan.digits(2, 2).filter(|minutes| *minutes < 60)? };
        self.offset = sign * (3600.0 * f64::from(hours) + 60.0 * f64::from(minutes));
        Some(())
    }

    fn value(&self) -> Option<f64> {
        let day = days(self.year?, self.month?, self.day.unwrap_or(1))?;
        let hour = match self.half {
            None => self.hour,
            // The half of the day may be written before the hour.
            Some(half) => (1..=12).contains(&self.hour).then_some(self.hour % 12 + half)?,
        };
        let seconds = 3600.0 * f64::from(hour) + self.seconds - self.offset;
        Some(day + seconds / 86_400.0).filter(|days| is_date(*days))
    }
}

#[cfg(test)]
mod tests;

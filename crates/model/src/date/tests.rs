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
    for text in ["2023-02-29", "2024-13-01", "2024-1", "1-2-2024", "2024-01-01T", "2024-01-01 25:00", "2024-01-01x"] {
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
    // The half of the day may be written before the hour.
    assert_eq!(parse("5.3.2024 PM 1:30", "%d.%m.%Y %p %I:%M"), expected.map(|day| day + 13.5 / 24.0));
    assert_eq!(parse("5.3.2024 PM 13:30", "%d.%m.%Y %p %I:%M"), None);
}

#[test]
fn months_and_quarters_are_their_first_days() {
    for (text, format, expected) in [
        ("1978 Jan", "%Y %b", "1978-01-01"),
        ("2015-03", "%Y-%m", "2015-03-01"),
        ("1959Q4", "%YQ%q", "1959-10-01"),
        ("1970 Q2", "%Y Q%q", "1970-04-01"),
    ] {
        assert_eq!(parse(text, format), parse_iso(expected), "{text}");
    }
    assert_eq!(parse("1959Q5", "%YQ%q"), None);
}

#[test]
fn names_of_weekdays_are_read_and_compact_dates_have_eight_digits() {
    for (text, format, expected) in [
        ("20141013T000000", "%Y%m%dT%H%M%S", "2014-10-13"),
        ("20141013", COMPACT, "2014-10-13"),
        ("Wed, 21 Oct 2015 07:28:00 GMT", "%a, %d %b %Y", "2015-10-21T07:28:00Z"),
        ("Friday, January 2, 2015", "%a, %b %d, %Y", "2015-01-02"),
        ("Wed Aug 27 13:08:45 +0200 2008", "%a %b %d %H:%M:%S %z %Y", "2008-08-27T11:08:45Z"),
    ] {
        assert_eq!(parse(text, format), parse_iso(expected), "{text}");
        assert!(parse_iso(expected).is_some());
    }
    assert_eq!(parse("Wen, 21 Oct 2015", "%a, %d %b %Y"), None);
    assert_eq!(parse("2014101", COMPACT).or(parse("20141301", COMPACT)), None);
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

#[test]
fn formats_are_checked_and_have_an_example() {
    for format in FORMATS {
        assert!(is_format(format), "{format}");
        let day = match format {
            _ if format.contains("%H") => "2024-01-31T08:30:00Z",
            _ if format.contains("%d") => "2024-01-31",
            _ => "2024-01-01",
        };
        assert_eq!(parse(&example(format), format), parse_iso(day), "{format}");
    }
    for format in ["", "%Y", "%d.%m", "%Q-%Y-%m", "%Y-%m-%", &"%Y-%m".repeat(20)] {
        assert!(!is_format(format), "{format}");
    }
}

#[test]
fn the_calendar_has_ends() {
    for text in ["0000-01-01", "9999-12-31T23:59:59.999Z"] {
        assert!(parse_iso(text).is_some_and(is_date), "{text}");
    }
    // In UTC they are in other years.
    for text in ["0000-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"] {
        assert_eq!(parse_iso(text), None, "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn a_date_is_written_so_that_it_is_read_back(
        day in -719_000_i32..2_900_000,
        time in 0..86_400_000_000_u64,
        unit in proptest::sample::select(vec![1_u64, 1_000, 1_000_000, 60_000_000, 86_400_000_000]),
    ) {
        #[allow(clippy::cast_precision_loss)]
        let seconds = (time / unit * unit) as f64 / 1e6;
        let value = f64::from(day) + seconds / 86_400.0;
        let written = to_iso(value);
        proptest::prop_assert_eq!(parse_iso(&written), Some(value), "{}", written);
    }

    #[test]
    fn no_text_or_format_panics(text: String, format: String, day: f64) {
        let _ = (parse(&text, &format), is_format(&format), example(&format), to_iso(day), is_date(day));
    }
}

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::cell::Cell;

fn feature(kind: FeatureType, missing: MissingPolicy) -> Feature {
    Feature { missing, ..Feature::new("age", kind) }
}

#[test]
fn a_double_accepts_numbers_but_not_their_strings() {
    let double = feature(FeatureType::Double, MissingPolicy::Reject);
    assert_eq!(double.accept(Cell::Number("4")), Ok(4.0));
    assert_eq!(double.accept(Cell::Field(" 4.5 ")), Ok(4.5));
    assert_eq!(double.accept(Cell::Double(4.5)), Ok(4.5));
    assert_eq!(double.accept(Cell::Text("4")).unwrap_err().to_string(), "expected a number, got the string \"4\"");
    assert_eq!(double.accept(Cell::Boolean(true)).unwrap_err().to_string(), "expected a number, got true");
    assert_eq!(
        double.accept(Cell::Number("9007199254740993")).unwrap_err().to_string(),
        "got 9007199254740993, an integer that a double cannot represent exactly"
    );
}

#[test]
fn a_long_accepts_whole_numbers_only() {
    let long = feature(FeatureType::Long, MissingPolicy::Reject);
    assert_eq!(long.accept(Cell::Number("4")), Ok(4.0));
    assert_eq!(long.accept(Cell::Number("4.0")), Ok(4.0));
    assert_eq!(long.accept(Cell::Double(4.0)), Ok(4.0));
    assert_eq!(
        long.accept(Cell::Number("4.5")).unwrap_err().to_string(),
        "expected a whole number, got the number 4.5"
    );
    assert!(long.accept(Cell::Double(4.5)).is_err());
    // A large whole number is the same one as a double of a tensor, as an integer and as text.
    let two_to_the_70 = 1_180_591_620_717_411_303_424.0;
    for cell in [
        Cell::Double(two_to_the_70),
        Cell::Integer(1 << 70),
        Cell::Number("1180591620717411303424"),
        Cell::Field("1.180591620717411303424e21"),
    ] {
        assert_eq!(long.accept(cell), Ok(two_to_the_70), "{cell}");
    }
    assert!(long.accept(Cell::Number("4.0000000000000000001")).is_err());
    assert_eq!(long.accept(Cell::Number("9007199254740994")), Ok(9_007_199_254_740_994.0));
    // JavaScript prints a double like this; a long must be exact.
    assert!(matches!(long.accept(Cell::Number("12345678901234567000")), Err(CellError::Lossy { .. })));
    let double = feature(FeatureType::Double, MissingPolicy::Reject);
    assert_eq!(double.accept(Cell::Number("12345678901234567000")), Ok(12_345_678_901_234_567_168.0));
}

#[test]
fn an_integer_is_accepted_where_a_double_represents_it() {
    for kind in [FeatureType::Double, FeatureType::Long] {
        let number = feature(kind, MissingPolicy::Reject);
        assert_eq!(number.accept(Cell::Integer(-4)), Ok(-4.0));
        assert_eq!(number.accept(Cell::Integer(1 << 60)), Ok(1_152_921_504_606_846_976.0));
        assert_eq!(
            number.accept(Cell::Integer(9_007_199_254_740_993)).unwrap_err().to_string(),
            "got 9007199254740993, an integer that a double cannot represent exactly"
        );
    }
    let boolean = feature(FeatureType::Boolean, MissingPolicy::Reject);
    assert_eq!(boolean.accept(Cell::Integer(1)).unwrap_err().to_string(), "expected true or false, got the number 1");
}

#[test]
fn a_boolean_accepts_true_and_false_but_not_1_and_0() {
    let boolean = feature(FeatureType::Boolean, MissingPolicy::Reject);
    assert_eq!(boolean.accept(Cell::Boolean(true)), Ok(1.0));
    assert_eq!(boolean.accept(Cell::Field("false")), Ok(0.0));
    assert_eq!(boolean.accept(Cell::Field("True")), Ok(1.0));
    assert_eq!(boolean.accept(Cell::Field("FALSE")), Ok(0.0));
    assert!(boolean.accept(Cell::Number("1")).is_err());
    assert!(boolean.accept(Cell::Field("1")).is_err());
}

#[test]
fn a_missing_value_follows_the_policy_of_its_feature() {
    let missing = [
        Cell::Missing,
        Cell::Field(""),
        Cell::Field("  "),
        Cell::Field("NaN"),
        Cell::Field("N/A"),
        Cell::Field("none"),
        Cell::Field("-Infinity"),
        Cell::Double(f64::NAN),
        Cell::Double(f64::INFINITY),
    ];
    for cell in missing {
        let reject = feature(FeatureType::Double, MissingPolicy::Reject);
        let impute = feature(FeatureType::Double, MissingPolicy::Impute(Scalar::Number(48.5)));
        assert_eq!(reject.accept(cell), Err(CellError::Missing), "{cell}");
        assert_eq!(impute.accept(cell), Ok(48.5), "{cell}");
    }
}

fn colour(unknown: UnknownPolicy) -> Feature {
    let levels = ["blue", "green", "red"].map(String::from).to_vec();
    Feature { levels, unknown, ..Feature::new("colour", FeatureType::String) }
}

#[test]
fn a_string_accepts_its_levels_and_lists_them_in_errors() {
    let colour = colour(UnknownPolicy::Reject);
    assert_eq!(colour.accept(Cell::Text("green")), Ok(1.0));
    assert_eq!(colour.accept(Cell::Field("red")), Ok(2.0));
    assert_eq!(colour.to_scalar(1.0), Scalar::Text("green".into()));
    assert_eq!(
        colour.accept(Cell::Text("Green")).unwrap_err().to_string(),
        "expected one of \"blue\", \"green\", \"red\", got the string \"Green\", which is not in the training data"
    );
    assert_eq!(
        colour.accept(Cell::Number("1")).unwrap_err().to_string(),
        "expected one of \"blue\", \"green\", \"red\", got the number 1"
    );
    assert_eq!(colour.accept(Cell::Missing), Err(CellError::Missing));
}

fn padded(unknown: UnknownPolicy, missing: MissingPolicy) -> Feature {
    let levels = [" Private", "Private ", "a"].map(String::from).to_vec();
    Feature { missing, levels, unknown, ..Feature::new("workclass", FeatureType::String) }
}

#[test]
fn text_is_compared_with_levels_including_spaces_in_all_formats() {
    for cell in [Cell::Text, Cell::Field] {
        let strict = padded(UnknownPolicy::Reject, MissingPolicy::Reject);
        assert_eq!(strict.accept(cell(" Private")), Ok(0.0));
        assert_eq!(strict.accept(cell("Private ")), Ok(1.0));
        let unknown = |text| matches!(strict.accept(cell(text)), Err(CellError::UnknownCategory { .. }));
        assert!(unknown("Private") && unknown(" a") && unknown(" State"));
        for text in ["", " ", "\t", "NA", " n/a ", "None"] {
            assert_eq!(strict.accept(cell(text)), Err(CellError::Missing), "{text:?}");
            let lenient = padded(UnknownPolicy::Ignore, MissingPolicy::Impute(Scalar::Text("a".into())));
            assert_eq!(lenient.accept(cell(text)), Ok(2.0), "{text:?}");
            // A level is not missing.
            let mut with_level = padded(UnknownPolicy::Reject, MissingPolicy::Reject);
            with_level.levels = vec![text.to_owned()];
            assert_eq!(with_level.accept(cell(text)), Ok(0.0), "{text:?}");
            assert!(!with_level.is_missing(cell(text)) && strict.is_missing(cell(text)));
        }
    }
}

#[test]
fn a_similar_level_is_suggested() {
    let strict = padded(UnknownPolicy::Reject, MissingPolicy::Reject);
    let message = |text| {
        let cell = Cell::Text(text);
        strict.explain(&strict.accept(cell).unwrap_err(), cell)
    };
    let known = "expected one of \" Private\", \"Private \", \"a\"";
    let unknown = "which is not in the training data";
    assert_eq!(
        message("Private"),
        format!("{known}, got the string \"Private\", {unknown}; did you mean \" Private\", with other spaces?")
    );
    assert_eq!(message("State"), format!("{known}, got the string \"State\", {unknown}"));
    let cell = Cell::Text("Green");
    let colour = colour(UnknownPolicy::Reject);
    let message = colour.explain(&colour.accept(cell).unwrap_err(), cell);
    assert!(message.ends_with("which is not in the training data; did you mean \"green\"?"), "{message}");
}

#[test]
fn an_imputed_value_may_be_a_missing_value_marker() {
    let blank = || MissingPolicy::Impute(Scalar::Text(" ".into()));
    assert_eq!(padded(UnknownPolicy::Ignore, blank()).accept(Cell::Missing), Ok(UNKNOWN_LEVEL));
    assert!(padded(UnknownPolicy::Reject, blank()).accept(Cell::Text("")).is_err());
    let target = Target::new("y", FeatureType::Double);
    assert!(Signature::new(vec![padded(UnknownPolicy::Reject, blank())], target).is_err());
}

#[test]
fn an_ignored_unknown_category_is_not_a_level() {
    let colour = colour(UnknownPolicy::Ignore);
    assert_eq!(colour.accept(Cell::Text("violet")), Ok(UNKNOWN_LEVEL));
    assert_eq!(colour.to_scalar(UNKNOWN_LEVEL), Scalar::Missing);
    assert!(colour.accept(Cell::Number("1")).is_err());
}

#[test]
fn levels_and_imputed_values_must_fit_the_type() {
    let target = || Target::new("y", FeatureType::Double);
    let is_rejected = |feature: Feature| Signature::new(vec![feature], target()).is_err();
    let text = |text: &str| MissingPolicy::Impute(Scalar::Text(text.into()));
    assert!(!is_rejected(Feature { missing: text("red"), ..colour(UnknownPolicy::Reject) }));
    assert!(is_rejected(Feature { missing: text("violet"), ..colour(UnknownPolicy::Reject) }));
    assert!(is_rejected(Feature { missing: MissingPolicy::Impute(Scalar::Missing), ..colour(UnknownPolicy::Reject) }));
    assert!(is_rejected(Feature { levels: vec!["b".into(), "a".into()], ..colour(UnknownPolicy::Reject) }));
    assert!(is_rejected(Feature { levels: Vec::new(), ..colour(UnknownPolicy::Reject) }));
    assert!(is_rejected(feature(FeatureType::Long, MissingPolicy::Impute(Scalar::Number(4.5)))));
    assert!(is_rejected(feature(FeatureType::Double, text("4"))));
}

#[test]
fn a_duplicate_feature_is_rejected() {
    let duplicate =
        vec![feature(FeatureType::Double, MissingPolicy::Reject), feature(FeatureType::Long, MissingPolicy::Reject)];
    let target = Target::new("y", FeatureType::Double);
    assert_eq!(Signature::new(duplicate, target).unwrap_err(), "feature \"age\": the name appears twice");
}

fn by_reading(kind: FeatureType, reading: Value) -> Feature {
    Feature { reading: serde_json::from_value(reading).unwrap(), ..Feature::new("x", kind) }
}

#[test]
fn text_is_read_by_the_conventions_of_the_feature_and_json_is_strict() {
    let euros = by_reading(FeatureType::Double, json!({"decimal": ",", "thousands": ".", "missing": ["?"]}));
    assert_eq!(euros.accept(Cell::Field("4.902")), Ok(4902.0));
    assert_eq!(euros.accept(Cell::Field("4.902,5")), Ok(4902.5));
    assert_eq!(euros.accept(Cell::Number("4.902")), Ok(4.902));
    assert_eq!(euros.accept(Cell::Field(" ? ")), Err(CellError::Missing));
    assert_eq!(
        euros.accept(Cell::Field(" 4.90 ")).unwrap_err().to_string(),
        "expected a number such as \"1.234,5\", got \"4.90\""
    );
    assert_eq!(euros.accept(Cell::Text("4,9")).unwrap_err().to_string(), "expected a number, got the string \"4,9\"");

    let long = by_reading(FeatureType::Long, json!({"decimal": ",", "thousands": ".", "currency": "€"}));
    assert_eq!(long.accept(Cell::Field("€ 4.902")), Ok(4902.0));
    let refused = long.accept(Cell::Field("4,5")).unwrap_err().to_string();
    assert_eq!(refused, "expected a whole number such as \"€1.234\", got \"4,5\"");
}

#[test]
fn a_boolean_accepts_its_own_words() {
    let smoker = by_reading(FeatureType::Boolean, json!({"boolean": ["no", "yes"]}));
    for (cell, expected) in [
        (Cell::Field(" yes "), 1.0),
        (Cell::Field("no"), 0.0),
        (Cell::Field("TRUE"), 1.0),
        (Cell::Text("yes"), 1.0),
        (Cell::Text("no"), 0.0),
        (Cell::Boolean(true), 1.0),
    ] {
        assert_eq!(smoker.accept(cell), Ok(expected), "{cell}");
    }
    let message = |cell| smoker.accept(cell).unwrap_err().to_string();
    assert_eq!(message(Cell::Text("true")), "expected true, false, \"yes\" or \"no\", got the string \"true\"");
    assert_eq!(message(Cell::Field("Yes")), "expected \"yes\" or \"no\", got \"Yes\"");
    let plain = Feature::new("smoker", FeatureType::Boolean);
    assert!(plain.accept(Cell::Text("yes")).is_err());
}

fn sold() -> Feature {
    let range = Some([19_723.0, 20_088.5]);
    Feature { range, ..by_reading(FeatureType::Date, json!({"dates": ["%d.%m.%Y"]})) }
}

#[test]
fn a_date_is_iso_8601_and_in_text_also_in_the_formats_of_the_feature() {
    let sold = sold();
    for cell in [Cell::Text("2024-01-31"), Cell::Field("31.1.2024"), Cell::Field("2024-01-31"), Cell::Date(19_753.0)] {
        assert_eq!(sold.accept(cell), Ok(19_753.0), "{cell}");
    }
    let message = |cell| sold.accept(cell).unwrap_err().to_string();
    assert_eq!(
        message(Cell::Text("31.1.2024")),
        "expected a date such as \"2024-01-31\", got the string \"31.1.2024\""
    );
    assert_eq!(message(Cell::Field(" 1/31/2024")), "expected a date such as \"31.01.2024\", got \"1/31/2024\"");
    assert_eq!(message(Cell::Number("19753")), "expected a date such as \"2024-01-31\", got the number 19753");
    for days in [f64::NAN, f64::INFINITY, 1e300, -1e7] {
        assert!(sold.accept(Cell::Date(days)).is_err(), "{days}");
    }
    assert_eq!(sold.to_scalar(19_753.0), Scalar::Text("2024-01-31".into()));
}

#[test]
fn a_feature_has_the_range_of_a_date_as_text_and_is_read_back() {
    let written = serde_json::to_value(sold()).unwrap();
    assert_eq!(written["range"], json!(["2024-01-01", "2024-12-31T12:00:00Z"]));
    assert_eq!(serde_json::from_value::<Feature>(written.clone()).unwrap(), sold());
    for range in [json!([1.0, 2.0]), json!(["2024-01-01", 3]), json!(["soon", "late"]), json!(["2024-01-01"])] {
        let mut file = written.clone();
        file["range"] = range;
        assert!(serde_json::from_value::<Feature>(file.clone()).is_err(), "{file}");
    }
    let whole = Feature { whole: true, range: Some([1900.0, 2020.0]), ..Feature::new("year", FeatureType::Double) };
    let file = serde_json::to_value(&whole).unwrap();
    assert_eq!((&file["range"], &file["whole"]), (&json!([1900.0, 2020.0]), &json!(true)));
    assert_eq!(serde_json::from_value::<Feature>(file).unwrap(), whole);
    let with_text = json!({"name": "x", "type": "double", "missing": "reject", "range": ["2024-01-01", "2024-01-02"]});
    assert!(serde_json::from_value::<Feature>(with_text).is_err());
}

#[test]
fn missing_and_other_levels_replace_values() {
    let levels = ["(missing)", "(other)", "a"].map(String::from).to_vec();
    let missing = MissingPolicy::Category(MISSING_LEVEL.into());
    let deck = Feature { missing, levels, unknown: UnknownPolicy::Other, ..Feature::new("deck", FeatureType::String) };
    assert_eq!(deck.resolve(Cell::Missing), Ok(Accepted::Imputed(0.0)));
    assert_eq!(deck.resolve(Cell::Text("n/a")), Ok(Accepted::Imputed(0.0)));
    assert_eq!(deck.resolve(Cell::Field("z")), Ok(Accepted::UnknownCategory(1.0)));
    assert_eq!(deck.resolve(Cell::Field("(other)")), Ok(Accepted::Given(1.0)));
    assert_eq!(deck.resolve(Cell::Field("a")), Ok(Accepted::Given(2.0)));
}

#[test]
fn features_that_contradict_themselves_are_rejected() {
    let rejected = |feature: Feature| {
        Signature::new(vec![feature], Target::new("y", FeatureType::Double)).expect_err("the feature is not usable")
    };
    let plain = |kind| Feature::new("x", kind);
    let double = || plain(FeatureType::Double);
    let category = |level: &str| MissingPolicy::Category(level.into());
    let has = |feature: Feature, reason: &str| {
        let error = rejected(feature);
        assert!(error.starts_with("feature ") && error.contains(reason), "{error}");
    };
    has(Feature { missing: category("(missing)"), ..colour(UnknownPolicy::Reject) }, "the level of missing values");
    has(Feature { missing: category("red"), ..double() }, "the level of missing values");
    has(colour(UnknownPolicy::Other), "\"(other)\" among the levels");
    has(Feature { unknown: UnknownPolicy::Other, ..double() }, "\"(other)\" among the levels");
    has(plain(FeatureType::Date), "the range of a date");
    for range in [[1.0, 0.0], [f64::NAN, 1.0], [0.0, f64::INFINITY]] {
        has(Feature { range: Some(range), ..sold() }, "an ascending range");
        has(Feature { range: Some(range), ..double() }, "an ascending range");
    }
    has(Feature { range: Some([0.0, 1e9]), ..sold() }, "from the year 0 to 9999");
    has(Feature { whole: true, ..plain(FeatureType::Long) }, "for a double");
    let words = |count: usize| (0..count).map(|number| format!("m{number}")).collect::<Vec<_>>();
    for (reading, reason) in [
        (json!({"decimal": "."}), ""),
        (json!({"decimal": ",", "thousands": ","}), "other than the thousands separator"),
        (json!({"thousands": "."}), "other than the thousands separator"),
        (json!({"decimal": " "}), "other than the thousands separator"),
        (json!({"decimal": "5"}), "a decimal mark"),
        (json!({"decimal": "e"}), "a decimal mark"),
        (json!({"thousands": "-"}), "a thousands separator"),
        (json!({"thousands": "\u{2212}"}), "a thousands separator"),
        (json!({"thousands": "\n"}), "a thousands separator"),
        (json!({"currency": "kr."}), ""),
        (json!({"currency": "R$"}), ""),
        (json!({"currency": ""}), "a currency sign"),
        (json!({"currency": "$5"}), "a currency sign"),
        (json!({"currency": "-"}), "a currency sign"),
        (json!({"currency": "."}), "a currency sign"),
        (json!({"currency": "$".repeat(17)}), "a currency sign"),
        (json!({"missing": [""]}), "a missing-value marker"),
        (json!({"missing": [" ? "]}), "a missing-value marker"),
        (json!({"missing": ["?".repeat(300)]}), "a missing-value marker"),
        (json!({"missing": words(256)}), ""),
        (json!({"missing": words(257)}), "more than 256"),
        (json!({"boolean": ["no", ""]}), "a word"),
        (json!({"boolean": ["no", "no"]}), "two different words"),
        (json!({"boolean": ["NA", "yes"]}), "two different words"),
        (json!({"missing": ["yes"], "boolean": ["no", "yes"]}), "two different words"),
        (json!({"dates": ["%Y week %W"]}), "the format of a date"),
        (json!({"dates": ["%H:%M"]}), "the format of a date"),
        (json!({"dates": ["%Y-%m%"]}), "the format of a date"),
        (json!({"dates": vec!["%Y-%m"; 65]}), "64 formats"),
    ] {
        let feature = by_reading(FeatureType::Double, reading.clone());
        let target = Target { reading: feature.reading.clone(), ..Target::new("y", FeatureType::Double) };
        if reason.is_empty() {
            assert!(Signature::new(vec![feature], target).is_ok(), "{reading}");
        } else {
            has(feature, reason);
            let error = Signature::new(vec![double()], target).unwrap_err();
            assert!(error.starts_with("target \"y\": "), "{error}");
        }
    }
    assert!(serde_json::from_value::<Reading>(json!({"decimal": "ab"})).is_err());
    assert!(serde_json::from_value::<Reading>(json!({"digits": 3})).is_err());
}

#[test]
fn ignored_columns_are_not_features() {
    let signature = |ignored: Value| {
        let feature = json!({"name": "x", "type": "double", "missing": "reject"});
        let target = json!({"name": "y", "type": "double"});
        serde_json::from_value::<Signature>(json!({"features": [feature], "target": target, "ignored": ignored}))
    };
    let known = signature(json!(["id", "Unnamed: 0"])).unwrap();
    for (name, expected) in [("id", true), ("Unnamed: 0", true), ("", true), ("Unnamed: 1", false), ("x", false)] {
        assert_eq!(known.ignores(name), expected, "{name:?}");
    }
    let unnamed = signature(json!([""])).unwrap();
    assert!(unnamed.ignores("") && unnamed.ignores("Unnamed: 0") && !unnamed.ignores("Unnamed: "));
    assert!(!signature(json!(["id"])).unwrap().ignores(""));
    let error = signature(json!(["id", "x"])).unwrap_err().to_string();
    assert!(error.contains("signature.ignored: \"x\" is a feature"), "{error}");
    // Training names all columns of the file.
    let signature = signature(json!([])).unwrap().ignoring(["x", "y"].map(String::from));
    assert_eq!(signature.ignored().iter().collect::<Vec<_>>(), ["y"]);
}

fn readings() -> impl Strategy<Value = Reading> {
    let text = "[a-zA-Z0-9 .,'$€%()+\u{2212}-]{0,4}";
    let format = "[%YymdbBHIMSpz0-9 ./:,-]{0,12}";
    (
        proptest::option::of(any::<char>()),
        proptest::option::of(prop_oneof![any::<char>(), Just(' '), Just('.'), Just(',')]),
        proptest::option::of(text),
        any::<bool>(),
        proptest::collection::vec(text, 0..3),
        proptest::option::of([text, text]),
        proptest::collection::vec(format, 0..3),
    )
        .prop_map(|(decimal, thousands, currency, percent, missing, boolean, dates)| Reading {
            decimal,
            thousands,
            currency,
            percent,
            parentheses: percent,
            missing,
            boolean,
            dates,
        })
}

proptest! {
    #[test]
    fn no_text_panics_with_any_conventions(
        reading in readings(),
        text in prop_oneof![any::<String>(), "[0-9 .,'$€%()+eE\u{2212}a-z:/-]{0,14}"],
    ) {
        let _ = reading.check();
        for kind in [FeatureType::Double, FeatureType::Long, FeatureType::Boolean, FeatureType::Date] {
            let feature = Feature { reading: reading.clone(), range: Some([0.0, 1.0]), ..Feature::new("x", kind) };
            for cell in [Cell::Field(&text), Cell::Text(&text)] {
                let _ = feature.resolve(cell).map_err(|error| feature.explain(&error, cell));
                let _ = feature.is_missing(cell);
            }
        }
    }

    #[test]
    fn a_number_is_read_back_from_its_conventions(
        number in -1_000_000_000_i64..1_000_000_000,
        (decimal, thousands) in prop_oneof![Just((',', '.')), Just((',', ' ')), Just(('.', ',')), Just(('.', '\''))],
    ) {
        let digits = number.unsigned_abs().to_string();
        let mut grouped = String::new();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place) % 3 == 0 {
                grouped.push(thousands);
            }
            grouped.push(digit);
        }
        let sign = if number < 0 { "-" } else { "" };
        let reading = Reading {
            decimal: Some(decimal).filter(|mark| *mark != '.'),
            thousands: Some(thousands),
            ..Reading::default()
        };
        prop_assert_eq!(reading.check(), Ok(()));
        let feature = Feature { reading, ..Feature::new("x", FeatureType::Double) };
        #[allow(clippy::cast_precision_loss)]
        let expected = number as f64;
        prop_assert_eq!(feature.accept(Cell::Field(&format!("{sign}{grouped}"))), Ok(expected));
        let half = if number < 0 { expected - 0.5 } else { expected + 0.5 };
        prop_assert_eq!(feature.accept(Cell::Field(&format!("{sign}{grouped}{decimal}5"))), Ok(half));
    }
}

#[test]
fn a_positive_number_is_above_zero() {
    let exposure = Feature { positive: true, ..Feature::new("time", FeatureType::Double) };
    let message = |cell| exposure.accept(cell).unwrap_err().to_string();
    assert_eq!(exposure.accept(Cell::Double(1e-300)), Ok(1e-300));
    assert_eq!(message(Cell::Number("0")), "expected a positive number, got 0");
    assert_eq!(message(Cell::Double(-2.0)), "expected a positive number, got -2");
    assert_eq!(message(Cell::Field("none at all")), "expected a positive number, got \"none at all\"");
    let target = || Target::new("y", FeatureType::Double);
    let text = Feature { positive: true, levels: vec!["a".into()], ..Feature::new("a", FeatureType::String) };
    assert!(Signature::new(vec![text], target()).unwrap_err().contains("\"positive\" for a number"));
    let imputed = Feature { missing: MissingPolicy::Impute(Scalar::Number(0.0)), ..exposure };
    assert!(Signature::new(vec![imputed], target()).unwrap_err().contains("expected an imputed value"));
}

#[test]
fn a_number_is_not_below_its_minimum() {
    let area = Feature { minimum: Some(0.0), ..Feature::new("area", FeatureType::Double) };
    assert_eq!(area.accept(Cell::Double(0.0)), Ok(0.0));
    let error = area.accept(Cell::Double(-2.0)).unwrap_err();
    assert_eq!(error.to_string(), "expected a number of at least 0, got -2");
    let json = serde_json::to_value(&area).unwrap();
    assert_eq!(json["minimum"], 0.0);
    assert_eq!(serde_json::from_value::<Feature>(json).unwrap(), area);
    let text = Feature { minimum: Some(0.0), levels: vec!["a".into()], ..Feature::new("a", FeatureType::String) };
    let target = Target::new("y", FeatureType::Double);
    assert!(Signature::new(vec![text], target).unwrap_err().contains("a finite \"minimum\" for a number"));
}

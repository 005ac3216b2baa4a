use super::*;

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

//! Tests of the design.

use super::*;
use crate::signature::{Feature, Target, UNKNOWN_LEVEL};

fn signature() -> Signature {
    let levels = ["blue", "green", "red"].map(String::from).to_vec();
    let features = vec![
        Feature::new("age", FeatureType::Double),
        Feature { levels, ..Feature::new("colour", FeatureType::String) },
    ];
    Signature::new(features, Target::new("y", FeatureType::Double)).unwrap()
}

fn column(product: Vec<Factor>) -> DesignColumn {
    DesignColumn { name: "column".into(), product, mean: 1.0, scale: 2.0 }
}

fn design(columns: Vec<DesignColumn>) -> Result<Design, String> {
    let preprocess =
        Preprocess { columns, target_transform: TargetTransform::Identity, through_origin: false, offset: None };
    Design::new(&preprocess, &signature())
}

#[test]
fn columns_are_products_of_powers_and_levels_centred_and_scaled() {
    let age = |power| Factor { power: Some(power), ..Factor::feature("age") };
    let red = Factor { level: Some("red".into()), ..Factor::feature("colour") };
    let products = [vec![Factor::feature("age")], vec![age(3)], vec![red.clone()], vec![age(2), red]];
    let columns = products.into_iter().zip(["age", "age^3", "colour=red", "age^2:colour=red"]);
    let columns = columns.map(|(product, name)| DesignColumn { name: name.into(), ..column(product) });
    let design = design(columns.collect()).unwrap();
    let raw = |row: &[f64]| {
        let mut values = Vec::new();
        design.extend_raw(row, &mut values);
        values
    };
    assert_eq!(raw(&[3.0, 2.0]), [3.0, 27.0, 1.0, 9.0]);
    assert_eq!(raw(&[3.0, 0.0]), [3.0, 27.0, 0.0, 0.0]);
    assert_eq!(raw(&[3.0, UNKNOWN_LEVEL]), [3.0, 27.0, 0.0, 0.0]);
    let mut row = Vec::new();
    design.extend_row(&[3.0, 2.0], &mut row);
    assert_eq!(row, [1.0, 13.0, 0.0, 4.0]);
}

#[test]
fn many_levels_are_columns_of_zeros_and_a_one() {
    let levels: Vec<String> = (0..20).map(|level| format!("{level:02}")).collect();
    let features = vec![
        Feature::new("age", FeatureType::Double),
        Feature { levels: levels.clone(), ..Feature::new("town", FeatureType::String) },
    ];
    let signature = Signature::new(features, Target::new("y", FeatureType::Double)).unwrap();
    let of = |name: &str, product| DesignColumn {
        name: name.into(),
        product,
        mean: 0.1 * f64::from(u32::try_from(name.len()).unwrap()),
        scale: 0.3,
    };
    let town = |level: &String| Factor { level: Some(level.clone()), ..Factor::feature("town") };
    // All but the reference level and one in the middle, whose column is elsewhere, and a product.
    let mut columns = vec![of("age", vec![Factor::feature("age")])];
    let own = levels.iter().filter(|level| !["03", "11"].contains(&level.as_str()));
    columns.extend(own.map(|level| of(&format!("town={level}"), vec![town(level)])));
    columns.push(of("town=11", vec![town(&levels[11])]));
    columns.push(of("age:town=05", vec![Factor::feature("age"), town(&levels[5])]));
    let (target_transform, through_origin) = (TargetTransform::Identity, false);
    let preprocess = Preprocess { columns, target_transform, through_origin, offset: None };
    let design = Design::new(&preprocess, &signature).unwrap();
    assert_eq!(design.runs.len(), 3);
    for level in (0..20).map(f64::from).chain([UNKNOWN_LEVEL, f64::NAN]) {
        let row = [2.5, level];
        let (mut raw, mut standardised) = (Vec::new(), Vec::new());
        design.extend_raw(&row, &mut raw);
        design.extend_row(&row, &mut standardised);
        let expected: Vec<f64> = design.columns.iter().map(|column| column.product(&row).to_f64()).collect();
        assert_eq!(raw, expected);
        let (mut numbers, mut ones) = (Vec::new(), Vec::new());
        design.extend_sparse(&row, &mut numbers, &mut ones);
        let of_levels = design.level_columns();
        let (sparse, other): (Vec<_>, Vec<_>) =
            raw.iter().enumerate().partition(|(column, _)| of_levels.contains(column));
        assert_eq!(numbers, other.iter().map(|(_, value)| **value).collect::<Vec<_>>());
        let found: Vec<f64> = (0..).take(of_levels.len()).map(|at| f64::from(u8::from(ones.contains(&at)))).collect();
        assert_eq!(found, sparse.iter().map(|(_, value)| **value).collect::<Vec<_>>());
        let expected: Vec<f64> = design.columns.iter().map(|column| column.standardised(&row)).collect();
        assert_eq!(standardised, expected);
    }
}

#[test]
fn columns_that_cannot_be_computed_are_rejected() {
    let level = |level: &str| Factor { level: Some(level.into()), ..Factor::feature("colour") };
    let power = |feature: &str, power| Factor { power: Some(power), ..Factor::feature(feature) };
    for factor in [
        Factor::feature("height"),
        Factor::feature("colour"),
        level("violet"),
        Factor { level: Some("red".into()), ..Factor::feature("age") },
        power("colour", 2),
        power("age", 0),
        power("age", 33),
        power("age", u32::MAX),
    ] {
        assert!(design(vec![column(vec![factor.clone()])]).is_err(), "{factor:?}");
    }
    assert!(design(vec![column(Vec::new())]).is_err());
    let age = || column(vec![Factor::feature("age")]);
    assert!(design(vec![age(), age()]).unwrap_err().contains("appears twice"));
    assert!(design(Vec::new()).is_err());
}

#[test]
fn a_logged_target_is_transformed_back() {
    assert!((TargetTransform::Log.undo(20.0_f64.ln()) - 20.0).abs() < 1e-13);
    assert!((TargetTransform::Identity.undo(20.0) - 20.0).abs() < f64::EPSILON);
}

#[test]
fn a_factor_has_a_function_a_mean_and_a_scale_of_its_own() {
    let age = |function, power| Factor { power, function, ..Factor::feature("age") };
    let scaled = |factor: Factor, mean, scale| Factor { mean: Some(mean), scale: Some(scale), ..factor };
    let red = Factor { level: Some("red".into()), ..Factor::feature("colour") };
    let products = [
        vec![age(Some(FactorFunction::Sqrt), None)],
        vec![age(Some(FactorFunction::Log1p), Some(2))],
        vec![scaled(age(None, Some(2)), 1.0, 4.0), scaled(red.clone(), 0.5, 0.25)],
    ];
    let columns = products.into_iter().zip(["sqrt", "log1p", "product"]);
    let columns = columns.map(|(product, name)| DesignColumn { name: name.into(), ..column(product) });
    let columns: Vec<_> = columns.collect();
    let of_minimum = |minimum| {
        let levels = ["blue", "green", "red"].map(String::from).to_vec();
        let features = vec![
            Feature { minimum, ..Feature::new("age", FeatureType::Double) },
            Feature { levels, ..Feature::new("colour", FeatureType::String) },
        ];
        let signature = Signature::new(features, Target::new("y", FeatureType::Double)).unwrap();
        let preprocess = Preprocess {
            columns: columns.clone(),
            target_transform: TargetTransform::Identity,
            through_origin: false,
            offset: None,
        };
        Design::new(&preprocess, &signature)
    };
    let design = of_minimum(Some(0.0)).unwrap();
    let mut raw = Vec::new();
    design.extend_raw(&[9.0, 2.0], &mut raw);
    // ln 10 squared by mpmath; ((9 − 1) / 4)² · (1 − 0.5) / 0.25.
    assert!(raw.iter().zip([3.0, 5.301_898_110_478_399, 8.0]).all(|(got, expected)| (got - expected).abs() < 1e-14));
    assert!(of_minimum(None).unwrap_err().contains("expected a minimum of the feature \"age\""));
    let wrong = |factor: Factor| self::design(vec![column(vec![factor])]).unwrap_err();
    assert!(wrong(scaled(age(None, None), 0.0, 0.0)).contains("a positive, finite scale"));
    assert!(wrong(Factor { function: Some(FactorFunction::Sqrt), ..red }).contains("a function of a number only"));
    assert!(wrong(age(Some(FactorFunction::Log), None)).contains("because the model takes a function of it"));
}

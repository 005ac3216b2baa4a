//! Models that are trained on categories and missing values, compared with those of scikit-learn.

use rstest::rstest;
use serde_json::json;

use super::{FILLED, assert_coefficients, model, staff};
use crate::support::folder_with_data;

#[test]
fn categories_booleans_and_gaps_are_fitted_as_scikit_learn_fits_them() {
    let folder = folder_with_data(staff());
    let file = model(folder.path(), &format!("--target pay --exclude w,quit {FILLED}"));
    // LinearRegression().fit(X(["green", "red"]), d.pay)
    assert_coefficients(
        &file,
        &[
            ("age", 0.253_852_409_861_172_9),
            ("colour=green", 3.168_244_392_887_944),
            ("colour=red", -1.707_030_192_302_391_2),
            ("smokes", 4.526_460_747_055_172_5),
        ],
    );
    // A boolean has no median; as none is missing, it stays refused.
    let features = json!([
        {"name": "age", "type": "double", "missing": {"impute": 44.0}, "range": [20.0, 69.0], "whole": true},
        {"name": "colour", "type": "string", "missing": {"impute": "blue"}, "levels": ["blue", "green", "red"]},
        {"name": "smokes", "type": "boolean", "missing": "reject"}
    ]);
    assert_eq!(file["signature"]["features"], features);
    assert_eq!(file["training"]["parameters"]["missing"], json!(["median", "colour=most-frequent"]));
}

#[rstest]
#[case::linear(
    "--estimator linear --weights w",
    // LinearRegression().fit(X(["green", "red"]), d.pay, sample_weight=d.w)
    &[("age", 0.252_823_986_560_941_96), ("colour=green", 2.987_126_324_201_262_2), ("colour=red", -1.812_328_106_317_769_6), ("smokes", 4.492_370_837_672_641)]
)]
#[case::ridge(
    "--estimator ridge --alpha 2",
    // Z = StandardScaler().fit_transform(X(["blue", "green", "red"])); Ridge(2, solver="cholesky").fit(Z, d.pay)
    &[("age", 3.433_124_877_563_693_6), ("colour=blue", -0.047_943_568_351_950_63), ("colour=green", 1.045_661_205_258_485), ("colour=red", -0.790_877_602_333_497_8), ("smokes", 2.129_075_014_240_668_5)]
)]
#[case::lasso(
    "--estimator lasso --alpha 0.3",
    // Lasso(0.3, tol=1e-14).fit(Z, d.pay)
    &[("age", 3.178_039_804_793_331), ("colour=blue", 0.0), ("colour=green", 0.834_569_492_878_714_6), ("colour=red", -0.551_286_973_636_411_1), ("smokes", 1.878_418_456_131_074)]
)]
#[case::elastic_net(
    "--estimator elastic-net --alpha 0.3 --l1-ratio 0.25",
    // ElasticNet(0.3, l1_ratio=0.25, tol=1e-14).fit(Z, d.pay)
    &[("age", 2.745_053_603_169_332_7), ("colour=blue", 0.0), ("colour=green", 0.794_252_183_731_988_6), ("colour=red", -0.657_211_939_458_562_5), ("smokes", 1.664_340_447_089_657)]
)]
fn every_estimator_finds_what_scikit_learn_finds(#[case] arguments: &str, #[case] expected: &[(&str, f64)]) {
    let folder = folder_with_data(staff());
    let excluded = if arguments.contains("--weights") { "quit" } else { "w,quit" };
    let file = model(folder.path(), &format!("--target pay --exclude {excluded} {FILLED} {arguments}"));
    assert_coefficients(&file, expected);
}

#[test]
fn logistic_regression_equals_that_of_scikit_learn() {
    let folder = folder_with_data(staff());
    let file = model(folder.path(), &format!("--target quit --exclude w,pay {FILLED} --c 0.7"));
    // LogisticRegression(C=0.7, tol=1e-12, solver="newton-cholesky").fit(Z, d.quit)
    assert_coefficients(
        &file,
        &[
            ("age", 0.543_685_957_208_903),
            ("colour=blue", -0.021_005_914_440_008_582),
            ("colour=green", 0.087_482_672_624_790_01),
            ("colour=red", -0.047_220_083_908_263_37),
            ("smokes", 0.420_926_792_074_247_55),
        ],
    );
    assert_eq!((&file["task"], &file["estimator"]["classes"]), (&json!("classification"), &json!(["no", "yes"])));
    assert_eq!(file["signature"]["target"], json!({"name": "quit", "type": "string"}));
    assert_eq!(file["training"]["parameters"]["c"], json!(0.7));
}

#[test]
fn powers_and_products_are_columns_like_any_other() {
    let folder = folder_with_data(staff());
    let file = model(folder.path(), &format!("--target pay --exclude w,quit {FILLED} --degree 2 --interactions"));
    // LinearRegression(tol=1e-14) on the same columns, centred.
    assert_coefficients(
        &file,
        &[
            ("age", 0.246_334_391_275_846_2),
            ("age^2", 4.099_609_828_308_117_6e-5),
            ("colour=green", 4.293_319_402_406_555_5),
            ("colour=red", -4.501_540_859_474_017),
            ("smokes", 4.353_882_571_494_497),
            ("age:colour=green", -0.014_435_703_099_753_323),
            ("age:colour=red", 0.052_316_537_131_922_27),
            ("age:smokes", 0.004_997_580_873_858_83),
            ("colour=green:smokes", -1.315_538_943_600_785_4),
            ("colour=red:smokes", 1.350_753_424_020_031),
        ],
    );
}

#[test]
fn the_logarithm_of_the_target_is_fitted_and_predictions_come_back() {
    let folder = folder_with_data(staff());
    let file = model(folder.path(), &format!("--target pay --exclude w,quit {FILLED} --target-transform log"));
    // LinearRegression().fit(X(["green", "red"]), np.log(d.pay))
    assert_coefficients(
        &file,
        &[
            ("age", 0.010_994_920_758_435_505),
            ("colour=green", 0.135_874_611_994_771_66),
            ("colour=red", -0.075_074_240_844_722_25),
            ("smokes", 0.192_339_913_469_830_43),
        ],
    );
    assert_eq!(file["preprocess"]["target_transform"], "log");
    // Pay is between 12 and 36; its logarithm is below 4.
    assert!(file["golden"]["y"].as_array().unwrap().iter().all(|y| y.as_f64().unwrap() > 10.0));
}

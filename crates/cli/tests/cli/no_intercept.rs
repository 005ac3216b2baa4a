//! `ordinate train --no-intercept`: fits through the origin, compared with scikit-learn and statsmodels.

use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{folder_with_data, json_of, run, succeeded};

fn printed(folder: &TempDir, arguments: &str) -> String {
    succeeded(&run(folder, arguments)).to_owned()
}

/// The output of `train --no-intercept --json` without held-out rows.
fn trained(folder: &TempDir, arguments: &str) -> Value {
    let command = format!("train data.csv --out m.json --test-fraction 0 --no-intercept --json {arguments}");
    serde_json::from_str(&printed(folder, &command)).unwrap()
}

fn file(folder: &TempDir) -> Value {
    json_of(folder.path().join("m.json"))
}

/// The last columns of the first lines of what `predict` writes.
fn predicted(folder: &TempDir, options: &str, columns: usize) -> Vec<Vec<f64>> {
    let table = printed(folder, &format!("predict m.json data.csv {options}"));
    let row = |line: &str| {
        let mut fields: Vec<f64> = line.rsplit(',').take(columns).map(|field| field.parse().unwrap()).collect();
        fields.reverse();
        fields
    };
    table.lines().skip(1).map(row).collect()
}

fn assert_close(got: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len());
    for (got, expected) in got.iter().zip(expected) {
        assert!((got - expected).abs() <= tolerance * expected.abs(), "{got} is not {expected}");
    }
}

const DIABETES: &str = include_str!("../../../../model/diabetes.csv");

/// statsmodels 0.15.0, `r = OLS(y, X).fit(method="qr")`: its summary, and `r.get_prediction(X).summary_frame(alpha=0.05)`
#[test]
fn least_squares_equals_statsmodels() {
    let folder = folder_with_data(DIABETES);
    let trained = trained(&folder, "--target progression");
    let summary = &trained["summary"];
    let names = ["r2", "adjusted_r2", "f", "log_likelihood", "aic", "bic", "condition_number", "degrees_of_freedom"];
    let got = names.map(|name| summary[name].as_f64().unwrap());
    let expected = [
        0.896_028_378_829_370_6,
        0.893_621_628_339_309_7,
        372.297_993_717_957_1,
        -2_398.260_161_366_197_3,
        4_816.520_322_732_395,
        4_857.433_421_553_172,
        1_015.047_127_973_094,
        432.0,
    ];
    assert_close(&got, &expected, 1e-13);
    assert_eq!(summary["intercept"], Value::Null);
    let error = |term: usize| summary["terms"][term]["standard_error"].as_f64().unwrap();
    assert_close(&[error(0), error(9)], &[0.222_560_029_032_409, 0.278_798_047_033_660_1], 1e-12);
    // 1 / (1 − R²) of the column by the others, about zero too (numpy's lstsq).
    assert_close(&[summary["terms"][4]["vif"].as_f64().unwrap()], &[576.886_424_431_140_1], 1e-11);

    let rows = predicted(&folder, "--interval 0.95", 3);
    assert_close(&rows[0], &[201.302_055_401_773_34, 91.052_110_647_541_24, 311.552_000_156_005_4], 1e-11);
    assert_close(&rows[3], &[164.379_067_230_001_43, 54.030_904_340_199_84, 274.727_230_119_803_04], 1e-11);

    let parameters = &file(&folder)["training"]["parameters"];
    assert_eq!(parameters["intercept"], json!(false));
    let text = printed(&folder, "train data.csv --target progression --no-intercept --test-fraction 0");
    assert!(text.contains("R² (about zero)") && text.contains("with a prediction of 0"), "{text}");
}

/// scikit-learn 1.9.1 on `Z = X / np.sqrt((X**2).mean(0))`, all with `fit_intercept=False`: `Ridge(10)`, `Lasso(2)`,
/// `ElasticNet(0.5, l1_ratio=0.3)`, tolerance 1e-14
#[rstest]
#[case("--estimator ridge --alpha 10", [183.416_118_264_705_3, 98.671_275_951_984_91, 169.927_379_552_335_42])]
#[case("--estimator lasso --alpha 2", [190.949_993_805_565_13, 103.236_210_640_487_1, 177.412_345_983_260_85])]
#[case("--estimator elastic-net --alpha 0.5 --l1-ratio 0.3", [
    156.428_606_894_247_7, 123.606_929_967_480_48, 155.481_580_704_949_12,
])]
fn penalized_fits_equal_scikit_learn(#[case] options: &str, #[case] expected: [f64; 3]) {
    let folder = folder_with_data(DIABETES);
    trained(&folder, &format!("--target progression {options}"));
    assert_close(&predicted(&folder, "", 1)[..3].concat(), &expected, 1e-10);
}

/// scikit-learn 1.9.1: `LogisticRegression(C=2, fit_intercept=False, solver="newton-cholesky", tol=1e-13)` on the same `Z`
#[rstest]
#[case(include_str!("../../../../model/breast-cancer.csv"), "diagnosis", 149, &[0.972_899_417_051_571_9, 0.027_100_582_948_428_143])]
#[case(include_str!("../../../../model/iris.csv"), "species", 70, &[
    0.010_774_793_374_802_31, 0.373_302_769_503_627_3, 0.615_922_437_121_570_5,
])]
fn logistic_regression_equals_scikit_learn(
    #[case] data: &str,
    #[case] target: &str,
    #[case] row: usize,
    #[case] expected: &[f64],
) {
    let folder = folder_with_data(data);
    trained(&folder, &format!("--target {target} --c 2"));
    assert_close(&predicted(&folder, "--probabilities", expected.len())[row], expected, 1e-9);
}

#[rstest]
#[case("ridge")]
#[case("lasso")]
#[case("logistic")]
fn the_regularization_strength_is_chosen_without_an_intercept(#[case] estimator: &str) {
    let row = |i: u32| format!("{i},{},{}", (i * 7) % 11, u32::from((i * 5) % 13 > 4));
    let rows: Vec<String> = (0..60).map(row).collect();
    let folder = folder_with_data(format!("a,b,y\n{}\n", rows.join("\n")));
    let price = if estimator == "logistic" { "--c auto" } else { "" };
    trained(&folder, &format!("--target y --estimator {estimator} {price}"));
    let file = file(&folder);
    assert!(file["preprocess"]["columns"].as_array().unwrap().iter().all(|column| column["mean"] == json!(0.0)));
}

/// A column of ones is an intercept that is penalized as the other columns are.
#[test]
fn constant_columns_and_a_constant_target_are_accepted() {
    let folder = folder_with_data("one,x,y\n1,1,3.5\n1,2,4.5\n1,3,7.5\n1,4,8.5\n");
    let with_ones = trained(&folder, "--target y");
    let intercept = serde_json::from_str::<Value>(&printed(
        &folder,
        "train data.csv --target y --exclude one --test-fraction 0 --json",
    ));
    let intercept = &intercept.unwrap()["summary"]["intercept"];
    let own = &with_ones["summary"]["terms"][0];
    for number in ["estimate", "standard_error", "t", "p"] {
        assert_close(&[own[number].as_f64().unwrap()], &[intercept[number].as_f64().unwrap()], 1e-12);
    }
    let constant = folder_with_data("x,y\n1,2\n2,2\n4,2\n");
    assert_close(
        &[trained(&constant, "--target y")["summary"]["terms"][0]["estimate"].as_f64().unwrap()],
        &[14.0 / 21.0],
        1e-14,
    );
}

/// All levels of the first category: the same predictions as with an intercept and a reference level.
#[test]
fn the_first_category_keeps_its_levels() {
    let folder = folder_with_data("c,d,y\na,u,1\nb,u,2\nc,u,4\na,v,5\nb,v,7\nc,v,8.5\na,u,1.5\nc,v,9\n");
    let trained = trained(&folder, "--target y");
    let names: Vec<&str> =
        trained["summary"]["terms"].as_array().unwrap().iter().map(|term| term["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["c=a", "c=b", "c=c", "d=v"]);
    let without = predicted(&folder, "--interval 0.9", 3).concat();
    printed(&folder, "train data.csv --target y --test-fraction 0 --out m.json");
    assert_close(&without, &predicted(&folder, "--interval 0.9", 3).concat(), 1e-12);
}

#[test]
fn a_file_whose_parts_contradict_each_other_is_refused() {
    let folder = folder_with_data(DIABETES);
    trained(&folder, "--target progression");
    let mut document: ordinate_model::artifact::Document = serde_json::from_value(file(&folder)).unwrap();
    document.preprocess.columns[0].mean = 1.0;
    let resealed = document.seal(Vec::new()).unwrap_err();
    assert!(resealed.to_string().contains("preprocess.through_origin"), "{resealed}");
}

#[test]
fn as_many_columns_as_rows_are_fitted_and_others_have_no_coefficient() {
    let folder = folder_with_data("a,b,y\n1,2,3\n2,1,5\n");
    for (degree, columns) in [(1, ["a", "b"]), (2, ["a", "a^2"])] {
        trained(&folder, &format!("--target y --degree {degree} --estimator linear"));
        let file = file(&folder);
        let coefficients: Vec<&String> = file["estimator"]["coefficients"].as_object().unwrap().keys().collect();
        assert_eq!(coefficients, columns);
    }
}

//! `ordinate import --data`: rows that the model rejects, and types that only a sample has.

use ordinate_model::signature::FeatureType;

use super::{LINE, feature, folder_with_unusual, model};
use crate::support::{complained, folder_with, rows, run, succeeded};
use std::fs;

const IMPORT: &str = "import model.pkl --data sample.csv --out model.json";

#[test]
fn rows_that_the_model_rejects_are_left_out_and_reported() {
    let folder = folder_with_unusual("fitted again", "model.pkl");
    fs::write(folder.path().join("sample.csv"), "a,b\n1,2\n,300\n400,high\n5,6.5\n").unwrap();
    let output = run(&folder, IMPORT);
    let note = "\nnote: left out 2 of 4 rows of sample.csv, which the model rejects; the first: line 3, column \"a\": \
                is missing, and the model does not impute it\n";
    assert!(succeeded(&output).contains(note), "{}", succeeded(&output));
    let model = model(&folder, "model.json");
    assert_eq!((feature(&model, "a").range, feature(&model, "a").whole), (Some([1.0, 5.0]), true));
    assert_eq!((feature(&model, "b").range, feature(&model, "b").whole), (Some([2.0, 6.5]), false));
    assert_eq!(model.document().golden.x.len(), 2);
}

#[test]
fn a_sample_without_a_row_that_the_model_accepts_is_an_error_with_its_line() {
    let folder = folder_with_unusual("fitted again", "model.pkl");
    for (sample, fault) in [
        ("a,b\n,2\n3,\n", "line 2, column \"a\": is missing, and the model does not impute it\n"),
        ("a,b\n1,high\n", "line 2, column \"b\": expected a number, got \"high\"\n"),
        ("a;b\n1;2,5\n", "line 2, column \"b\": expected a number with a decimal point, got \"2,5\"\n"),
    ] {
        fs::write(folder.path().join("sample.csv"), sample).unwrap();
        let output = run(&folder, IMPORT);
        let message = complained(&output);
        assert!(message.starts_with("error: sample.csv: the model rejects all rows; "), "{message}");
        assert!(message.contains(fault) && message.contains("\nhelp: name a sample of the training data"), "{message}");
    }
    // The advice.
    fs::write(folder.path().join("sample.csv"), "a,b\n1,high\n1,2.5\n").unwrap();
    succeeded(&run(&folder, IMPORT));
}

#[test]
fn a_category_that_the_model_rejects_is_left_out() {
    let folder = folder_with_unusual("real levels with the names of groups", "model.pkl");
    fs::write(folder.path().join("sample.csv"), "a,b,c\n1,2,violet\n1,2,(missing)\n1,2,(other)\n1,2,\n").unwrap();
    let output = run(&folder, IMPORT);
    assert!(succeeded(&output).contains("left out 1 of 4 rows of sample.csv"), "{}", succeeded(&output));
    assert!(succeeded(&output).contains("the first: line 2, column \"c\": expected one of "), "{}", succeeded(&output));
}

#[test]
fn true_and_false_need_a_sample() {
    let folder = folder_with_unusual("fitted again", "model.pkl");
    fs::write(folder.path().join("sample.csv"), "a,b\n1.5,True\n2,False\n").unwrap();
    let output = run(&folder, "import model.pkl --out model.json");
    let note =
        "note: features without categories are numbers; where some are true and false, name a sample with --data\n";
    assert!(succeeded(&output).contains(note), "{}", succeeded(&output));
    assert!(complained(&run(&folder, "predict model.json sample.csv")).contains("expected a number, got \"True\""));
    // The advice.
    assert!(!succeeded(&run(&folder, IMPORT)).contains(note));
    assert_eq!(feature(&model(&folder, "model.json"), "b").kind, FeatureType::Boolean);
    succeeded(&run(&folder, "predict model.json sample.csv"));
}

#[test]
fn missing_booleans_become_the_mean_that_an_imputer_inserts() {
    let folder = folder_with_unusual("booleans as numbers, imputed by their mean", "model.pkl");
    let predict = |name: &str, sample: &str| -> Vec<f64> {
        fs::write(folder.path().join("sample.csv"), sample).unwrap();
        succeeded(&run(&folder, &format!("import model.pkl --data sample.csv --out {name}")));
        let output = run(&folder, &format!("predict {name} sample.csv"));
        rows(succeeded(&output)).iter().skip(1).map(|row| row.last().unwrap().parse().unwrap()).collect()
    };
    let as_numbers = predict("numbers.json", "c,a,b\n1,2,3\n0,2,3\n,2,3\n");
    let as_booleans = predict("booleans.json", "c,a,b\nTrue,2,3\nFalse,2,3\n,2,3\n");
    assert_eq!(feature(&model(&folder, "booleans.json"), "c").kind, FeatureType::Boolean);
    for (number, boolean) in as_numbers.iter().zip(&as_booleans) {
        assert!((number - boolean).abs() <= 1e-12 * number.abs().max(1.0), "{as_numbers:?} {as_booleans:?}");
    }
    assert!((as_numbers[2] - as_numbers[0]).abs() > 1e-3);
}

#[test]
fn a_sample_is_not_advised_where_it_does_not_help() {
    let folder = folder_with(&[("line.pkl", &LINE.replace("F1.0", "Fnan")), ("sample.csv", "x\n1\n")]);
    for sample in ["", "--data sample.csv"] {
        let output = run(&folder, &format!("import line.pkl --features x {sample} --out line.json"));
        let message = "error: line.pkl: LinearRegression: intercept_ is not finite\nhelp: fit it again\n";
        assert_eq!(complained(&output), message);
    }
    // A golden row that cannot be predicted, and the advice.
    let folder = folder_with(&[("line.pkl", &LINE.replace("F1.0", "F1.7e308")), ("sample.csv", "x\n1e308\n")]);
    let output = run(&folder, "import line.pkl --features x --data sample.csv --out line.json");
    assert!(complained(&output).ends_with("\nhelp: leave such rows out of the sample\n"), "{}", complained(&output));
    fs::write(folder.path().join("sample.csv"), "x\n1\n").unwrap();
    succeeded(&run(&folder, "import line.pkl --features x --data sample.csv --out line.json"));
}

//! Options of `ordinate import` that are wrong, or do not fit the file. Each advice is followed.

use std::fs;

use super::{LINE, feature, folder_with_unusual, model};
use crate::support::{command, complained, file_names, folder_with, pipe, run, succeeded};

#[test]
fn each_feature_has_a_name() {
    let folder = folder_with(&[("line.pkl", LINE)]);
    let output = run(&folder, "import line.pkl --features a,,b --out line.json");
    assert_eq!(
        complained(&output),
        "error: line.pkl: --features has no name for feature 2\nhelp: give each feature a name\n"
    );
}

#[test]
fn names_are_without_the_spaces_around_them_as_in_csv() {
    let named = LINE.replace("Vn_features_in_\n", "Vfeature_names_in_\n(lV size \nasVn_features_in_\n");
    let folder = folder_with(&[("line.pkl", &named), ("rows.csv", " size ,y\n10,21\n")]);
    let output = run(&folder, "import line.pkl --data rows.csv --out line.json");
    let note = "note: names are without the spaces around them: \"size\", not \" size \"\n";
    assert!(succeeded(&output).contains(note), "{}", succeeded(&output));
    assert_eq!(feature(&model(&folder, "line.json"), "size").range, Some([10.0, 10.0]));
    assert!(succeeded(&run(&folder, "predict line.json rows.csv")).ends_with("10,21,21.0\n"));
}

#[test]
fn the_target_has_a_name_of_its_own() {
    let folder = folder_with_unusual("fitted again", "model.pkl");
    for (target, expected, advice) in [
        ("--target=", "--target is empty\nhelp: name the target, or leave out --target", ""),
        ("--target=\u{1}", "--target is empty\nhelp: name the target, or leave out --target", ""),
        ("--target=a", "the target \"a\" has the name of a feature\nhelp: ", "--target predicted_a"),
    ] {
        let output = run(&folder, &format!("import model.pkl {target} --out model.json"));
        assert!(complained(&output).contains(expected), "{}", complained(&output));
        assert!(complained(&output).contains(advice));
        succeeded(&run(&folder, &format!("import model.pkl {advice} --out model.json")));
    }
    let import = |target: &str| {
        command(folder.path(), "import model.pkl --out model.json").args(["--target", target]).output().unwrap()
    };
    let output = import("net\nprice");
    let expected =
        "error: --target \"net\\nprice\" has a control character\nhelp: leave it out: --target 'net price'\n";
    assert_eq!(complained(&output), expected);
    succeeded(&import("net price"));
}

#[test]
fn a_target_without_a_name_has_one_that_no_feature_has() {
    let folder = folder_with(&[("line.pkl", LINE)]);
    let import = |arguments: &str| {
        let output = run(&folder, &format!("import line.pkl {arguments} --out line.json"));
        let said = succeeded(&output).to_owned();
        (said, model(&folder, "line.json").signature().target().name.clone())
    };
    let (said, target) = import("--features x");
    assert!(target == "y" && !said.contains("the target is named"), "{said}");
    let (said, target) = import("--features y");
    let note = "note: the target is named \"target\", since \"y\" is a feature; --target names it otherwise\n";
    assert!(target == "target" && said.contains(note), "{said}");
    let (said, target) = import("--features y --target price");
    assert!(target == "price" && !said.contains("the target is named"), "{said}");
    let output = run(&folder, "import line.pkl --features y --target y --out line.json");
    assert!(complained(&output).contains("the target \"y\" has the name of a feature\nhelp: "));
}

#[test]
fn a_number_of_features_that_no_model_has_is_an_error() {
    let many = LINE.replace("Vn_features_in_\nI1\n", "Vn_features_in_\nI1000000000000\n");
    let folder = folder_with(&[("line.pkl", &many)]);
    for features in ["", "--features x"] {
        let output = run(&folder, &format!("import line.pkl {features} --out line.json"));
        assert_eq!(
            complained(&output),
            "error: line.pkl: the model has 1000000000000 features, more than a model file can have\n\
             help: fit it to fewer columns\n"
        );
    }
}

#[test]
fn names_that_differ_in_spaces_are_one_name() {
    let number = "V\0\0\0\0\0\0\0@";
    let plane = LINE.replace("(I1\ntcnumpy", "(I2\ntcnumpy").replace(number, &format!("{number}{}", &number[1..]));
    let named = |names: &str| {
        let width = format!("Vfeature_names_in_\n(l{names}sVn_features_in_\nI2\n");
        folder_with(&[("line.pkl", &plane.replace("Vn_features_in_\nI1\n", &width))])
    };
    let folder = named("V a\naVa\na");
    let message = "error: line.pkl: the file has the names \" a\" and \"a\", which are one name without the spaces \
                   around them\nhelp: rename one of them before the fit: X = X.rename(columns={\"a\": \"a_2\"})\n";
    // Other names are no way out: the file has names.
    for features in ["", "--features p,q"] {
        let output = run(&folder, &format!("import line.pkl {features} --out line.json"));
        assert_eq!(complained(&output), message);
    }
    // The advice.
    succeeded(&run(named("V a\naVa_2\na"), "import line.pkl --out line.json"));
    let output = run(named("Va\naVa\na"), "import line.pkl --out line.json");
    assert!(complained(&output).contains("the file has the name \"a\" twice\nhelp: fit it to a table in which each"));
}

#[test]
fn options_for_the_sample_need_a_sample() {
    let folder = folder_with_unusual("fitted again", "model.pkl");
    fs::write(folder.path().join("sample.csv"), "a;b\n1;2\n").unwrap();
    for option in ["--delimiter ;", "--encoding utf-8", "--comment #", "--skip-lines 1", "--header a,b"] {
        let output = run(&folder, &format!("import model.pkl {option} --out model.json"));
        let name = option.split(' ').next().unwrap();
        let expected = format!("error: {name} is for --data\nhelp: name a sample with --data, or leave out {name}\n");
        assert_eq!(complained(&output), expected);
    }
    succeeded(&run(&folder, "import model.pkl --delimiter ; --data sample.csv --out model.json"));
    succeeded(&run(&folder, "import model.pkl --out model.json"));
}

#[test]
fn standard_input_is_one_file() {
    let output = pipe("import - --features x --data - --out line.json", LINE);
    assert_eq!(
        complained(&output),
        "error: FILE and --data are both standard input\nhelp: name a file for one of them\n"
    );
    succeeded(&pipe("import - --features x --name line --out line.json", LINE));
}

#[test]
fn the_model_is_written_to_a_file_in_a_folder_that_exists() {
    let folder = folder_with_unusual("fitted again", "model.pkl");
    let output = run(&folder, "import model.pkl --out s3://bucket/churn");
    assert_eq!(
        complained(&output),
        "error: s3://bucket/churn: --out is not a file\n\
         help: import to a file, and publish it: ordinate publish model.json s3://bucket/churn/\n"
    );
    let output = run(&folder, "import model.pkl --out new/model.json");
    assert_eq!(
        complained(&output),
        "error: new/model.json: cannot be written: No such file or directory (os error 2)\nhelp: mkdir -p new\n"
    );
    assert_eq!(file_names(&folder), ["model.pkl"]);
    fs::create_dir_all(folder.path().join("new")).unwrap();
    succeeded(&run(&folder, "import model.pkl --out new/model.json"));
}

#[test]
fn a_model_that_is_not_fitted_is_reported_before_its_names() {
    let folder = folder_with_unusual("unfitted pipeline", "model.pkl");
    let output = run(&folder, "import model.pkl --out model.json");
    assert_eq!(
        complained(&output),
        "error: model.pkl: step \"standardscaler\" (StandardScaler): it is not fitted: it has no attribute mean_\n\
         help: fit the whole estimator, with all of its steps, before the import\n"
    );
    let fitted = folder_with_unusual("fitted again", "model.pkl");
    succeeded(&run(&fitted, "import model.pkl --out model.json"));
}

#[test]
fn objects_that_predictions_do_not_need_are_named() {
    let folder = folder_with_unusual("memory of a pipeline", "model.pkl");
    let output = run(&folder, "import model.pkl --out model.json");
    let note = "note: predictions do not need joblib.memory.Memory in the file: not read, and nothing was run\n";
    assert!(succeeded(&output).contains(note), "{}", succeeded(&output));
}

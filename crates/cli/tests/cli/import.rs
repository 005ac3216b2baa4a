//! `ordinate import`: files of scikit-learn, and hostile ones.

mod attacks;
mod options;
mod samples;

use std::fs;
use std::path::Path;

use ordinate_model::Model;
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::{Feature, FeatureType};
use tempfile::TempDir;

use crate::support::{complained, complained_with_code, folder_with, json_of, run, succeeded, text};

/// A pickle of protocol 0 of a line, 2x + 1.
const LINE: &str = "ccopy_reg\n_reconstructor\n(csklearn.linear_model._base\nLinearRegression\nc__builtin__\nobject\n\
                    NtR(dVcoef_\ncnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntVb\ntR(I1\n(I1\ntcnumpy\n\
                    dtype\n(Vf8\nI0\nI1\ntR(I3\nV<\nNNNI-1\nI-1\nI0\ntbI00\nc_codecs\nencode\n(V\0\0\0\0\0\0\0@\nVlatin1\n\
                    tRtbsVintercept_\nF1.0\nsVn_features_in_\nI1\nsb.";

/// A folder with a file of `tests/unusual` of the crate `ordinate-import`.
fn folder_with_unusual(case: &str, saved_as: &str) -> TempDir {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("../import/tests/unusual");
    let cases = json_of(files.join("cases.json"));
    let case = cases.as_array().unwrap().iter().find(|found| found["name"] == case).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::copy(files.join(case["file"].as_str().unwrap()), folder.path().join(saved_as)).unwrap();
    folder
}

fn feature<'m>(model: &'m Model, name: &str) -> &'m Feature {
    model.signature().features().iter().find(|feature| feature.name == name).unwrap()
}

/// A folder with a file of scikit-learn 1.9.1.
fn folder_with_file(name: &str, saved_as: &str) -> TempDir {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("../import/tests/files/1.9.1");
    let folder = tempfile::tempdir().unwrap();
    fs::copy(files.join(name), folder.path().join(saved_as)).unwrap();
    folder
}

fn model(folder: &TempDir, name: &str) -> Model {
    Model::from_json(fs::read(folder.path().join(name)).unwrap()).unwrap()
}

#[test]
fn a_pickle_becomes_a_model_that_predicts() {
    let folder = folder_with_file("log1p-scaled.4.pkl", "prices.pkl");
    let output = run(&folder, "import prices.pkl --target price --out prices.json");
    let said = succeeded(&output);
    assert!(said.starts_with("prices@1: ridge, 4 features, from a Pipeline of scikit-learn 1.9.1\n"), "{said}");
    assert!(said.contains("\nnote: the golden rows are made up") && said.ends_with("saved prices.json\n"), "{said}");
    let model = model(&folder, "prices.json");
    assert_eq!(model.signature().target().name, "price");
    assert_eq!(model.document().training.parameters["imported_from"], "scikit-learn 1.9.1");
    fs::write(folder.path().join("rows.csv"), "d,c,b,a\n1,2,3,4\n").unwrap();
    let predicted = run(&folder, "predict prices.json rows.csv");
    assert!(succeeded(&predicted).starts_with("d,c,b,a,prediction\n1,2,3,4,"));
}

#[test]
fn a_sample_gives_types_ranges_and_golden_rows() {
    let folder = folder_with_file("imputed-numbers-and-categories.5.joblib", "people.joblib");
    let rows = "city,age,income,colour,smokes,height,price\n\
                Ulm,30,1000,red,True,170.5,1\nBonn,40,NA,blue,False,180,2\nAachen,50,3000,,True,175,3\n";
    fs::write(folder.path().join("people.csv"), rows).unwrap();
    let output = run(&folder, "import people.joblib --data people.csv --out people.json");
    assert!(succeeded(&output).contains("the golden rows, from people.csv, are Ordinate's own"));
    let model = model(&folder, "people.json");
    let feature = |name: &str| feature(&model, name);
    assert_eq!((feature("age").range, feature("age").whole), (Some([30.0, 50.0]), true));
    assert_eq!((feature("height").range, feature("height").whole), (Some([170.5, 180.0]), false));
    assert_eq!(feature("smokes").kind, FeatureType::Boolean);
    // Each of the three rows once, and those with a missing value again.
    let golden = &model.document().golden;
    assert_eq!(golden.x.len(), 5);
    assert_eq!(golden.x[1][1], Scalar::Missing);
}

#[test]
fn a_file_without_names_needs_them() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("line.pkl"), LINE).unwrap();
    let output = run(&folder, "import line.pkl --out line.json");
    assert_eq!(
        complained(&output),
        "error: line.pkl: the file has no names for its 1 feature\n\
         help: name them in the order of the fit: --features x0\n"
    );
    let output = run(&folder, "import line.pkl --features x0,x1 --out line.json");
    assert!(complained(&output).contains("the model has 1 feature, got 2\nhelp: "));
    let output = run(&folder, "import line.pkl --features x0,x0 --out line.json");
    assert!(complained(&output).contains("--features has the name \"x0\" twice\nhelp: "));
    succeeded(&run(&folder, "import line.pkl --features x0 --out line.json"));
    fs::write(folder.path().join("rows.csv"), "x0\n10\n").unwrap();
    assert_eq!(succeeded(&run(&folder, "predict line.json rows.csv")), "x0,prediction\n10,21.0\n");
    // The model on standard output, the summary on standard error.
    let output = run(&folder, "import line.pkl --features x0 --name other --out -");
    assert!(succeeded(&output).starts_with('{') && text(&output.stderr).starts_with("other@1: linear, 1 feature"));
}

#[test]
fn wrong_files_and_options_are_errors_with_advice() {
    let folder = folder_with_file("log1p-scaled.4.pkl", "model.pkl");
    fs::write(folder.path().join("words.csv"), "a,b,c,d\nhigh,1,2,3\n").unwrap();
    fs::write(folder.path().join("gap.csv"), "a,b,c,d\n,1,2,3\n").unwrap();
    for (arguments, expected) in [
        ("import model.pkl --features a,b,c,d --out model.json", "leave out --features"),
        ("import model.pkl --out model.pkl", "choose another file"),
        (
            "import model.pkl --out models/",
            "help: import to a file, and publish it: ordinate publish model.json models/",
        ),
        (
            "import model.pkl --data words.csv --out model.json",
            "words.csv: the model rejects all rows; line 2, column \"a\"",
        ),
        (
            "import model.pkl --data gap.csv --out model.json",
            "gap.csv: the model rejects all rows; line 2, column \"a\"",
        ),
        ("import absent.pkl --out model.json", "absent.pkl: cannot be read"),
        ("import model.pkl --data absent.csv --out model.json", "absent.csv"),
    ] {
        let output = run(&folder, arguments);
        assert!(complained(&output).contains(expected), "{arguments}: {}", text(&output.stderr));
    }
    complained_with_code(&run(&folder, "import model.pkl"), 2);
    assert!(!folder.path().join("model.json").exists());
    let refused = folder_with_file("QuantileTransformer.deflated.skops", "model.skops");
    let output = run(&refused, "import model.skops --out model.json");
    assert!(
        complained(&output).starts_with("error: model.skops: step \"quantiletransformer\" (QuantileTransformer): ")
    );
    let json = folder_with(&[("model.json", "{}")]);
    assert!(complained(&run(&json, "import model.json --out m.json")).contains("got JSON"));
}

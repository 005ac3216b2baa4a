//! Files that four versions of scikit-learn wrote, in all formats, and damaged ones. `files.py` of the Python package wrote
//! them; its matrix has many more.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod cases;

use std::fs;
use std::path::Path;

use cases::{Case, cases, paths};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use ordinate_import::file::{FileError, Fitted, read};
use ordinate_import::{Column, sklearn};
use ordinate_model::Model;

/// The name of a pipeline's file without its ending.
fn slug(name: &str) -> String {
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}

/// The files of the corpus, each with its pipeline.
fn corpus() -> Vec<(Case, std::path::PathBuf)> {
    let mut all = Vec::new();
    for states in paths("states") {
        let version = states.file_stem().unwrap().to_str().unwrap();
        let files = paths(&format!("files/{version}"));
        for case in cases(&states) {
            let is_of_case = |file: &&std::path::PathBuf| {
                file.file_name().unwrap().to_str().unwrap().split('.').next() == Some(&slug(&case.name))
            };
            let file = files.iter().find(is_of_case).cloned();
            all.extend(file.map(|file| (case, file)));
        }
    }
    all
}

fn file(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files/1.9.1").join(name)).unwrap()
}

fn message(content: &[u8]) -> String {
    read(content).unwrap_err().to_string()
}

#[test]
fn files_of_all_versions_and_formats_predict_as_scikit_learn_or_are_refused_by_name() {
    let corpus = corpus();
    assert_eq!(corpus.len(), 76);
    for (case, path) in corpus {
        let place = path.display();
        let fitted = read(&fs::read(&path).unwrap()).unwrap_or_else(|error| panic!("{place}: {error}"));
        let version = path.parent().unwrap().file_name().unwrap().to_str();
        assert_eq!(fitted.version.as_deref(), version, "{place}");
        let columns: Vec<&str> = case.facts.columns.iter().map(|column| column.name.as_str()).collect();
        if let Some(names) = &fitted.names {
            assert_eq!(*names, columns, "{place}");
        }
        let drafted = sklearn::draft(&fitted.estimator, &case.facts);
        match (drafted, &case.error) {
            (Ok(draft), None) => {
                // From Python and from the file, the parts are the same.
                let by_python = case.draft().unwrap();
                assert_eq!(draft.positions, by_python.positions, "{place}");
                assert_eq!(draft.document.signature, by_python.document.signature, "{place}");
                assert_eq!(draft.document.training, by_python.document.training, "{place}");
                let document = draft.seal(case.golden).unwrap_or_else(|error| panic!("{place}: {error}"));
                Model::from_json(document.to_json().unwrap().as_bytes()).unwrap();
            }
            (Err(error), Some(text)) => assert!(error.to_string().contains(text.as_str()), "{place}: {error}"),
            (drafted, _) => panic!("{place}: {:?}", drafted.map(|_| ()).map_err(|error| error.to_string())),
        }
    }
}

#[test]
fn a_model_file_without_data_has_golden_rows_around_the_means() {
    for (case, path) in corpus().into_iter().filter(|(case, _)| case.error.is_none()) {
        let fitted = read(&fs::read(&path).unwrap()).unwrap();
        let columns = case.facts.columns.iter().map(|column| Column::new(&column.name)).collect();
        let facts = ordinate_import::Facts { columns, ..case.facts };
        let document = sklearn::draft(&fitted.estimator, &facts).unwrap().seal_without_data().unwrap();
        let model = Model::from_json(document.to_json().unwrap().as_bytes()).unwrap();
        assert!(model.document().golden.x.len() >= 5, "{}", path.display());
    }
}

#[test]
fn a_truncated_file_is_an_error() {
    for name in ["PCA-whitened.2.pkl", "drop-if-binary.2.joblib", "GridSearchCV.gzip.joblib", "SelectKBest.3.pkl"] {
        let content = file(name);
        for length in 0..content.len() {
            assert!(read(&content[..length]).is_err(), "{name}: {length} bytes");
        }
    }
}

#[test]
fn a_changed_byte_never_ends_in_a_panic() {
    // The fuzz target changes more.
    for name in ["log1p-scaled.4.pkl", "Lasso.3.joblib"] {
        let content = file(name);
        for position in 0..content.len() {
            for byte in [0, 0x52, 0xff] {
                let mut changed = content.clone();
                changed[position] = byte;
                let _ = read(&changed);
            }
        }
    }
}

#[test]
fn other_formats_are_named() {
    let cases: [(&[u8], &str); 12] = [
        (b"", "got an empty file"),
        (b"{\"format\": 1}", "got JSON"),
        (b"age,income\n1,2\n", "got other content"),
        (b"BZh91AY", "compressed with bzip2"),
        (b"\xfd7zXZ\0", "compressed with xz"),
        (b"\x5d\0\0\x80\0", "compressed with lzma"),
        (b"\x04\x22\x4d\x18", "compressed with lz4"),
        (b"\x80\x06.", "pickle of protocol 6"),
        (b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "a zip archive without schema.json"),
        (b"\x80\x04}.", "a file with a dict"),
        (b"\x80\x04N\x85.", "a file with a tuple"),
        (b"\x80\x04].", "a file with a list"),
    ];
    for (content, expected) in cases {
        let message = message(content);
        assert!(message.contains(expected) && message.contains("\nhelp: "), "{message}");
    }
}

#[test]
fn an_archive_in_an_archive_is_an_error() {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    std::io::Write::write_all(&mut encoder, &file("missing-category.zlib.joblib")).unwrap();
    assert!(message(&encoder.finish().unwrap()).contains("an archive in an archive"));
}

#[test]
fn a_class_that_is_not_in_the_list_is_named() {
    let error = read(b"\x80\x02cxgboost.sklearn\nXGBRegressor\n)\x81.").unwrap_err();
    assert!(matches!(&error, FileError::Global { name, .. } if name == "xgboost.sklearn.XGBRegressor"), "{error}");
    let control = message(b"\x80\x02c\x1b[2J\nsystem\n)\x81.");
    assert!(control.starts_with(r"byte 2: \u{1b}[2J.system is not"), "{control}");
    let forest = message(b"\x80\x02csklearn.ensemble._forest\nRandomForestRegressor\n)\x81.");
    assert!(forest.starts_with("byte 2: sklearn.ensemble._forest.RandomForestRegressor is not"), "{forest}");
    let search = message(b"\x80\x02cscipy.stats._distn_infrastructure\nrv_continuous_frozen\n)\x81.");
    assert!(search.contains("search.best_estimator_"), "{search}");
    for class in [
        "sklearn.linear_model.logistic\nLogisticRegression",
        "sklearn.preprocessing.data\nStandardScaler",
        "sklearn.preprocessing.imputation\nImputer",
        "sklearn.externals.joblib.numpy_pickle\nNumpyArrayWrapper",
        "sklearn.grid_search\nGridSearchCV",
    ] {
        let former = message(&[b"\x80\x02c", class.as_bytes(), b"\n)\x81."].concat());
        assert!(former.contains("older than 0.22; fit the model with 1.1 or later, and save it again"), "{former}");
    }
    for content in [
        b"\x80\x02cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nmemmap\n(I0\ntVb\ntR.".as_slice(),
        b"\x80\x02cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}Vsubclass\ncnumpy\nmemmap\nsb.",
    ] {
        let array = message(content);
        assert!(array.contains("numpy.memmap in place of numpy.ndarray\nhelp: use ordinate.from_sklearn"), "{array}");
    }
}

#[test]
fn protocols_0_and_1_are_read() {
    let fitted: Fitted = read(
        b"ccopy_reg\n_reconstructor\n(csklearn.linear_model._base\nLinearRegression\nc__builtin__\nobject\nNtR(dVcoef_\n\
          (lF2.0\nasV_sklearn_version\nV1.1\\u002e3\nsVn_features_in_\nL1L\nsb.",
    )
    .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((fitted.class.as_str(), fitted.version.as_deref()), ("LinearRegression", Some("1.1.3")));
    assert_eq!(fitted.width, Some(1));
}

#[test]
fn the_names_are_those_of_the_first_step_that_is_an_estimator() {
    let start = |class: &str| format!("ccopy_reg\n_reconstructor\n(csklearn.{class}c__builtin__\nobject\nNtR(d");
    for first in ["Vpassthrough\n", "N"] {
        let pickle = format!(
            "{}Vsteps\n(l(Va\n{first}ta(Vb\n{}Vfeature_names_in_\n(lVage\naVincome\nasVn_features_in_\nI2\nsbtasb.",
            start("pipeline\nPipeline\n"),
            start("linear_model._ridge\nRidge\n")
        );
        let fitted = read(pickle.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(fitted.names, Some(vec!["age".to_owned(), "income".to_owned()]));
        assert_eq!(fitted.width, Some(2));
    }
    let frozen = format!(
        "{}Vestimator\n{}Vfeature_names_in_\n(lVage\nasVn_features_in_\nI1\nsbsb.",
        start("frozen._frozen\nFrozenEstimator\n"),
        start("linear_model._ridge\nRidge\n")
    );
    let fitted = read(frozen.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((fitted.names, fitted.width), (Some(vec!["age".to_owned()]), Some(1)));
}

#[test]
fn work_for_shared_parts_is_bounded() {
    // Many objects with one long tuple of arguments.
    let arguments = [b"\x80\x04(".as_slice(), &b"N".repeat(100_000), b"tq\x000"].concat();
    let class = b"csklearn.linear_model._ridge\nRidge\nq\x010";
    let calls = [arguments.as_slice(), class, &b"h\x01h\x00R".repeat(100), b"."].concat();
    assert!(message(&calls).contains("the file has more than 4194304 parts"), "{}", message(&calls));
    // Many texts of one buffer.
    let length = 1_u32 << 16;
    let mut texts = b"\x80\x04cnumpy\ndtype\nX\x06\0\0\0U16384\x85RB".to_vec();
    texts.extend(length.to_le_bytes());
    texts.extend(vec![0; length as usize]);
    texts.extend(b"\x86q\x000cnumpy._core.multiarray\nscalar\nq\x010");
    texts.extend(b"h\x01h\x00R".repeat(5000));
    texts.push(b'.');
    assert!(message(&texts).contains("MiB of encoded arrays"), "{}", message(&texts));
}

/// A union of scalers in which each level has the one below it twice.
fn nested_unions(levels: usize) -> Vec<u8> {
    let mut pickle = b"\x80\x02csklearn.preprocessing._data\nStandardScaler\n)\x81}(".to_vec();
    for switch in ["with_mean", "with_std"] {
        pickle.extend(format!("V{switch}\nI01\n").bytes());
    }
    pickle.extend(b"ubq\x000");
    for _ in 0..levels {
        pickle
            .extend(b"csklearn.pipeline\nFeatureUnion\n)\x81}Vtransformer_list\n](Va\nh\x00\x86Vb\nh\x00\x86esbq\x000");
    }
    pickle.extend(b"h\x00.");
    pickle
}

#[test]
fn parts_that_others_share_are_copied_only_so_often() {
    assert!(read(&nested_unions(10)).is_ok());
    assert!(nested_unions(18).len() < 2000);
    let message = message(&nested_unions(18));
    assert!(
        message.starts_with("the file has more than 4194304 values of parts that others share\nhelp: "),
        "{message}"
    );
}

/// A pickle of an estimator with one array of zeros.
fn with_zeros(class: &str, attribute: &str, rows: u32, columns: u32) -> Vec<u8> {
    let bytes = rows * columns * 8;
    let mut pickle = [b"\x80\x02csklearn.", class.as_bytes(), b"\n)\x81}V", attribute.as_bytes()].concat();
    pickle.extend(b"\ncnumpy.core.numeric\n_frombuffer\n(B");
    pickle.extend(bytes.to_le_bytes());
    pickle.extend(vec![0; bytes as usize]);
    pickle.extend(format!("cnumpy\ndtype\n(Vf8\ntR(I{rows}\nI{columns}\ntVC\ntRsb.").bytes());
    pickle
}

#[test]
fn an_array_that_is_larger_than_a_model_is_not_read() {
    let facts = corpus().remove(0).0.facts;
    let message = |content: Vec<u8>, attribute: &str, columns: usize| {
        let fitted = read(&content).unwrap();
        let array = fitted.estimator.object().unwrap().get(attribute).unwrap();
        assert!(array.length().unwrap() > 4 << 20 && array.floats().is_none());
        let columns = (0..columns).map(|position| Column::new(&position.to_string())).collect();
        sklearn::draft(&fitted.estimator, &ordinate_import::Facts { columns, ..facts.clone() }).unwrap_err().to_string()
    };
    let wide = message(with_zeros("linear_model._ridge\nRidge", "coef_", 1, 5 << 20), "coef_", 2);
    assert!(wide.starts_with("Ridge: coef_ is not what this class has"), "{wide}");
    let tall = message(with_zeros("linear_model._ridge\nRidge", "coef_", 50_000, 100), "coef_", 100);
    assert!(tall.starts_with("Ridge: the model would have too many columns"), "{tall}");
}

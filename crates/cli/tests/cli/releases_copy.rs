//! Copies of versions between catalogs, and the folders of catalogs.

use std::fs;

use rstest::rstest;

use crate::releases::models;
use crate::support::{complained, run, succeeded};

#[test]
fn a_version_is_copied_as_it_is_to_another_catalog() {
    let folder = models();
    let folder = folder.path();
    succeeded(&run(folder, "publish price.json staging/"));
    succeeded(&run(folder, "publish again.json staging/ --alias live"));
    for said in ["Copied price@2 to file://", "price@2 is in file://"] {
        let copied = run(folder, "copy price staging/ production/ --alias live");
        assert!(succeeded(&copied).starts_with(said), "{}", succeeded(&copied));
    }
    let bytes = |name: &str| fs::read(folder.join(name)).unwrap();
    assert_eq!(bytes("production/price/2.json"), bytes("staging/price/2.json"));
    // Another model has the number there.
    succeeded(&run(folder, "publish other.json fresh/"));
    let copied = run(folder, "copy price@1 staging/ fresh/");
    assert!(succeeded(&copied).contains("It is version 2 there"), "{}", succeeded(&copied));
    succeeded(&run(folder, "inspect fresh/price/2.json"));
}

#[rstest]
#[case("copy nosuch models/ new/catalog/")]
#[case("copy price@9 models/ new/catalog/")]
#[case("train nosuch.csv --target price --out new/catalog/")]
#[case("train price.csv --target nosuch --out new/catalog/")]
fn a_command_that_fails_leaves_no_empty_folder(#[case] arguments: &str) {
    let folder = models();
    let folder = folder.path();
    succeeded(&run(folder, "publish price.json models/"));
    complained(&run(folder, arguments));
    assert!(!folder.join("new").exists());
    fs::create_dir(folder.join("new")).unwrap();
    complained(&run(folder, arguments));
    assert_eq!(fs::read_dir(folder.join("new")).unwrap().count(), 0, "what was there stays, and nothing else");
}

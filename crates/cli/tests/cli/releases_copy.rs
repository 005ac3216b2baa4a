//! Copies of versions between catalogs, and the folders of catalogs.

use std::fs;
use std::path::Path;

use ordinate::source::s3::S3Settings;
use ordinate_model::identity::{ModelName, Version};
use ordinate_releases::ReleaseCatalog;
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
}

/// The names of the files of `price` in a catalog, sorted.
fn files(catalog: &Path) -> Vec<String> {
    let entries = fs::read_dir(catalog.join("price")).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
    names.retain(|name| name != "aliases");
    names.sort();
    names
}

#[test]
fn copying_again_changes_nothing_although_the_copy_has_another_number() {
    let folder = models();
    let folder = folder.path();
    succeeded(&run(folder, "publish price.json staging/"));
    let production = folder.join("production");
    // Another model has the number there.
    succeeded(&run(folder, "publish other.json production/"));
    let copied = run(folder, "copy price@1 staging/ production/");
    let said = succeeded(&copied);
    assert!(said.starts_with("Copied price@1 to file://"), "{said}");
    assert!(said.ends_with("It is version 2 there: 1 is another model.\n"), "{said}");
    succeeded(&run(folder, "inspect production/price/2.json"));
    // A later one, and a damaged one, do not hide it.
    succeeded(&run(folder, "publish again.json production/"));
    fs::write(production.join("price/4.json"), "{").unwrap();
    for alias in ["", " --alias live --force"] {
        let copied = run(folder, &format!("copy price@1 staging/ production/{alias}"));
        let said = succeeded(&copied);
        assert!(
            said.starts_with("price@1 is in file://") && said.contains("/production/price/2.json already."),
            "{said}"
        );
        assert!(said.contains("It is version 2 there: 1 is another model.\n"), "{said}");
    }
    assert_eq!(files(&production), ["1.json", "2.json", "3.json", "4.json"]);
}

#[test]
fn a_model_that_was_trained_at_another_time_is_the_same_model() {
    let folder = models();
    let folder = folder.path();
    succeeded(&run(folder, "publish price.json staging/"));
    let original = fs::read_to_string(folder.join("staging/price/1.json")).unwrap();
    let (before, after) = original.split_once("\"created\": \"").unwrap();
    let (_, after) = after.split_once('"').unwrap();
    fs::write(folder.join("later.json"), format!("{before}\"created\": \"2031-01-01T00:00:00Z\"{after}")).unwrap();
    succeeded(&run(folder, "publish later.json production/"));
    let production = folder.join("production");
    assert_ne!(fs::read_to_string(production.join("price/1.json")).unwrap(), original);
    // A later version that is the same model does not hide it.
    succeeded(&run(folder, "publish price.json production/"));
    for alias in ["", " --alias live"] {
        let copied = run(folder, &format!("copy price@1 staging/ production/{alias}"));
        let said = succeeded(&copied);
        assert!(said.contains("/production/price/1.json already.\n") && !said.contains("version 2"), "{said}");
        assert!(!said.contains("It is version"), "{said}");
    }
    assert_eq!(files(&production), ["1.json", "2.json"]);

    fs::write(production.join("price/1.json"), "{").unwrap();
    let copied = run(folder, "copy price@1 staging/ production/");
    let said = succeeded(&copied);
    assert!(said.ends_with("It is version 2 there: 1 is damaged.\n"), "{said}");
}

#[test]
fn a_copy_does_not_have_the_number_of_a_version_that_was_released_and_removed() {
    let folder = models();
    let folder = folder.path();
    succeeded(&run(folder, "publish price.json staging/"));
    let production = folder.join("production");
    for model in ["again", "price", "again"] {
        succeeded(&run(folder, &format!("publish {model}.json production/ --alias live")));
    }
    succeeded(&run(folder, "publish price.json production/ --alias live"));
    for version in [1, 2, 4] {
        fs::remove_file(production.join(format!("price/{version}.json"))).unwrap();
    }
    for said in ["Copied price@1 to file://", "price@1 is in file://"] {
        let copied = run(folder, "copy price@1 staging/ production/");
        let text = succeeded(&copied);
        assert!(text.starts_with(said), "{text}");
        assert!(
            text.ends_with("It is version 5 there: 1 was released there before, and its file is gone.\n"),
            "{text}"
        );
    }
    assert_eq!(files(&production), ["3.json", "5.json"]);
    // A number that was never released is free again.
    fs::remove_dir_all(&production).unwrap();
    succeeded(&run(folder, "publish again.json production/"));
    fs::remove_file(production.join("price/1.json")).unwrap();
    let copied = run(folder, "copy price@1 staging/ production/");
    assert!(succeeded(&copied).contains("/production/price/1.json\n"), "{}", succeeded(&copied));
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
    // A folder that cannot be made, in others that can.
    complained(&run(folder, &arguments.replace("new/", &format!("new/other/{}/", "a".repeat(300)))));
    assert!(!folder.join("new").exists());
    fs::create_dir(folder.join("new")).unwrap();
    complained(&run(folder, arguments));
    assert_eq!(fs::read_dir(folder.join("new")).unwrap().count(), 0, "what was there stays, and nothing else");
}

#[test]
fn a_copy_that_returns_is_the_original() {
    let folder = models();
    let folder = folder.path();
    succeeded(&run(folder, "publish price.json staging/"));
    succeeded(&run(folder, "publish other.json production/"));
    succeeded(&run(folder, "copy price@1 staging/ production/"));
    for _ in 0..2 {
        let back = run(folder, "copy price@2 production/ staging/");
        let said = succeeded(&back);
        assert!(said.starts_with("price@2 is in file://") && said.contains("/staging/price/1.json already."), "{said}");
        assert!(said.ends_with("It is version 1 there.\n"), "{said}");
    }
    assert_eq!(files(&folder.join("staging")), ["1.json"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_at_the_same_time_are_one_copy() {
    let folder = models();
    let folder = folder.path();
    succeeded(&run(folder, "publish price.json staging/"));
    succeeded(&run(folder, "publish other.json production/"));
    let place = |name: &str| format!("{}/{name}/", folder.display());
    let open = |name: &str| ReleaseCatalog::open(&place(name), S3Settings::default()).unwrap();
    let (name, version) = (ModelName::try_from("price".to_owned()).unwrap(), Version::first());
    let mut copies = Vec::new();
    for _ in 0..20 {
        let (catalog, original) = (open("production"), open("staging").load(&name, &version).await.unwrap());
        copies.push(tokio::spawn(async move { catalog.copy(original).await.unwrap().published }));
    }
    for copy in copies {
        assert_eq!(copy.await.unwrap().model.version(), "2");
    }
    assert_eq!(files(&folder.join("production")), ["1.json", "2.json"]);
}

#[cfg(unix)]
#[test]
fn a_copy_leaves_a_file_that_cannot_be_read_as_it_is() {
    let folder = models();
    let folder = folder.path();
    succeeded(&run(folder, "publish price.json staging/"));
    let file = folder.join("production/price/1.json");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink("nowhere", &file).unwrap();
    for said in ["Copied price@1 to file://", "price@1 is in file://"] {
        let copied = run(folder, "copy price@1 staging/ production/");
        let text = succeeded(&copied);
        assert!(text.starts_with(said) && text.ends_with("It is version 2 there: 1 is damaged.\n"), "{text}");
    }
    fs::remove_file(&file).unwrap();
    fs::File::create(&file).unwrap().set_len((64 << 20) + 1).unwrap();
    let copied = run(folder, "copy price@1 staging/ production/");
    assert!(succeeded(&copied).ends_with("It is version 2 there: 1 is damaged.\n"), "{}", succeeded(&copied));
}

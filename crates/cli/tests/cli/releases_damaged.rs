//! Damaged and missing files of a catalog: each is reported, and the remedy of each message works.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use ordinate_test_support::catalog_files::alias_file;
use rstest::rstest;

use crate::releases::{history, json, models};
use crate::support::{command, complained, complained_with_code, run, succeeded, text};

pub(crate) const ALIAS: &str = "models/price/aliases/live.json";

/// A catalog with the versions 1, 2 and so on of `price`; each was live, and the last one is.
pub(crate) fn released(folder: &Path, versions: usize) {
    for _ in 0..versions {
        succeeded(&run(folder, "publish price.json models/ --alias live"));
    }
}

/// Runs the command after `help: ` in a message.
pub(crate) fn follow(folder: &Path, message: &str) -> String {
    succeeded(&followed(folder, message)).to_owned()
}

/// The output of the command after `help: ` in a message.
pub(crate) fn followed(folder: &Path, message: &str) -> Output {
    let help = message.lines().find_map(|line| line.strip_prefix("help: ")).unwrap_or_else(|| panic!("{message}"));
    Command::new("sh").args(["-c", help]).current_dir(folder).output().unwrap()
}

/// Follows the advice about a damaged alias: the latest of these versions may be a draft, which no advice releases.
pub(crate) fn replace_as_advised(folder: &Path, message: &str, latest: u32) {
    let listed = followed(folder, message);
    assert!(text(&listed.stdout).contains(&format!("price  {latest}")), "{message}: {}", text(&listed.stdout));
    assert!(message.contains("`promote --force` replaces the file"), "{message}");
    let promoted = run(folder, &format!("promote price {latest} models/ --force"));
    assert_eq!(succeeded(&promoted), format!("price@live is version {latest}.\n"));
}

#[test]
fn damaged_files_are_listed_and_hide_no_other() {
    let folder = models();
    let folder = folder.path();
    released(folder, 3);
    fs::create_dir_all(folder.join("models/empty")).unwrap();
    let listed = run(folder, "models models/");
    assert!(succeeded(&listed).contains("price  3        live"), "{}", succeeded(&listed));
    let empty = "warning: empty: the folder has no version, so it is not a model\n";
    assert!(text(&listed.stderr).contains(empty), "{}", text(&listed.stderr));

    fs::write(folder.join("models/price/1.json"), "{").unwrap();
    fs::write(folder.join("models/price/aliases/next.json"), alias_file(77)).unwrap();
    fs::write(folder.join("models/price/aliases/shadow.json"), "{").unwrap();
    let listed = run(folder, "models models/");
    let warnings = complained_with_code(&listed, 1);
    assert!(warnings.contains("warning: price@next is version 77, which does not exist"), "{warnings}");
    assert!(warnings.contains("models/price/1.json: not a model file"), "{warnings}");
    let alias = "warning: price@shadow: file://";
    assert!(warnings.contains(alias) && warnings.contains("shadow.json: not an alias file"), "{warnings}");
    assert!(warnings.contains("models/: 3 files are damaged or missing"), "{warnings}");
    let rows: Vec<Vec<&str>> =
        text(&listed.stdout).lines().skip(1).map(|line| line.split_whitespace().take(4).collect()).collect();
    assert_eq!(rows[0], ["price", "shadow", "damaged"], "{rows:?}");
    assert_eq!(rows[1][..3], ["price", "3", "live"], "{rows:?}");
    assert_eq!(rows[2][..2], ["price", "2"], "{rows:?}");
    assert_eq!(rows[3], ["price", "1", "damaged"], "{rows:?}");

    succeeded(&run(folder, "publish line models/"));
    let line = run(folder, "models models/ line");
    assert!(!succeeded(&line).contains("price"), "{}", succeeded(&line));
    let one = run(folder, "models models/ price");
    assert!(complained(&one).contains("models/: 3 files are damaged or missing"), "{}", complained(&one));
    let unknown = run(folder, "models models/ prize");
    assert!(complained(&unknown).contains("did you mean \"price\""), "{}", complained(&unknown));

    let listed = run(folder, "models models/ --json");
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed["models"][1], serde_json::json!({"name": "price", "version": null, "aliases": ["shadow"]}));
    assert_eq!(listed["problems"].as_array().unwrap().len(), 4, "{listed}");
}

#[rstest]
#[case::damaged(Some("{"))]
#[case::missing(None)]
fn a_damaged_or_missing_live_version_is_replaced_with_force(#[case] content: Option<&str>) {
    let folder = models();
    let folder = folder.path();
    released(folder, 2);
    let file = folder.join("models/price/2.json");
    match content {
        Some(content) => fs::write(&file, content).unwrap(),
        None => fs::remove_file(&file).unwrap(),
    }
    for arguments in ["promote price 1 models/", "publish price.json models/ --alias live"] {
        let refused = run(folder, arguments);
        let message = complained(&refused);
        let expected =
            "requests for price@live (version 2), which cannot be compared with the new version, could break: ";
        assert!(message.contains(expected), "{message}");
        assert!(message.contains("\nhelp: --force changes the alias without a comparison"), "{message}");
        assert!(!folder.join("models/price/3.json").exists(), "nothing is published");
        // The remedy of the message.
        succeeded(&run(folder, &format!("{arguments} --force")));
        fs::write(folder.join(ALIAS), alias_file(2)).unwrap();
    }
    assert!(folder.join("models/price/3.json").exists(), "the number of a missing version is not used again");
}

#[rstest]
#[case::cut("{", "EOF while parsing")]
#[case::no_object("[]", "invalid length 0, expected an object at")]
#[case::no_release(r#"{"version": "1", "history": [1]}"#, "invalid type: integer `1`, expected an object at")]
#[case::without_history(
    r#"{"version": "1", "history": []}"#,
    "the history is empty; expected the release of version 1"
)]
#[case::other_history(
    r#"{"version": "1", "history": [{"version": "1", "at": ""}, {"version": "2", "at": ""}]}"#,
    "the version is 1, but the last release in the history is version 2"
)]
fn a_damaged_alias_is_replaced_with_force_and_without_its_history(#[case] content: &str, #[case] problem: &str) {
    let folder = models();
    let folder = folder.path();
    released(folder, 2);
    fs::write(folder.join(ALIAS), content).unwrap();
    let (releases, others) = (
        ["publish price.json models/ --alias live", "promote price 2 models/"],
        ["rollback price models/", "history price models/", "copy price models/ new/"],
    );
    for arguments in releases {
        let refused = run(folder, arguments);
        let message = complained(&refused);
        assert!(message.contains("aliases/live.json: not an alias file") && message.contains(problem), "{message}");
        assert!(message.ends_with("\nhelp: --force replaces the file of the alias; the history in it is lost\n"));
    }
    for arguments in others {
        let refused = run(folder, arguments);
        let message = complained(&refused);
        assert!(message.contains("aliases/live.json: not an alias file") && message.contains(problem), "{message}");
        // The remedy of the message.
        replace_as_advised(folder, message, 2);
        assert_eq!(history(folder), ["2"]);
        fs::write(folder.join(ALIAS), content).unwrap();
    }
    let listed = run(folder, "models models/");
    assert!(complained(&listed).contains(problem), "{}", complained(&listed));
    assert!(!folder.join("models/price/3.json").exists(), "nothing is published");
    // The remedy of the message.
    assert_eq!(succeeded(&run(folder, "promote price 2 models/ --force")), "price@live is version 2.\n");
    assert_eq!(history(folder), ["2"]);
}

#[test]
fn a_draft_that_was_never_live_binds_no_first_release() {
    let folder = models();
    succeeded(&run(folder.path(), "publish price.json models/"));
    succeeded(&run(folder.path(), "publish other.json models/ --alias live"));
}

#[test]
fn a_shadow_is_compared_with_the_live_version() {
    let folder = models();
    let folder = folder.path();
    succeeded(&run(folder, "publish price.json models/ --alias shadow"));
    succeeded(&run(folder, "publish other.json models/ --alias live --force"));
    // The shadow before had the features of price.json.
    succeeded(&run(folder, "publish other.json models/ --alias shadow"));
    let refused = run(folder, "publish price.json models/ --alias shadow");
    let message = complained(&refused);
    assert!(
        message.contains("requests for price@live (version 2) would break:\n- feature \"rooms\" is new"),
        "{message}"
    );
    succeeded(&run(folder, "publish price.json models/ --alias shadow --force"));
}

#[test]
fn the_history_has_a_name_without_variables_for_it() {
    let folder = models();
    let folder = folder.path();
    let mut publish = command(folder, "publish price.json models/ --alias live");
    succeeded(&publish.env_remove("USER").env_remove("LOGNAME").output().unwrap());
    let history = json(&run(folder, "history price models/ --json"));
    let user = Command::new("id").arg("-un").output().unwrap();
    assert_eq!(history["releases"][0]["by"], text(&user.stdout).trim());
}

#[test]
fn a_file_of_another_model_or_version_is_damaged() {
    let folder = models();
    let folder = folder.path();
    released(folder, 3);
    succeeded(&run(folder, "publish line models/ --alias live"));
    let file = |path: &str| folder.join("models").join(path);
    fs::copy(file("price/1.json"), file("price/5.json")).unwrap();
    fs::copy(file("line/1.json"), file("price/6.json")).unwrap();
    let commands =
        ["promote price 5 models/ --force", "promote price 6 models/ --force", "copy price@5 models/ other/"];
    for (arguments, found) in commands.into_iter().zip(["price@1", "line@1", "price@1"]) {
        let refused = run(folder, arguments);
        let message = complained(&refused);
        let expected = format!("the model in it is {found}: its name or version is not that of its path");
        assert!(message.contains(&expected), "{message}");
    }
    assert_eq!(history(folder), ["3", "2", "1"]);
    assert_eq!(json(&run(folder, "history line models/ --json"))["releases"].as_array().unwrap().len(), 1);
    let listed = run(folder, "models models/");
    let warnings = complained_with_code(&listed, 1);
    assert!(warnings.contains("models/: 2 files are damaged or missing"), "{warnings}");

    fs::copy(file("price/3.json"), file("price/2.json")).unwrap();
    let refused = run(folder, "rollback price models/");
    let message = complained(&refused);
    assert!(message.contains("price@live was version 2 before, which cannot be released again: file://"), "{message}");
    assert_eq!(follow(folder, message), "price@live is version 1; it was 3.\n");
}

#[test]
fn what_is_in_the_place_of_files_is_listed_as_damaged() {
    let folder = models();
    let folder = folder.path();
    released(folder, 1);
    succeeded(&run(folder, "publish price.json models/ --alias shadow"));
    succeeded(&run(folder, "unalias price shadow models/"));
    let file = |path: &str| folder.join("models/price").join(path);
    succeeded(&run(folder, "models models/"));
    fs::write(file("removed/shadow.json"), "{").unwrap();
    fs::create_dir(file("3.json")).unwrap();
    fs::create_dir(file("aliases/next.json")).unwrap();
    fs::write(file(".ordinate-abc.tmp"), "{").unwrap();
    let listed = run(folder, "models models/");
    let warnings = complained_with_code(&listed, 1);
    assert!(warnings.contains("warning: price: file://"), "{warnings}");
    assert!(warnings.contains("removed/shadow.json: not an alias file"), "{warnings}");
    assert!(warnings.contains("price/3.json: cannot be read: is a directory"), "{warnings}");
    assert!(warnings.contains("aliases/next.json: cannot be read: is a directory"), "{warnings}");
    assert!(warnings.contains("models/: 3 files are damaged or missing"), "{warnings}");
    // A number whose file is a folder is not used.
    assert!(succeeded(&run(folder, "publish price.json models/")).contains("price@4"));

    // A list that cannot be read is named, and hides no version.
    fs::remove_dir_all(file("removed")).unwrap();
    fs::write(file("removed"), "").unwrap();
    let listed = run(folder, "models models/");
    let warnings = complained_with_code(&listed, 1);
    assert!(warnings.contains("models/price/removed/: cannot be read: Not a directory"), "{warnings}");
    assert!(text(&listed.stdout).contains("price  4 "), "{}", text(&listed.stdout));
}

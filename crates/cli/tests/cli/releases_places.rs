//! Locations of catalogs: with and without a slash at their end, and in folders whose names shells or URIs change.

use std::fs;
use std::path::Path;
use std::process::Command;

use rstest::rstest;

use crate::releases::models;
use crate::releases_damaged::{follow, followed, released};
use crate::serve::Served;
use crate::support::{command, complained, run, succeeded, text};

#[test]
fn a_folder_that_exists_is_a_catalog_without_a_slash_everywhere() {
    let folder = models();
    let folder = folder.path();
    released(folder, 1);
    let train = "train price.csv --target price --name price --test-fraction 0 --out models";
    for (arguments, expected) in [
        ("publish price.json models", "Published price@2 to file://"),
        (train, "price@3: price from 2 features"),
        ("promote price 2 models", "price@live is version 2; it was 1."),
        ("rollback price models", "price@live is version 1; it was 2."),
        ("history price models", "price@live\n"),
        ("models models price", "  name   version"),
        ("copy price@1 models other/", "Copied price@1 to file://"),
        ("copy price@1 models other", "price@1 is in file://"),
        ("unalias price live models --force", "Removed price@live; it was version 1."),
    ] {
        let output = run(folder, arguments);
        assert!(succeeded(&output).starts_with(expected), "{arguments}: {}", succeeded(&output));
    }
    assert_eq!(fs::read_dir(folder.join("models/price")).unwrap().count(), 5);
    succeeded(&run(folder, "promote price 1 models"));
    let uri = format!("{}/models", folder.display());
    let served = Served::start(&[("MODEL_URI", &uri)]);
    let mut models = ureq::get(format!("{}/models/price/versions", served.base)).call().unwrap();
    assert!(models.body_mut().read_to_string().unwrap().contains(r#""versions":["1","2","3"]"#));
}

#[rstest]
#[case("publish price.json new", "\"new\"", "new/")]
#[case("copy price models/ new", "\"new\"", "new/")]
#[case("models s3://bucket/new", "\"s3://bucket/new\"", "s3://bucket/new/")]
#[case("train price.csv --target price --out s3://bucket/new", "\"s3://bucket/new\"", "s3://bucket/new/")]
fn another_location_needs_a_slash(#[case] arguments: &str, #[case] got: &str, #[case] help: &str) {
    let folder = models();
    released(folder.path(), 1);
    let output = run(folder.path(), arguments);
    let message = complained(&output);
    assert!(message.contains(&format!("{got} is not a catalog\nhelp: the path of a catalog ends")), "{message}");
    assert!(message.ends_with(&format!("unless it is a folder that exists: {help}\n")), "{message}");
}

#[test]
fn the_folder_of_a_model_is_explained() {
    let folder = models();
    let folder = folder.path();
    released(folder, 2);
    for place in ["models/price", "models/price/"] {
        let refused = run(folder, &format!("publish {place} models/"));
        let message = complained(&refused);
        let expected = "help: it has the versions of a model; name one of them, such as models/price@2\n";
        assert!(message.ends_with(expected), "{message}");
    }
    succeeded(&run(folder, "publish models/price@2 models/"));
}

#[cfg(unix)]
#[rstest]
#[case("a%20b")]
#[case("it's (100%) #1? $HOME \"x\"")]
#[case("-f")]
fn advised_commands_work_in_folders_of_any_name(#[case] name: &str) {
    let folder = models();
    let folder = folder.path();
    let place = format!("{}/{name}/", folder.display());
    let ordinate = |arguments: &[&str]| command(folder, "").args(arguments).output().unwrap();
    for _ in 0..3 {
        succeeded(&ordinate(&["publish", "price.json", &place, "--alias", "live"]));
    }
    let published = ordinate(&["publish", "price.json", &place]);
    let location = succeeded(&published).lines().next().unwrap().split_once(" to ").unwrap().1.to_owned();
    succeeded(&ordinate(&["inspect", &location]));
    let second = Path::new(&place).join("price/2.json");
    let content = fs::read(&second).unwrap();
    fs::write(&second, "{").unwrap();
    let refused = ordinate(&["rollback", "price", &place]);
    assert_eq!(follow(folder, complained(&refused)), "price@live is version 1; it was 3.\n");
    fs::write(&second, content).unwrap();
    let refused = ordinate(&["rollback", "price", &place]);
    assert!(follow(folder, complained(&refused)).contains("price  4"), "{}", complained(&refused));
    fs::write(Path::new(&place).join("price/aliases/live.json"), "{").unwrap();
    let refused = ordinate(&["history", "price", &place]);
    let listed = followed(folder, complained(&refused));
    assert!(text(&listed.stdout).contains("price  4"), "{}", complained(&refused));
    succeeded(&ordinate(&["promote", "price", "4", &place, "--force"]));
    // A folder is not a model.
    let refused = ordinate(&["serve", &place, "--port", "0"]);
    let message = complained(&refused);
    let model = message.split_once("such as ").unwrap().1.split_once(", or serve").unwrap().0;
    let inspect = format!("{} inspect {model}", env!("CARGO_BIN_EXE_ordinate"));
    succeeded(&Command::new("sh").args(["-c", &inspect]).current_dir(folder).output().unwrap());
}

#[test]
fn names_with_two_dots_are_refused_everywhere() {
    let folder = models();
    let folder = folder.path();
    released(folder, 1);
    let rule = "without two dots in a row, got \"a..b\"";
    for arguments in ["train price.csv --target price --name a..b --out models/", "promote a..b 1 models/"] {
        let refused = run(folder, arguments);
        let message = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && message.contains(rule), "{message}");
    }
    let file = fs::read_to_string(folder.join("price.json")).unwrap();
    fs::write(folder.join("bad.json"), file.replacen("\"price\"", "\"a..b\"", 1)).unwrap();
    for arguments in ["publish bad.json models/", "copy a..b models/ other/", "promote price 1 models/ --alias a..b"] {
        let refused = run(folder, arguments);
        let message = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && message.contains(rule), "{message}");
    }
    // A file name becomes a valid name.
    fs::copy(folder.join("price.csv"), folder.join("a..b.csv")).unwrap();
    let trained = run(folder, "train a..b.csv --target price --test-fraction 0 --out models/");
    assert!(succeeded(&trained).starts_with("a.b@1: "), "{}", succeeded(&trained));
}

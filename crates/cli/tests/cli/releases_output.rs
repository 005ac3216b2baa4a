//! Releases whose messages cannot be printed, and the name of the person in the history.

use std::fs::{self, File};

use crate::releases::{history, json, models};
use crate::support::{command, complained, run, succeeded, text};

#[cfg(target_os = "linux")]
#[test]
fn a_release_that_cannot_be_printed_has_succeeded() {
    let folder = models();
    let folder = folder.path();
    let run_full = |arguments: &str| command(folder, arguments).stdout(File::create("/dev/full").unwrap()).output();
    for (arguments, expected) in [
        ("publish price.json models/ --alias live", "price@live is version 1."),
        ("publish again.json models/", "Published price@2 to file://"),
        ("promote price 2 models/", "price@live is version 2; it was 1."),
        ("rollback price models/", "price@live is version 1; it was 2."),
        ("copy price@1 models/ other/ --alias live", "Copied price@1 to file://"),
        ("unalias price live models/ --force", "Removed price@live; it was version 1."),
    ] {
        let output = run_full(arguments).unwrap();
        succeeded(&output);
        let warning = "warning: cannot write to standard output: No space left on device (os error 28); the command \
                       has succeeded:\n";
        let rest = text(&output.stderr).strip_prefix(warning).unwrap_or_else(|| panic!("{output:?}"));
        assert!(rest.contains(expected), "{arguments}: {rest}");
    }
    assert_eq!(history(folder), ["1", "2", "1"]);

    // Training has results, which are lost: that is a failure, after which the model is in the catalog.
    let train = "train price.csv --target price --name price --test-fraction 0 --out models/ --card card.md";
    let output = run_full(train).unwrap();
    let message = complained(&output);
    assert!(message.contains("error: cannot write to standard output: No space left on device"), "{message}");
    let saved = message.split_once("\nnote: saved file://").unwrap_or_else(|| panic!("{message}")).1;
    assert!(saved.ends_with("models/price/3.json, card.md\n"), "{message}");
}

#[test]
fn a_long_name_of_the_user_is_cut_and_a_long_option_is_not() {
    let folder = models();
    let folder = folder.path();
    let user = "é".repeat(150);
    let mut publish = command(folder, "publish price.json models/ --alias live");
    succeeded(&publish.env("USER", &user).output().unwrap());
    let history = json(&run(folder, "history price models/ --json"));
    assert_eq!(history["releases"][0]["by"], format!("{}…", "é".repeat(98)));
    let refused = run(folder, &format!("publish price.json models/ --alias live --by {user}"));
    assert!(complained(&refused).contains("--by: expected at most 200 bytes, got 300"), "{}", complained(&refused));
    assert!(!fs::exists(folder.join("models/price/2.json")).unwrap());
}

//! Which version a rollback returns to.

use std::fs;
use std::path::Path;

use crate::releases::{history, json, models};
use crate::releases_damaged::{follow, released};
use crate::support::{command, complained, run, succeeded};

/// The versions that `price@live` has after rollbacks, until there is no version before.
fn rolled_back(folder: &Path) -> Vec<String> {
    let mut versions = Vec::new();
    loop {
        let output = run(folder, "rollback price models/");
        if !output.status.success() {
            let message = complained(&output);
            assert!(message.contains("that was not rolled back or withdrawn. Any other version"), "{message}");
            return versions;
        }
        versions.push(history(folder).remove(0));
    }
}

#[test]
fn a_version_that_was_rolled_back_is_not_live_again_by_a_rollback() {
    let folder = models();
    let folder = folder.path();
    released(folder, 3);
    for version in [2, 3, 1, 3] {
        succeeded(&run(folder, &format!("promote price {version} models/")));
    }
    // Live were 1, 2, 3, 2, 3, 1, 3.
    assert_eq!(rolled_back(folder), ["1", "2"]);
    // A release after rollbacks can be rolled back, too.
    succeeded(&run(folder, "promote price 3 models/"));
    assert_eq!(rolled_back(folder), ["2"], "version 1 was rolled back");
}

#[test]
fn a_rollback_goes_to_a_version_that_was_live_before() {
    let folder = models();
    let folder = folder.path();
    released(folder, 5);
    succeeded(&run(folder, "publish price.json models/"));
    let back = run(folder, "rollback price models/ --to 3 --message slow");
    assert_eq!(succeeded(&back), "price@live is version 3; it was 5.\n");
    assert_eq!(succeeded(&run(folder, "rollback price models/ --to 3")), "price@live was version 3 already.\n");
    for (version, what) in [(4, "rolled back"), (6, "never live"), (9, "unknown")] {
        let refused = run(folder, &format!("rollback price models/ --to {version}"));
        let message = complained(&refused);
        if what == "unknown" {
            assert!(message.contains("has no version \"9\"; the versions are 1, 2, 3, 4, 5, 6\nhelp: "), "{message}");
            assert!(follow(folder, message).starts_with("price@live\n"));
            continue;
        }
        let rule = "before, or this version was rolled back or withdrawn\nhelp: ";
        assert!(message.contains(&format!("price@live was not version {version} {rule}")), "{what}: {message}");
        // The remedy of the message.
        assert_eq!(follow(folder, message), format!("price@live is version {version}; it was 3.\n"));
        succeeded(&run(folder, "rollback price models/"));
    }
    assert_eq!(rolled_back(folder), ["2", "1"]);
    // The remedy of the message.
    let last = run(folder, "rollback price models/");
    assert!(follow(folder, complained(&last)).contains("price  1        live"), "{}", complained(&last));
    let table = run(folder, "history price models/");
    assert!(succeeded(&table).contains("rollback of 5: slow"), "{}", succeeded(&table));
}

#[test]
fn a_rollback_to_a_damaged_version_offers_the_last_good_one() {
    let folder = models();
    let folder = folder.path();
    released(folder, 5);
    fs::write(folder.join("models/price/4.json"), "{").unwrap();
    fs::remove_file(folder.join("models/price/3.json")).unwrap();
    let refused = run(folder, "rollback price models/");
    let message = complained(&refused);
    assert!(message.contains("price@live was version 4 before, which cannot be released again: file://"), "{message}");
    assert!(message.contains("models/price/4.json: not a model file"), "{message}");
    let refused = run(folder, "rollback price models/ --to 4");
    assert!(complained(&refused).contains("models/price/4.json: not a model file"), "{}", complained(&refused));
    assert!(complained(&refused).ends_with("--to 2\n"), "{}", complained(&refused));
    assert_eq!(follow(folder, message), "price@live is version 2; it was 5.\n");
    // A version after it is the only one that is left.
    fs::rename(folder.join("models/price/1.json"), folder.join("kept.json")).unwrap();
    succeeded(&run(folder, "promote price 5 models/"));
    let refused = run(folder, "rollback price models/ --to 1");
    assert!(complained(&refused).contains("was version 1 before, which cannot"), "{}", complained(&refused));
    assert_eq!(follow(folder, complained(&refused)), "price@live is version 2; it was 5.\n");
    fs::rename(folder.join("kept.json"), folder.join("models/price/1.json")).unwrap();
    // The advice was a rollback, too: the next one does not return to version 5.
    assert_eq!(rolled_back(folder), ["1"]);
    // A version that was not live and is damaged.
    fs::write(folder.join("models/price/9.json"), "{").unwrap();
    let refused = run(folder, "rollback price models/ --to 9");
    assert!(complained(&refused).contains("models/price/9.json: not a model file"), "{}", complained(&refused));
    assert!(follow(folder, complained(&refused)).starts_with("price@live\n"));
    fs::remove_file(folder.join("models/price/9.json")).unwrap();

    released(folder, 1);
    for version in [1, 2] {
        fs::write(folder.join(format!("models/price/{version}.json")), "{").unwrap();
    }
    let refused = run(folder, "rollback price models/");
    let message = complained(&refused);
    assert!(message.contains("help: no version before it is valid; publish one with --alias live\n"), "{message}");
    succeeded(&run(folder, "publish price.json models/ --alias live"));
}

#[test]
fn a_rollback_goes_past_a_version_that_cannot_be_read() {
    let folder = models();
    let folder = folder.path();
    released(folder, 3);
    let file = folder.join("models/price/2.json");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    let refused = run(folder, "rollback price models/");
    let message = complained(&refused);
    assert!(message.contains("price@live was version 2 before, which cannot be released again: file://"), "{message}");
    assert!(message.contains("models/price/2.json: cannot be read: is a directory\nhelp: "), "{message}");
    assert_eq!(follow(folder, message), "price@live is version 1; it was 3.\n");
}

#[test]
fn a_rollback_does_not_return_to_a_version_that_was_withdrawn() {
    let folder = models();
    let folder = folder.path();
    released(folder, 2);
    succeeded(&run(folder, "unalias price live models/ --force --message data"));
    succeeded(&run(folder, "publish price.json models/ --alias live"));
    let refused = run(folder, "rollback price models/ --to 2");
    let message = complained(&refused);
    assert!(message.contains("was not version 2 before, or this version was rolled back or withdrawn"), "{message}");
    assert_eq!(rolled_back(folder), ["1"], "2 was withdrawn");

    // A version that is promoted again is released again.
    succeeded(&run(folder, "promote price 2 models/"));
    succeeded(&run(folder, "promote price 3 models/"));
    assert_eq!(rolled_back(folder), ["2", "1"]);

    // Nothing was live before.
    succeeded(&run(folder, "unalias price live models/ --force"));
    succeeded(&run(folder, "promote price 3 models/"));
    assert_eq!(rolled_back(folder), [""; 0]);
}

#[test]
fn advised_commands_keep_the_reason_and_the_name_that_were_given() {
    let folder = models();
    let folder = folder.path();
    released(folder, 3);
    fs::write(folder.join("models/price/2.json"), "{").unwrap();
    let (by, message) = ("-ann", "it's too slow");
    let rollback = |options: &[&str]| {
        let mut rollback = command(folder, "rollback price models/");
        rollback.args([&format!("--by={by}"), "--message", message]).args(options).output().unwrap()
    };
    let refused = rollback(&[]);
    assert_eq!(follow(folder, complained(&refused)), "price@live is version 1; it was 3.\n");
    let latest = || json(&run(folder, "history price models/ --json"))["releases"][0].clone();
    assert_eq!((&latest()["by"], &latest()["message"]), (&by.into(), &message.into()));

    // A promotion that is advised, too.
    let refused = rollback(&["--to", "3"]);
    assert_eq!(follow(folder, complained(&refused)), "price@live is version 3; it was 1.\n");
    assert_eq!((&latest()["by"], &latest()["message"]), (&by.into(), &message.into()));
}

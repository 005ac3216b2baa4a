//! Aliases that were removed: what the next version is compared with, and their history.

use std::fs;

use serde_json::Value;

use crate::releases::{history, json, models};
use crate::releases_damaged::{ALIAS, released};
use crate::support::{complained, run, succeeded};

#[test]
fn an_alias_is_removed_and_its_callers_are_protected_all_the_same() {
    let folder = models();
    let folder = folder.path();
    released(folder, 1);
    succeeded(&run(folder, "publish again.json models/ --alias shadow"));
    assert_eq!(succeeded(&run(folder, "unalias price shadow models/")), "Removed price@shadow; it was version 2.\n");
    let unknown = run(folder, "unalias price shadow models/");
    assert!(complained(&unknown).contains("has no alias \"shadow\""), "{}", complained(&unknown));
    let refused = run(folder, "unalias price live models/");
    let message = complained(&refused);
    assert!(message.contains("requests that name no version of it would fail\nhelp: --force removes it"), "{message}");
    assert_eq!(
        succeeded(&run(folder, "unalias price live models/ --force")),
        "Removed price@live; it was version 1.\n"
    );

    // Other features, without an alias to compare with.
    let publish = "publish other.json models/";
    let publish_live = format!("{publish} --alias live");
    for arguments in [&publish_live, publish, "promote price 3 models/", &publish_live] {
        let output = run(folder, arguments);
        if arguments == publish {
            succeeded(&output);
            continue;
        }
        let message = complained(&output);
        assert!(message.contains("requests for price@live (version 1 until it was removed) would break"), "{message}");
        assert!(message.contains("feature \"floor\" is new") && message.contains("help: --force"), "{message}");
    }
    succeeded(&run(folder, "promote price 2 models/"));
    assert_eq!(history(folder), ["2", "1"]);
    fs::write(folder.join(ALIAS), "{").unwrap();
    assert_eq!(succeeded(&run(folder, "unalias price live models/ --force")), "Removed price@live.\n");
    assert!(complained(&run(folder, "promote price 3 models/")).contains("removed/live.json: not an alias file"));
    succeeded(&run(folder, "promote price 3 models/ --force"));
}

#[test]
fn the_history_has_the_time_without_the_alias() {
    let folder = models();
    let folder = folder.path();
    released(folder, 2);
    succeeded(&run(folder, "unalias price live models/ --force --by ann --message bias"));
    let table = run(folder, "history price models/");
    let table = succeeded(&table);
    assert!(table.starts_with("price@live (removed)\n") && !table.contains("now"), "{table}");
    assert!(table.contains("removed by ann: bias"), "{table}");
    let removed = |release: usize| -> Value {
        let history = json(&run(folder, "history price models/ --json"));
        history["releases"][release].clone()
    };
    let last = removed(0);
    assert_eq!((&last["version"], &last["removed"]["by"]), (&"2".into(), &"ann".into()), "{last}");
    assert_eq!(last["to"], last["removed"]["at"], "{last}");

    // The next release neither hides nor prolongs it.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    succeeded(&run(folder, "promote price 1 models/"));
    assert_eq!(removed(1), last);
    assert!(removed(0)["from"].as_str() > last["to"].as_str() && removed(0)["to"].is_null(), "{}", removed(0));
    assert_eq!(history(folder), ["1", "2", "1"]);
    assert!(succeeded(&run(folder, "history price models/")).starts_with("price@live\n"));
    assert_eq!(succeeded(&run(folder, "rollback price models/")), "price@live is version 2; it was 1.\n");
    let never = run(folder, "history price models/ --alias shadow");
    assert!(complained(&never).contains("has no alias \"shadow\""), "{}", complained(&never));
}

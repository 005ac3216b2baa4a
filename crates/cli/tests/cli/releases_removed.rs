//! Aliases that were removed: what the next version is compared with, and their history.

use std::fs;

use ordinate_test_support::proxy::{Fault, Proxy};
use ordinate_test_support::s3_server::{BUCKET, S3Server};
use rstest::rstest;
use serde_json::Value;

use crate::releases::{administrator, history, json, make_bucket, models};
use crate::releases_damaged::{ALIAS, released, replace_as_advised};
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
    let unknown = run(folder, "unalias nope live models/");
    let message = complained(&unknown);
    assert!(message.contains("there is no model \"nope\"; the only model is \"price\"\n"), "{message}");
    let refused = run(folder, "unalias price live models/");
    let message = complained(&refused);
    assert!(message.contains("requests that name no version of it would fail, and servers whose"), "{message}");
    assert!(message.contains("would not be ready (/health/ready)\nhelp: --force removes it"), "{message}");
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
    succeeded(&run(folder, "unalias price live models/ --force"));
    fs::write(folder.join("models/price/removed/live.json"), "{").unwrap();
    assert!(complained(&run(folder, "promote price 3 models/")).contains("removed/live.json: not an alias file"));
    succeeded(&run(folder, "promote price 3 models/ --force"));
}

#[test]
fn a_damaged_alias_is_replaced_before_it_is_removed() {
    let folder = models();
    let folder = folder.path();
    released(folder, 2);
    let unalias = "unalias price live models/ --force";
    succeeded(&run(folder, unalias));
    succeeded(&run(folder, "promote price 1 models/"));
    let record = || fs::read_to_string(folder.join("models/price/removed/live.json")).unwrap();
    let earlier = record();
    fs::write(folder.join(ALIAS), "{").unwrap();
    let refused = run(folder, unalias);
    let message = complained(&refused);
    assert!(message.contains("aliases/live.json: not an alias file: EOF"), "{message}");
    assert_eq!(record(), earlier);
    // The remedy of the message.
    replace_as_advised(folder, message, 2);
    assert_eq!(succeeded(&run(folder, unalias)), "Removed price@live; it was version 2.\n");
    // The history until the removal before is in the record of that removal.
    assert_eq!(history(folder), ["2", "2", "1"]);
    assert_eq!(record().matches("removed").count(), 2, "{}", record());
}

/// A removal that fails, since the file of the alias must not be deleted.
#[rstest]
#[case::without_an_earlier_record("first", "/aliases/", &["history price"])]
#[case::where_nothing_is_deleted("nothing", "/price/", &["history price"])]
#[case::with_an_earlier_record("earlier", "/price/", &["unalias price live --force", "promote price 1"])]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removal_that_failed_leaves_no_record(
    #[case] test: &str,
    #[case] denied: &'static str,
    #[case] before: &[&str],
) {
    make_bucket().await;
    let folder = models();
    let folder = folder.path();
    let catalog = format!("s3://models/releases/kept-{test}/");
    let run = |arguments: &str| administrator(folder, &format!("{arguments} {catalog}")).output().unwrap();
    succeeded(&run("publish price.json --alias live"));
    for arguments in before {
        succeeded(&run(arguments));
    }
    let releases = || json(&run("history price --json"))["releases"].clone();
    let earlier = releases();
    let proxy = Proxy::start_with(S3Server::shared().address(), move |request| match request.method.as_str() {
        "DELETE" if request.target.contains(denied) => Fault::Respond(403, "AccessDenied"),
        _ => Fault::None,
    });
    let proxy = proxy.await;
    let mut unalias = administrator(folder, &format!("unalias price live --force {catalog}"));
    unalias.env("AWS_ENDPOINT_URL_S3", format!("http://{}", proxy.address()));
    let refused = tokio::task::spawn_blocking(move || unalias.output().unwrap()).await.unwrap();
    assert!(complained(&refused).contains("access denied"), "{}", complained(&refused));
    assert_eq!(releases(), earlier);

    // The alias is lost: its last release was not removed.
    let key = format!("releases/kept-{test}/price/aliases/live.json");
    S3Server::shared().delete(BUCKET, &key).await;
    let lost = run("history price --json");
    if test == "first" {
        assert!(complained(&lost).contains("has no alias \"live\""), "{}", complained(&lost));
    } else {
        let removals = |releases: &Value| {
            releases.as_array().unwrap().iter().filter(|release| !release["removed"].is_null()).count()
        };
        assert_eq!(removals(&json(&lost)["releases"]), removals(&earlier), "{}", json(&lost));
    }
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
    let back = run(folder, "rollback price models/");
    assert!(complained(&back).contains("no version before it"), "2 was withdrawn: {}", complained(&back));
    let never = run(folder, "history price models/ --alias shadow");
    assert!(complained(&never).contains("has no alias \"shadow\""), "{}", complained(&never));
}

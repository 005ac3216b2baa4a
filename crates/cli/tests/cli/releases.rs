//! Publishing models to a catalog, and changing what is live: `publish`, `promote`, `rollback`, `history`, `models`,
//! `diff` and `copy`, with folders and with an S3 server.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};

use ordinate_test_support::proxy::{Fault, Proxy};
use ordinate_test_support::s3_server::{BUCKET, S3Server};
use rstest::rstest;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::serve::Served;
use crate::support::{command, complained, complained_with_code, run, succeeded, text};

/// A folder with the models `price` of three kinds: as it is, retrained, and with another feature.
pub(crate) fn models() -> TempDir {
    let folder = tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("price.csv"), "area,rooms,price\n1,1,3\n2,1,5\n3,2,7\n4,3,10\n5,3,11\n6,1,14\n").unwrap();
    fs::write(path.join("again.csv"), "area,rooms,price\n1,1,3\n2,1,5\n3,2,7\n4,3,10\n5,3,11\n6,1,20\n").unwrap();
    fs::write(path.join("other.csv"), "area,floor,price\n1,1,3\n2,1,5\n3,2,7\n4,3,10\n5,3,11\n6,1,14\n").unwrap();
    for name in ["price", "again", "other"] {
        let arguments = format!("train {name}.csv --target price --name price --test-fraction 0 --out {name}.json");
        succeeded(&run(path, &arguments));
    }
    folder
}

pub(crate) fn json(output: &Output) -> Value {
    serde_json::from_str(succeeded(output)).unwrap()
}

/// The versions of `price` that were live, the latest first.
pub(crate) fn history(folder: &Path) -> Vec<String> {
    let history = json(&run(folder, "history price models/ --json"));
    let releases = history["releases"].as_array().unwrap();
    releases.iter().map(|release| release["version"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_model_is_published_promoted_and_rolled_back() {
    let folder = models();
    let folder = folder.path();
    let said = run(folder, "publish price.json models/ --alias live --by ann --message first");
    let said = succeeded(&said);
    assert!(said.starts_with("Published price@1 to file://") && said.contains("/models/price/1.json\n"), "{said}");
    assert!(said.ends_with("price@live is version 1.\n"), "{said}");
    succeeded(&run(folder, "publish again.json models/ --alias live --by ben"));
    succeeded(&run(folder, "publish price.json models/"));
    assert_eq!(succeeded(&run(folder, "promote price 3 models/ --by cem")), "price@live is version 3; it was 2.\n");
    assert_eq!(succeeded(&run(folder, "promote price 3 models/")), "price@live was version 3 already.\n");
    assert_eq!(succeeded(&run(folder, "rollback price models/")), "price@live is version 2; it was 3.\n");
    assert_eq!(succeeded(&run(folder, "rollback price models/")), "price@live is version 1; it was 2.\n");
    let message = run(folder, "rollback price models/");
    assert!(complained(&message).contains("there is no version before it"), "{}", complained(&message));
    assert_eq!(history(folder), ["1", "2", "3", "2", "1"]);
    // A version that is promoted after a rollback is a new step.
    succeeded(&run(folder, "promote price 3 models/"));
    assert_eq!(succeeded(&run(folder, "rollback price models/")), "price@live is version 1; it was 3.\n");

    let table = run(folder, "history price models/");
    let table = succeeded(&table);
    assert!(table.contains("ann") && table.contains("first") && table.contains("rollback of 3"), "{table}");
    let listed = json(&run(folder, "models models/ --json"));
    let listed: Vec<(&str, usize)> = listed["models"]
        .as_array()
        .unwrap()
        .iter()
        .map(|model| (model["version"].as_str().unwrap(), model["aliases"].as_array().unwrap().len()))
        .collect();
    assert_eq!(listed, [("3", 0), ("2", 0), ("1", 1)]);
}

#[test]
fn a_published_file_has_its_version_and_is_otherwise_the_same_model() {
    let folder = models();
    let folder = folder.path();
    for _ in 0..2 {
        succeeded(&run(folder, "publish price.json models/"));
    }
    let read = |name: &str| -> Value { serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap() };
    let (mut original, mut second) = (read("price.json"), read("models/price/2.json"));
    assert_eq!(second["version"], "2");
    assert_ne!(second["sha256"], original["sha256"]);
    for document in [&mut original, &mut second] {
        document["version"].take();
        document["sha256"].take();
    }
    assert_eq!(original, second);
    assert_eq!(fs::read(folder.join("price.json")).unwrap(), fs::read(folder.join("models/price/1.json")).unwrap());
    succeeded(&run(folder, "inspect models/price/2.json"));
}

#[test]
fn a_damaged_model_is_not_published() {
    let folder = models();
    let damaged =
        fs::read_to_string(folder.path().join("price.json")).unwrap().replacen("\"rows\": 6", "\"rows\": 7", 1);
    fs::write(folder.path().join("damaged.json"), damaged).unwrap();
    let message = run(folder.path(), "publish damaged.json models/");
    assert!(complained(&message).contains("checksum"), "{}", complained(&message));
    assert!(!folder.path().join("models").exists());
}

#[test]
fn an_alias_does_not_move_to_a_version_that_breaks_its_callers() {
    let folder = models();
    let folder = folder.path();
    succeeded(&run(folder, "publish price.json models/ --alias live"));
    let refused = run(folder, "publish other.json models/ --alias live");
    let refused = complained(&refused);
    assert!(refused.contains("requests for price@live (version 1) would break:"), "{refused}");
    assert!(refused.contains("feature \"floor\" is new") && refused.contains("feature \"rooms\" is gone"), "{refused}");
    assert_eq!(history(folder), ["1"]);
    assert!(!folder.join("models/price/2.json").exists(), "nothing is published");
    // Without the alias, it is published, but does not go live in another way.
    succeeded(&run(folder, "publish other.json models/"));
    for arguments in ["promote price 2 models/", "copy price@2 models/ other/ --alias live"] {
        succeeded(&run(folder, "copy price@1 models/ other/ --alias live"));
        let refused = run(folder, arguments);
        assert!(complained(&refused).contains("would break:\n- feature \"floor\" is new"), "{}", complained(&refused));
    }
    assert!(!folder.join("other/price/2.json").exists(), "nothing is copied");
    // The remedy of the message.
    succeeded(&run(folder, "copy price@2 models/ other/ --alias live --force"));
    succeeded(&run(folder, "promote price 2 models/ --force"));
    succeeded(&run(folder, "publish price.json models/ --alias live --force"));
    assert_eq!(history(folder), ["3", "2", "1"]);
}

#[test]
fn models_of_a_catalog_are_compared_and_predict() {
    let folder = models();
    let folder = folder.path();
    for model in ["price", "again", "other"] {
        succeeded(&run(folder, &format!("publish {model}.json models/ --alias live --force")));
    }
    let same = run(folder, "diff models/price@1 models/price@2 --data price.csv --json");
    let same = json(&same);
    assert_eq!((same["old"].as_str(), same["new"].as_str()), (Some("price@1"), Some("price@2")));
    assert_eq!(same["breaking"], serde_json::json!([]));
    assert_eq!(same["predictions"]["rows"], 6);
    assert!(same["predictions"]["largest_difference"].as_f64().unwrap() > 0.0);

    let breaking = run(folder, "diff models/price@1 models/price@live");
    let message = complained_with_code(&breaking, 1);
    assert!(message.contains("2 breaking changes"), "{message}");
    let said = text(&breaking.stdout);
    assert!(said.contains("- feature \"floor\" is new") && said.contains("- feature \"rooms\" is gone"), "{said}");

    let predicted = run(folder, "predict models/price@1 price.csv");
    assert_eq!(succeeded(&predicted).lines().count(), 7);
    let unknown = run(folder, "inspect models/price@9");
    assert!(complained(&unknown).contains("the versions are 1, 2, 3"), "{}", complained(&unknown));
}

#[test]
fn an_alias_is_not_a_number() {
    let folder = models();
    let output = run(folder.path(), "publish price.json models/ --alias 1");
    assert!(
        complained_with_code(&output, 2).contains("a whole number is a version"),
        "{}",
        complained_with_code(&output, 2)
    );
}

#[test]
fn training_publishes_to_a_catalog() {
    let folder = models();
    let folder = folder.path();
    for version in 1..=2 {
        let trained = run(folder, "train price.csv --target price --test-fraction 0 --out models/");
        let said = succeeded(&trained);
        assert!(said.starts_with(&format!("price@{version}: price from 2 features")), "{said}");
        assert!(said.contains(&format!("models/price/{version}.json")), "{said}");
    }
}

#[rstest]
#[case("publish price.json", "no catalog\nhelp: name it as the last argument, or set MODEL_URI")]
#[case(
    "publish price.json models.json",
    "\"models.json\" is not a catalog\nhelp: the path of a catalog ends with a slash"
)]
#[case("models s3://bucket/models.json", "is not a catalog\nhelp: the path of a catalog ends with a slash")]
#[case("promote price 1 models/", "there is no model \"price\"; there are no models")]
#[case("history price models/", "there is no model \"price\"; there are no models")]
#[case("copy price models/ other/", "there is no model \"price\"; there are no models")]
fn an_error_says_what_to_do(#[case] arguments: &str, #[case] message: &str) {
    let folder = models();
    fs::create_dir(folder.path().join("models")).unwrap();
    let output = command(folder.path(), arguments).env_remove("MODEL_URI").output().unwrap();
    assert!(complained(&output).contains(message), "{}", complained(&output));
}

/// `ordinate` with the credentials of the S3 server's administrator.
pub(crate) fn administrator(folder: &Path, arguments: &str) -> Command {
    let mut command = command(folder, arguments);
    command.env("AWS_ACCESS_KEY_ID", "administrator").env("AWS_SECRET_ACCESS_KEY", "administrator-secret");
    command.env("AWS_ENDPOINT_URL_S3", format!("http://{}", S3Server::shared().address()));
    command
}

/// The first object makes the bucket.
pub(crate) async fn make_bucket() {
    S3Server::shared().put(BUCKET, "releases-exist", "").await;
}

#[tokio::test]
async fn a_catalog_in_s3_is_released_to_and_rolled_back() {
    make_bucket().await;
    let folder = models();
    let run = |arguments: &str| administrator(folder.path(), arguments).output().unwrap();
    let catalog = "s3://models/releases/back/";
    succeeded(&run(&format!("publish price.json {catalog} --alias live")));
    succeeded(&run(&format!("publish again.json {catalog} --alias live")));
    assert_eq!(succeeded(&run(&format!("rollback price {catalog}"))), "price@live is version 1; it was 2.\n");
    let predicted = run(&format!("predict {catalog}price@live price.csv"));
    assert_eq!(succeeded(&predicted).lines().count(), 7);
    let copied = run(&format!("copy price@2 {catalog} local/"));
    assert!(succeeded(&copied).starts_with("Copied price@2 to file://"), "{}", succeeded(&copied));
    // A reader may not publish.
    let mut reader = administrator(folder.path(), &format!("publish price.json {catalog}"));
    let denied =
        reader.env("AWS_ACCESS_KEY_ID", "reader").env("AWS_SECRET_ACCESS_KEY", "reader-secret").output().unwrap();
    assert!(complained(&denied).contains("the permission s3:PutObject is missing"), "{}", complained(&denied));
}

#[cfg(unix)]
#[test]
fn a_version_that_was_published_but_not_promoted_is_named_with_the_command_that_promotes_it() {
    let folder = models();
    let folder = folder.path();
    fs::create_dir_all(folder.join("my models/price")).unwrap();
    // A link to nothing reads as an absent folder and cannot be written to.
    let aliases = folder.join("my models/price/aliases");
    std::os::unix::fs::symlink("nowhere/at/all", &aliases).unwrap();
    let arguments = ["publish", "price.json", "my models/", "--alias", "live"];
    let failed = command(folder, "").args(arguments).output().unwrap();
    let message = complained(&failed);
    assert!(message.contains("price@1 was published to file://"), "{message}");
    assert!(message.contains("but price@live was not changed: file://"), "{message}");
    assert!(folder.join("my models/price/1.json").exists());
    // The remedy of the message, once the cause is gone.
    fs::remove_file(&aliases).unwrap();
    let help = message.lines().find_map(|line| line.strip_prefix("help: ")).unwrap();
    let promoted = Command::new("sh").args(["-c", help]).current_dir(folder).output().unwrap();
    assert_eq!(succeeded(&promoted), "price@live is version 1.\n");
}

/// Publishes behind a proxy that loses the response of the first PUT of an object whose path ends so.
async fn publish_with_lost_response(catalog: &str, of: &'static str) {
    make_bucket().await;
    let lost = AtomicBool::new(false);
    let proxy = Proxy::start_with(S3Server::shared().address(), move |request| {
        let is_first = request.method == "PUT" && request.target.contains(of) && !lost.swap(true, Ordering::SeqCst);
        if is_first { Fault::LoseResponse } else { Fault::None }
    });
    let proxy = proxy.await;
    let folder = models();
    let mut first = administrator(folder.path(), &format!("publish again.json {catalog} --alias live"));
    succeeded(&first.output().unwrap());
    let mut publish = administrator(folder.path(), &format!("publish price.json {catalog} --alias live"));
    publish.env("AWS_ENDPOINT_URL_S3", format!("http://{}", proxy.address()));
    let published = tokio::task::spawn_blocking(move || publish.output().unwrap()).await.unwrap();
    let said = succeeded(&published);
    assert!(said.starts_with("Published price@2 to s3://"), "{said}");
    assert!(said.ends_with("price@live is version 2; it was 1.\n"), "{said}");
    let puts = proxy.targets().iter().filter(|target| target.contains(of)).count();
    assert!(puts > 1, "the response was lost: {:?}", proxy.targets());
    let listed = administrator(folder.path(), &format!("models {catalog} --json")).output().unwrap();
    assert_eq!(json(&listed)["models"].as_array().unwrap().len(), 2);
    let history = administrator(folder.path(), &format!("history price {catalog} --json")).output().unwrap();
    assert_eq!(json(&history)["releases"].as_array().unwrap().len(), 2);
    // The same model by another publisher is another version.
    let again = administrator(folder.path(), &format!("publish price.json {catalog}")).output().unwrap();
    assert!(succeeded(&again).starts_with("Published price@3 to s3://"), "{}", succeeded(&again));
}

#[tokio::test]
async fn a_version_whose_response_was_lost_is_published_once() {
    publish_with_lost_response("s3://models/releases/lost-version/", "/price/2.json").await;
}

#[tokio::test]
async fn an_alias_whose_response_was_lost_is_changed_once() {
    publish_with_lost_response("s3://models/releases/lost-alias/", "/aliases/live.json").await;
}

#[tokio::test]
async fn an_alias_whose_removal_had_its_response_lost_is_removed() {
    make_bucket().await;
    let lost = AtomicBool::new(false);
    let proxy = Proxy::start_with(S3Server::shared().address(), move |request| {
        let is_first = request.method == "DELETE" && !lost.swap(true, Ordering::SeqCst);
        if is_first { Fault::LoseResponse } else { Fault::None }
    });
    let proxy = proxy.await;
    let folder = models();
    let catalog = "s3://models/releases/lost-removal/";
    succeeded(&administrator(folder.path(), &format!("publish price.json {catalog} --alias next")).output().unwrap());
    let mut remove = administrator(folder.path(), &format!("unalias price next {catalog}"));
    remove.env("AWS_ENDPOINT_URL_S3", format!("http://{}", proxy.address()));
    let removed = tokio::task::spawn_blocking(move || remove.output().unwrap()).await.unwrap();
    assert_eq!(succeeded(&removed), "Removed price@next; it was version 1.\n");
}

#[test]
fn a_folder_in_the_place_of_a_model_is_explained() {
    let folder = models();
    let folder = folder.path();
    succeeded(&run(folder, "publish price.json c2/ --alias live"));
    fs::create_dir(folder.join("empty")).unwrap();
    for place in ["c2/", "c2"] {
        let message = run(folder, &format!("serve {place} --port 0"));
        let message = complained(&message);
        assert!(
            message.contains("is a directory, not a model file\nhelp: it is a catalog; name one of its"),
            "{message}"
        );
        assert!(message.contains("such as c2/price@live,") && message.contains("MODEL_URI=c2/ "), "{message}");
    }
    // The remedies of the messages.
    succeeded(&run(folder, "inspect c2/price@live"));
    let message = run(folder, "serve empty --port 0");
    let help = complained(&message).split_once("publish a model to it: ").unwrap().1.to_owned();
    let published = Command::new("sh").args(["-c", &help]).current_dir(folder).output().unwrap();
    assert!(succeeded(&published).ends_with("line@live is version 1.\n"));
}

#[test]
fn a_served_catalog_reports_differences_of_the_shadow_and_names_models_of_failures() {
    let folder = models();
    let folder = folder.path();
    succeeded(&run(folder, "publish price.json models/ --alias live"));
    succeeded(&run(folder, "publish again.json models/ --alias shadow"));
    let catalog = format!("{}/models/", folder.display());
    let mut served = Served::start(&[("MODEL_URI", &catalog), ("SHADOW_BUDGET_MS", "1000")]);
    let predict = |body: &str| {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut response = agent.post(format!("{}/predict", served.base)).send(body).unwrap();
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
    };
    let rows = r#"{"X": [{"area": 6, "rooms": 1}, {"area": 1, "rooms": 1}]}"#;
    let (status, first) = predict(rows);
    assert_eq!(status, 200, "{first}");
    assert_eq!(predict(rows).1, first);
    assert_eq!(predict(r#"{"X": [{"area": "large", "rooms": 1}]}"#).0, 422);
    let labels = r#"{model="price",version="1",shadow="2"}"#;
    assert_eq!(served.metric(&format!("ordinate_shadow_rows_total{labels}")), 4);
    assert_eq!(served.metric(&format!("ordinate_shadow_disagreements_total{labels}")), 0);
    served.terminate();
    let (_, log) = served.wait();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of_status =
        |status: u16| lines.iter().find(|line| line["status"] == status && line["route"] == "/predict").unwrap();
    let line = of_status(200);
    assert_eq!((&line["shadow_version"], &line["shadow_rows"]), (&Value::from("2"), &Value::from(2)), "{line}");
    let [mean, largest] =
        ["shadow_mean_difference", "shadow_largest_difference"].map(|key| line[key].as_f64().unwrap());
    assert!(0.0 < mean && mean < largest, "{line}");
    assert_eq!(of_status(422)["model"], "price@1");
}

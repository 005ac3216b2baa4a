//! Releases under a running server, and catalogs in S3 with the credentials of a desk.

use std::fmt::Debug;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use ordinate_test_support::s3_server::{BUCKET, S3Server};
use rstest::rstest;
use serde_json::{Value, json};

use crate::releases::{administrator, make_bucket, models};
use crate::serve::Served;
use crate::support::{complained, run, succeeded, text};

/// Longer than the names of a catalog are kept.
const NAMES_AGE: Duration = Duration::from_secs(11);

/// More than enough time for a refresh.
const PATIENCE: Duration = Duration::from_mins(1);

/// Asks again until this is so.
fn wait_until<T: Debug>(mut now: impl FnMut() -> T, expected: impl Fn(&T) -> bool) {
    let end = Instant::now() + PATIENCE;
    loop {
        let found = now();
        if expected(&found) {
            return;
        }
        assert!(Instant::now() < end, "{found:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The status of a prediction by the default model, and the model.
fn predict(served: &Served) -> (u16, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut response = agent.post(format!("{}/predict", served.base)).send(r#"{"X": [[2, 1]]}"#).unwrap();
    let model = response.headers().get("x-ordinate-model").map(|name| name.to_str().unwrap().to_owned());
    (response.status().as_u16(), model.unwrap_or_else(|| response.body_mut().read_to_string().unwrap()))
}

/// The status and the text of a page.
fn get(served: &Served, path: &str) -> (u16, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut response = agent.get(format!("{}{path}", served.base)).call().unwrap();
    (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
}

#[test]
fn a_damaged_alias_does_not_hide_the_versions_and_the_other_aliases() {
    let folder = models();
    let folder = folder.path();
    for alias in ["live", "next", "shadow"] {
        succeeded(&run(folder, &format!("publish price.json models/ --alias {alias}")));
    }
    let uri = format!("{}/models/", folder.display());
    let mut served = Served::start(&[("MODEL_URI", &uri)]);
    let listed = || {
        let (status, text) = get(&served, "/models/price/versions");
        assert_eq!(status, 200, "{text}");
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let aliases = json!({"live": "1", "next": "2", "shadow": "3"});
    let all = json!({"name": "price", "versions": ["1", "2", "3"], "aliases": aliases});
    assert_eq!(listed(), all);
    fs::write(folder.join("models/price/aliases/next.json"), "{").unwrap();
    let aliases = json!({"live": "1", "shadow": "3"});
    let others = json!({"name": "price", "versions": ["1", "2", "3"], "aliases": aliases, "damaged": ["next"]});
    assert_eq!(listed(), others);
    succeeded(&run(folder, "promote price 2 models/ --alias next --force"));
    assert_eq!(listed(), all);
    served.terminate();
    let (_, log) = served.wait();
    assert!(log.contains("left out, because its file cannot be read") && log.contains("next.json"), "{log}");
}

#[rstest]
#[case::folder("models/")]
#[case::s3("s3://models/releases/second/")]
#[tokio::test]
async fn a_second_model_breaks_no_request_that_names_no_model(#[case] catalog: &str) {
    make_bucket().await;
    let folder = models();
    let run = |arguments: &str| administrator(folder.path(), arguments).output().unwrap();
    let endpoint = format!("http://{}", S3Server::shared().address());
    let uri =
        if catalog.starts_with("s3:") { catalog.to_owned() } else { format!("{}/{catalog}", folder.path().display()) };
    let serve = |default: &str| {
        Served::start(&[
            ("MODEL_URI", &uri),
            ("MODEL_REFRESH_SECONDS", "1"),
            ("DEFAULT_MODEL", default),
            ("AWS_ENDPOINT_URL_S3", &endpoint),
            ("AWS_ACCESS_KEY_ID", "reader"),
            ("AWS_SECRET_ACCESS_KEY", "reader-secret"),
        ])
    };
    let good = (200, "price@1".to_owned());
    succeeded(&run(&format!("publish price.json {catalog} --alias live")));
    let first = serve("");
    assert_eq!(predict(&first), good);
    let started = Instant::now();

    // A draft.
    let published = run(&format!("publish line {catalog}"));
    assert_eq!(text(&published.stderr), "", "a draft changes nothing");
    let second = serve("");
    assert_eq!(predict(&second), good, "the only released model is the default model");

    let promoted = run(&format!("promote line 1 {catalog}"));
    let warning = text(&promoted.stderr);
    assert!(warning.starts_with("warning: line is the second released model of the catalog"), "{warning}");
    let third = serve("");
    let (status, problem) = predict(&third);
    assert!(status == 404 && problem.contains("no default model is set (DEFAULT_MODEL)"), "{problem}");
    // The remedy of the warning.
    assert!(warning.ends_with("DEFAULT_MODEL=price\n"), "{warning}");
    assert_eq!(predict(&serve("price")), good);
    assert_eq!(text(&run(&format!("publish iris {catalog} --alias live")).stderr), "", "it is known by now");

    tokio::time::sleep(NAMES_AGE.saturating_sub(started.elapsed())).await;
    assert_eq!(predict(&first), good);
    assert_eq!(predict(&second), good);
}

#[test]
fn a_refresh_that_fails_is_in_the_metrics() {
    let folder = models();
    succeeded(&run(folder.path(), "publish price.json models/ --alias live"));
    let uri = format!("{}/models/", folder.path().display());
    let served = Served::start(&[("MODEL_URI", &uri), ("MODEL_REFRESH_SECONDS", "1")]);
    let good = (200, "price@1".to_owned());
    assert_eq!(predict(&served), good);
    assert_eq!(served.metric("ordinate_model_refresh_failures_total"), 0);
    fs::write(folder.path().join("models/price/aliases/live.json"), "{").unwrap();
    let failures = || {
        assert_eq!(predict(&served), good);
        served.metric("ordinate_model_refresh_failures_total")
    };
    wait_until(failures, |failures| *failures > 0);
}

#[rstest]
#[case::folder("models/")]
#[case::s3("s3://models/releases/withdrawn/")]
#[tokio::test]
async fn a_removed_alias_is_followed_and_a_lost_one_is_a_failed_refresh(#[case] catalog: &str) {
    make_bucket().await;
    let folder = models();
    let run = |arguments: &str| succeeded(&administrator(folder.path(), arguments).output().unwrap()).to_owned();
    let uri =
        if catalog.starts_with("s3:") { catalog.to_owned() } else { format!("{}/{catalog}", folder.path().display()) };
    run(&format!("publish price.json {catalog} --alias live"));
    run(&format!("publish price.json {catalog} --alias shadow"));
    let endpoint = format!("http://{}", S3Server::shared().address());
    let mut served = Served::start(&[
        ("MODEL_URI", &uri),
        ("MODEL_REFRESH_SECONDS", "1"),
        ("SHADOW_BUDGET_MS", "1000"),
        ("AWS_ENDPOINT_URL_S3", &endpoint),
        ("AWS_ACCESS_KEY_ID", "reader"),
        ("AWS_SECRET_ACCESS_KEY", "reader-secret"),
    ]);
    assert_eq!(predict(&served), (200, "price@1".to_owned()));
    run(&format!("unalias price live {catalog} --force"));
    run(&format!("unalias price shadow {catalog}"));
    let is_removed = |(status, problem): &(u16, String)| {
        let reason = r#"the default model \"price\" is not released: the model \"price\" has no alias \"live\""#;
        *status == 404 && problem.contains(reason) && problem.contains("no_default_model")
    };
    wait_until(|| predict(&served), is_removed);
    // Refreshes after that change nothing.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert!(is_removed(&predict(&served)));
    let ready = |served: &Served| get(served, "/health/ready").0;
    assert_eq!(ready(&served), 503);
    assert_eq!(served.metric("ordinate_model_refresh_failures_total"), 0);

    // It is set again, and then lost, although there still is the file of its removal.
    run(&format!("promote price 2 {catalog}"));
    let second = (200, "price@2".to_owned());
    wait_until(|| predict(&served), |predicted| *predicted == second);
    assert_eq!(ready(&served), 200);
    match catalog.strip_prefix("s3://models/") {
        Some(prefix) => S3Server::shared().delete(BUCKET, &format!("{prefix}price/aliases/live.json")).await,
        None => fs::remove_file(folder.path().join("models/price/aliases/live.json")).unwrap(),
    }
    let failures = || {
        assert_eq!(predict(&served), second);
        served.metric("ordinate_model_refresh_failures_total")
    };
    wait_until(failures, |failures| *failures > 0);
    served.terminate();
    let (_, log) = served.wait();
    assert_eq!(log.matches("the alias was removed").count(), 2, "live and shadow, once each: {log}");
    assert!(log.contains("cannot refresh; the loaded version stays"), "{log}");
}

/// `ordinate` with a profile of this name, as on a desk: without variables for credentials.
fn with_profile(folder: &Path, arguments: &str, profile: &str) -> Command {
    let credentials = "[desk]\naws_access_key_id = administrator\naws_secret_access_key = administrator-secret\n";
    fs::write(folder.join("credentials"), credentials).unwrap();
    let answer = r#"{"Version": 1, "AccessKeyId": "administrator", "SecretAccessKey": "administrator-secret"}"#;
    fs::write(folder.join("answer.json"), answer).unwrap();
    let config = format!(
        "[profile desk]\nregion = eu-central-1\n\
         [profile process]\nregion = eu-central-1\ncredential_process = cat {0}/answer.json\n\
         [profile failing]\nregion = eu-central-1\ncredential_process = cat {0}/nothing.json\n",
        folder.display()
    );
    fs::write(folder.join("config"), config).unwrap();
    let mut command = administrator(folder, arguments);
    for variable in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION"] {
        command.env_remove(variable);
    }
    command
        .env("AWS_SHARED_CREDENTIALS_FILE", folder.join("credentials"))
        .env("AWS_CONFIG_FILE", folder.join("config"));
    command.env("AWS_PROFILE", profile).env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

#[tokio::test]
async fn credentials_come_from_a_profile() {
    make_bucket().await;
    let folder = models();
    let catalog = format!("s3://{BUCKET}/releases/profile/");
    let publish = format!("publish price.json {catalog} --alias live");
    for profile in ["desk", "process"] {
        succeeded(&with_profile(folder.path(), &publish, profile).output().unwrap());
    }
    let predicted =
        with_profile(folder.path(), &format!("predict {catalog}price@live price.csv"), "desk").output().unwrap();
    assert_eq!(succeeded(&predicted).lines().count(), 7);

    for (profile, cause) in [("other", "was not defined"), ("failing", "nothing.json")] {
        let failed = with_profile(folder.path(), &publish, profile).output().unwrap();
        let message = complained(&failed);
        assert!(message.contains("access denied: no valid credentials: set AWS_PROFILE"), "{message}");
        assert!(message.contains(cause), "{message}");
    }
}

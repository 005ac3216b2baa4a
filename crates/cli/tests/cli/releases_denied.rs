//! Catalogs in S3 of which a part cannot be read, and the requests for large ones.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use ordinate_test_support::proxy::{Fault, Proxy};
use ordinate_test_support::s3_server::{BUCKET, S3Server};
use serde_json::{Value, json};

use crate::releases::{administrator, json as json_of, make_bucket, models};
use crate::support::{complained, succeeded, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_cannot_be_read_is_listed_as_an_error_and_not_as_damaged() {
    make_bucket().await;
    let folder = models();
    let folder = folder.path();
    let catalog = "s3://models/releases/denied/";
    let run = |arguments: &str| administrator(folder, arguments).output().unwrap();
    for model in ["price", "again", "price"] {
        succeeded(&run(&format!("publish {model}.json {catalog} --alias live")));
    }
    succeeded(&run(&format!("promote price 1 {catalog} --alias shadow")));
    succeeded(&run(&format!("publish line {catalog}")));
    let proxy = Proxy::start_with(S3Server::shared().address(), |request| match request.target.as_str() {
        target if target.contains("/price/1.json") => Fault::Respond(403, "AccessDenied"),
        target if target.contains("/price/2.json") => Fault::Respond(503, "SlowDown"),
        target if target.contains("/aliases/shadow.json") => Fault::Respond(403, "AccessDenied"),
        target if target.contains("list-type") && target.contains("line%2F") => Fault::Respond(403, "AccessDenied"),
        _ => Fault::None,
    });
    let proxy = proxy.await;
    let listed = async |options: &str| {
        let mut command = administrator(folder, &format!("models {catalog}{options}"));
        command.env("AWS_ENDPOINT_URL_S3", format!("http://{}", proxy.address()));
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    };
    let table = listed("").await;
    let message = complained(&table);
    assert!(message.ends_with("denied/: 4 files or lists could not be read\n"), "{message}");
    assert!(message.contains("/price/1.json: access denied") && message.contains("SlowDown"), "{message}");
    let rows: Vec<Vec<&str>> =
        text(&table.stdout).lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["line", "error"], "{rows:?}");
    assert_eq!(rows[1], ["price", "shadow", "error"], "{rows:?}");
    assert_eq!(rows[2][..3], ["price", "3", "live"], "{rows:?}");
    assert_eq!(rows[3..], [["price", "2", "error"], ["price", "1", "error"]], "{rows:?}");

    let listed = listed(" --json").await;
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let errors = |index: usize| listed["models"][index]["error"].as_str().unwrap_or_default().to_owned();
    assert!(errors(0).starts_with("line: s3://"), "{listed}");
    assert!(errors(1).starts_with("price@shadow: s3://"), "{listed}");
    assert_eq!(listed["models"][2].get("error"), None, "{listed}");
    assert!(errors(3).contains("SlowDown") && errors(4).contains("access denied"), "{listed}");
    assert_eq!(listed["models"][4]["version"], json!("1"));
}

/// `SeaweedFS` has folders: it answers 404 to GET of one, and 412 to a PUT of an object that must not exist.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_in_the_place_of_an_alias_is_reported_instead_of_waiting_for_others() {
    make_bucket().await;
    let folder = models();
    let server = S3Server::shared();
    let catalog = "s3://models/releases/in-the-way/";
    let run = |arguments: &str| administrator(folder.path(), &format!("{arguments} {catalog}")).output().unwrap();
    let folder_key = "releases/in-the-way/price/aliases/live.json/";
    server.put(BUCKET, &format!("{folder_key}notes"), "").await;
    let begun = Instant::now();
    let refused = run("publish price.json --alias live --message first");
    assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
    let message = complained(&refused);
    let refusal = format!(
        "{catalog}price/aliases/live.json: the service refuses to create the object (If-None-Match: *), although it \
         does not exist; a folder of its name would be in the way"
    );
    assert!(message.starts_with(&format!("note: {refusal}; trying again for 15s\n")), "{message}");
    let error = format!("error: price@1 was published to {catalog}, but price@live was not changed: {refusal}");
    assert!(message.contains(&error), "{message}");
    // Without the folder, the advised command succeeds.
    for key in [&format!("{folder_key}notes"), folder_key] {
        server.delete(BUCKET, key).await;
    }
    let (_, promote) = message.split_once(" promote ").unwrap();
    let promoted = administrator(folder.path(), &format!("promote {promote}")).output().unwrap();
    assert_eq!(succeeded(&promoted), "price@live is version 1.\n");
    let history = json_of(&run("history price --json"));
    assert_eq!(history["releases"][0]["message"], "first");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_is_printed_before_others_are_looked_for() {
    make_bucket().await;
    let folder = models();
    let catalog = "s3://models/releases/printed/";
    succeeded(&administrator(folder.path(), &format!("publish line {catalog} --alias live")).output().unwrap());
    // The list of all models does not arrive.
    let is_list = |target: &str| target.contains("list-type") && !target.contains("price%2F");
    let proxy = Proxy::start_with(S3Server::shared().address(), move |request| {
        if is_list(&request.target) { Fault::Stall } else { Fault::None }
    });
    let proxy = proxy.await;
    let mut publish = administrator(folder.path(), &format!("publish price.json {catalog} --alias live"));
    publish.env("AWS_ENDPOINT_URL_S3", format!("http://{}", proxy.address())).stdout(Stdio::piped());
    let lines = tokio::task::spawn_blocking(move || {
        let mut child = publish.spawn().unwrap();
        let lines: Vec<String> =
            BufReader::new(child.stdout.take().unwrap()).lines().take(3).map(|line| line.unwrap()).collect();
        let is_running = child.try_wait().unwrap().is_none();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(is_running, "it looks for other models: {lines:?}");
        lines
    });
    let lines = lines.await.unwrap();
    assert!(lines[0].starts_with("Published price@1 to s3://"), "{lines:?}");
    assert_eq!(lines[2], "price@live is version 1.");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_reads_no_drafts_of_a_large_catalog() {
    make_bucket().await;
    let folder = models();
    let server = S3Server::shared();
    for number in 0..100 {
        server.put(BUCKET, &format!("releases/drafts/draft-{number:03}/1.json"), "{}").await;
    }
    let proxy = Proxy::start(server.address(), |_| Fault::None).await;
    let run = async |arguments: &str| {
        let mut command = administrator(folder.path(), &format!("{arguments} s3://models/releases/drafts/"));
        command.env("AWS_ENDPOINT_URL_S3", format!("http://{}", proxy.address()));
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    };
    succeeded(
        &administrator(folder.path(), "publish line s3://models/releases/drafts/ --alias live").output().unwrap(),
    );
    // Without DEFAULT_MODEL, a catalog of this size has no default model anyway.
    let published = run("publish price.json --alias live").await;
    assert_eq!((succeeded(&published).lines().count(), text(&published.stderr)), (3, ""));
    let targets = proxy.targets();
    assert!(targets.iter().all(|target| !target.contains("draft-")), "{targets:?}");

    // One model of it.
    let before = proxy.requests();
    let mut one = administrator(folder.path(), "models s3://models/releases/drafts/ price");
    one.env("AWS_ENDPOINT_URL_S3", format!("http://{}", proxy.address()));
    let one = tokio::task::spawn_blocking(move || one.output().unwrap()).await.unwrap();
    let table = succeeded(&one);
    assert!(table.lines().count() == 2 && table.contains("price  1        live"), "{table}");
    assert!(proxy.requests() - before <= 5, "{:?}", &proxy.targets()[before..]);
}

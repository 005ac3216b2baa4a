//! Changes of a catalog by other people while a command runs.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use ordinate_test_support::proxy::{Fault, Proxy};
use ordinate_test_support::s3_server::S3Server;
use rstest::rstest;

use crate::releases::{administrator, json, make_bucket, models};
use crate::support::{complained, succeeded};

/// A proxy that runs a command once: before the first write of an object whose path ends so.
async fn before_the_write_of(path: &'static str, folder: PathBuf, arguments: String) -> Proxy {
    let is_done = AtomicBool::new(false);
    let other = move |request: &ordinate_test_support::proxy::Request| {
        if request.method == "PUT" && request.target.contains(path) && !is_done.swap(true, Ordering::SeqCst) {
            succeeded(&administrator(&folder, &arguments).output().unwrap());
        }
        Fault::None
    };
    Proxy::start_with(S3Server::shared().address(), other).await
}

/// A new version of `price` is compared with version 1; before this write, version 2 with other features becomes live.
#[rstest]
#[case::published("publish again.json", "/price/4.json", "version")]
#[case::written("publish again.json", "/price/aliases/live.json", "alias")]
#[case::promoted("promote price 1", "/price/aliases/live.json", "promoted")]
#[case::copied("copy price@1 local/", "/price/4.json", "copied")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_is_compared_with_the_one_that_it_replaces(
    #[case] arguments: &str,
    #[case] write: &'static str,
    #[case] test: &str,
) {
    make_bucket().await;
    let folder = models();
    let folder = folder.path();
    let catalog = format!("s3://models/releases/meanwhile-{test}/");
    let run = |arguments: &str| administrator(folder, arguments).output().unwrap();
    for model in ["price", "other"] {
        succeeded(&run(&format!("publish {model}.json {catalog}")));
    }
    let present = if test == "promoted" { "again" } else { "price" };
    succeeded(&run(&format!("publish {present}.json {catalog} --alias live")));
    succeeded(&run("publish again.json local/"));
    let proxy = before_the_write_of(write, folder.into(), format!("promote price 2 {catalog} --force")).await;
    let mut command = administrator(folder, &format!("{arguments} {catalog} --alias live"));
    command.env("AWS_ENDPOINT_URL_S3", format!("http://{}", proxy.address()));
    let refused = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let message = complained(&refused);
    assert!(message.contains("requests for price@live (version 2) would break:\n- feature"), "{message}");
    let history = json(&run(&format!("history price {catalog} --json")));
    assert_eq!(history["releases"][0]["version"], "2", "{history}");

    // The remedy of the message.
    assert_eq!(message.matches("help: ").count(), 1, "{message}");
    if test != "promoted" {
        assert!(message.contains("price@4 was published to s3://"), "{message}");
        let (_, promote) = message.split_once(" promote ").unwrap();
        assert_eq!(succeeded(&run(&format!("promote {promote}"))), "price@live is version 4; it was 2.\n");
    }
}

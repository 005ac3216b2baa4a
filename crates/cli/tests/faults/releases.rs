//! Faults of releases: publishers at the same time, and a full disk.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use ordinate_test_support::s3_server::{BUCKET, S3Server};
use serde_json::Value;

use crate::served::LONGEST;
use crate::site::{Size, price};
use crate::table::Release;

/// `ordinate` in a folder, with the credentials of the S3 server's administrator; arguments are separated by spaces.
fn ordinate(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ordinate"));
    command.args(arguments.split_whitespace()).current_dir(folder).env_remove("AWS_SESSION_TOKEN");
    command.env("AWS_ACCESS_KEY_ID", "administrator").env("AWS_SECRET_ACCESS_KEY", "administrator-secret");
    command.env("AWS_REGION", "us-east-1");
    command.env("AWS_ENDPOINT_URL_S3", format!("http://{}", S3Server::shared().address()));
    command
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// Six publishers at the same time: each has a version of its own, and each release is in the history.
pub(crate) async fn publishers(fault: &'static str, catalog: &str) -> Release {
    const PUBLISHERS: u32 = 6;
    // The first object makes the bucket.
    S3Server::shared().put(BUCKET, "releases-exist", "").await;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("price.json"), price(1, Size::Small)).unwrap();
    let started = Instant::now();
    let publish = |_| {
        ordinate(folder, &format!("publish price.json {catalog} --alias live")).stdout(Stdio::null()).spawn().unwrap()
    };
    for mut publisher in (0..PUBLISHERS).map(publish).collect::<Vec<_>>() {
        assert!(publisher.wait().unwrap().success());
    }
    let longest = started.elapsed();
    let models = json(&ordinate(folder, &format!("models {catalog} --json")).output().unwrap());
    let live = models["models"].as_array().unwrap().iter().find(|model| model["aliases"][0] == "live").unwrap();
    let history = json(&ordinate(folder, &format!("history price {catalog} --json")).output().unwrap());
    let released = history["releases"].as_array().unwrap().iter().map(|release| &release["version"]);
    assert_eq!(released.clone().next(), Some(&live["version"]), "alias and history agree");
    let mut released: Vec<u32> = released.map(|version| version.as_str().unwrap().parse().unwrap()).collect();
    released.sort_unstable();
    assert_eq!(released, (1..=PUBLISHERS).collect::<Vec<_>>());
    let outcome = "exit code 0, six times";
    Release { fault, outcome, longest, afterwards: "versions 1 to 6, all in the history" }
}

/// A catalog on a full disk. `None`, with a printed reason, if this machine cannot mount one.
pub(crate) fn full_disk(fault: &'static str) -> Option<Release> {
    if !crate::can_mount() {
        println!("skipped, because mounts in a user namespace are not permitted: {fault}");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("price.json"), price(1, Size::Small)).unwrap();
    // Models have 50 kB: the first fits, the second does not until the disk grows.
    let script = r#"
        mkdir models && mount -t tmpfs -o size=80k tmpfs models
        "$1" publish price.json models/ --alias live
        code=0; "$1" publish price.json models/ --alias live 2>error || code=$?
        echo $code; cat error; find models -type f | sort; "$1" history price models/ --json
        mount -o remount,size=1m models
        "$1" publish price.json models/ --alias live"#;
    let started = Instant::now();
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-ec", script, "sh", env!("CARGO_BIN_EXE_ordinate")])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let longest = started.elapsed();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(longest < LONGEST, "{longest:?}");
    assert!(text.contains("\n1\n") && text.contains("No space left on device"), "{text}");
    assert!(text.contains("\nmodels/price/1.json\nmodels/price/aliases/live.json\n{"), "nothing else is left: {text}");
    assert!(text.contains("price@live is version 2; it was 1."), "{text}");
    let outcome = "exit code 1, \"No space left on device\"";
    Some(Release { fault, outcome, longest, afterwards: "version 1 stays live; with space, 2 follows" })
}

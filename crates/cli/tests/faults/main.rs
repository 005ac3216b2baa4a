//! The answers to callers when something breaks: `ordinate serve` and the S3 server as processes of their own, with
//! faults between them, and releases under difficulties. One list of cases drives the assertions and the tables of
//! docs/reliability.md, which `make test-faults` writes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod cases;
mod releases;
mod served;
mod serving;
mod site;
mod table;
mod tls;
mod trouble;

use std::process::Command;
use std::sync::Arc;

use tokio::sync::Semaphore;

/// Cases that run at the same time. Most of the time, they wait.
const CONCURRENCY: usize = 6;

/// The faults of releases.
const RELEASES: [(&str, &str); 2] =
    [("six publishers, folder", "models/"), ("six publishers, S3", "s3://models/faults/publishers/")];
const FULL_DISK: &str = "the disk is full";

/// How often each case runs, if `make test-faults` asks for the tables.
fn rounds() -> Option<usize> {
    std::env::var("ORDINATE_FAULT_ROUNDS").ok().map(|rounds| rounds.parse().unwrap())
}

/// Whether a command may mount file systems in a namespace of its own.
fn can_mount() -> bool {
    let arguments = ["--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"];
    Command::new("unshare").args(arguments).output().is_ok_and(|output| output.status.success())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_see_the_loaded_model_or_an_error_in_time() {
    let permits = Arc::new(Semaphore::new(CONCURRENCY));
    let only = std::env::var("ORDINATE_FAULT").unwrap_or_default();
    let selected = || cases::cases().into_iter().filter(|case| case.fault.contains(&only));
    let count = selected().count();
    let mut rows: Vec<Option<table::Row>> = vec![None; count];
    for round in 0..rounds().unwrap_or(1) {
        let run = |(index, case): (usize, cases::Case)| {
            let permits = permits.clone();
            tokio::spawn(async move {
                let _permit = permits.acquire().await.unwrap();
                serving::run(&case, round * count + index).await
            })
        };
        let running: Vec<_> = selected().enumerate().map(run).collect();
        let mut failed = 0;
        for (row, running) in rows.iter_mut().zip(running) {
            match running.await {
                Ok(new) => *row = new.map(|new| row.take().map_or(new.clone(), |row| row.max(&new))),
                Err(_) => failed += 1,
            }
        }
        assert_eq!(failed, 0, "cases failed; their messages are above");
    }
    if rounds().is_some() {
        table::write("servers", &table::servers(&rows.into_iter().flatten().collect::<Vec<_>>()));
    }
}

#[tokio::test]
async fn releases_lose_nothing() {
    let mut rows = Vec::new();
    for (fault, catalog) in RELEASES {
        rows.push(releases::publishers(fault, catalog).await);
    }
    rows.extend(releases::full_disk(FULL_DISK));
    if rounds().is_some() {
        table::write("releases", &table::releases(&rows));
    }
}

#[test]
fn every_fault_is_documented() {
    if rounds().is_some() {
        return;
    }
    let cases = cases::cases();
    assert_eq!(table::documented("servers"), cases.iter().map(|case| case.fault).collect::<Vec<_>>());
    let releases = RELEASES.map(|(fault, _)| fault);
    assert_eq!(table::documented("releases"), [&releases[..], &[FULL_DISK]].concat());
}

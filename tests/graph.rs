//! What the Lambda binaries are built from: one TLS stack, no training code, and no more crates than we agreed to.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::process::Command;

/// Crates that must never be in the function, and what they cost there.
const FORBIDDEN: &[(&str, &str)] = &[
    ("aws-lc-rs", "a second TLS engine beside ring; its entropy alone is 30 ms of a cold start"),
    ("aws-lc-sys", "a second TLS engine beside ring; its entropy alone is 30 ms of a cold start"),
    ("clap", "the command line: it belongs into crates/cli"),
    ("native-tls", "a second TLS stack beside rustls"),
    ("openssl-sys", "a second TLS stack beside rustls, and a C library that Lambda does not have"),
    ("regex", "an engine for what a comparison of strings can do"),
];

/// Crates linked into the function, the two of this workspace included. More is a decision: say why in `Cargo.toml`, then raise this.
const BUDGET: usize = 211;

/// Name and version of all crates that a package of the workspace links in: no build scripts, no procedural macros. Of one
/// package: a build of the whole workspace would unify its features with those of the command line.
fn linked_crates(package: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"])
        .args(["--package", package])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let listing = String::from_utf8(output.stdout).unwrap();
    // "ring v0.17.14", or "ring v0.17.14 (*)" when it has been listed before.
    listing.lines().map(|line| line.splitn(3, ' ').take(2).collect::<Vec<_>>().join(" ")).collect()
}

fn versions<'a>(crates: &'a BTreeSet<String>, name: &str) -> Vec<&'a str> {
    crates.iter().map(String::as_str).filter(|one| one.split(' ').next() == Some(name)).collect()
}

#[test]
fn the_function_has_no_forbidden_crate() {
    let crates = linked_crates("ordinate");
    for (name, cost) in FORBIDDEN {
        let found = versions(&crates, name);
        assert!(
            found.is_empty(),
            "{found:?} is in the function: {cost}. Who brought it: cargo tree -e normal -i {name}"
        );
    }
}

#[test]
fn the_function_has_one_tls_stack() {
    let crates = linked_crates("ordinate");
    for name in ["rustls", "ring", "hyper", "http"] {
        let found = versions(&crates, name);
        assert_eq!(found.len(), 1, "{found:?}. Who brought them: cargo tree -e normal -i {name}@VERSION");
    }
}

#[test]
fn the_function_has_no_more_crates_than_agreed() {
    let crates = linked_crates("ordinate");
    assert!(
        crates.len() <= BUDGET,
        "{} crates, agreed were {BUDGET}: leave one out, or say in Cargo.toml why not and raise the budget here. {crates:#?}",
        crates.len(),
    );
}

#[test]
fn this_check_sees_what_it_looks_for() {
    let crates = linked_crates("ordinate-cli");
    assert_eq!(versions(&crates, "clap").len(), 1);
}

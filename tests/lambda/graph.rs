//! The crates that are linked into the function: one TLS stack, no command line, and a limited number.

use std::collections::BTreeSet;
use std::process::Command;

/// Crates that the function must not contain, and why.
const FORBIDDEN: &[(&str, &str)] = &[
    (
        "aws-config",
        "the credential chain of desks, which adds 1.2 ms to a cold start; the cargo feature of that name is off",
    ),
    ("aws-lc-rs", "a second TLS library in addition to ring; its entropy adds 30 ms to a cold start"),
    ("aws-lc-sys", "a second TLS library in addition to ring; its entropy adds 30 ms to a cold start"),
    ("clap", "the command line, which belongs in crates/cli"),
    ("native-tls", "a second TLS stack in addition to rustls"),
    ("openssl-sys", "a second TLS stack in addition to rustls, and a C library that Lambda does not have"),
    ("regex", "comparisons of strings are enough"),
];

/// The maximum number of crates in the function, with the two of this workspace. Before raising it, give the reason in
/// `Cargo.toml`.
const BUDGET: usize = 211;

/// Name and version of all crates that a package of the workspace links, without build scripts and procedural macros.
/// For one package, since a build of the workspace unifies features.
fn linked_crates(package: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"])
        .args(["--package", package])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let listing = String::from_utf8(output.stdout).unwrap();
    // "ring v0.17.14", or "ring v0.17.14 (*)" if it was listed before.
    listing.lines().map(|line| line.splitn(3, ' ').take(2).collect::<Vec<_>>().join(" ")).collect()
}

fn versions<'a>(crates: &'a BTreeSet<String>, name: &str) -> Vec<&'a str> {
    crates.iter().map(String::as_str).filter(|one| one.split(' ').next() == Some(name)).collect()
}

#[test]
fn the_function_has_no_forbidden_crate() {
    let crates = linked_crates("ordinate");
    for (name, reason) in FORBIDDEN {
        let found = versions(&crates, name);
        assert!(
            found.is_empty(),
            "{found:?}: {reason}\nhelp: find the dependency with: cargo tree -p ordinate -e normal -i {name}"
        );
    }
}

#[test]
fn the_function_has_one_tls_stack() {
    let crates = linked_crates("ordinate");
    for name in ["rustls", "ring", "hyper", "http"] {
        let found = versions(&crates, name);
        assert_eq!(
            found.len(),
            1,
            "{found:?}\nhelp: find the dependency with: cargo tree -p ordinate -e normal -i {name}@VERSION"
        );
    }
}

#[test]
fn the_function_has_at_most_the_allowed_number_of_crates() {
    let crates = linked_crates("ordinate");
    assert!(crates.len() <= BUDGET, "expected at most {BUDGET} crates, got {}: {crates:#?}", crates.len());
}

#[test]
fn crates_are_found_where_they_are_linked() {
    let crates = linked_crates("ordinate-cli");
    assert_eq!(versions(&crates, "clap").len(), 1);
}

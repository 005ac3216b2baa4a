//! The documentation agrees with the files that it describes.

use std::collections::BTreeMap;
use std::fs;

use ordinate_test_support::root;
use serde_json::Value;

/// Name and version of each pinned client.
fn pins() -> BTreeMap<String, String> {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let python = read("tools/clients.txt");
    let python = python.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let (name, version) = line.split_once("==").unwrap();
        (name.split('[').next().unwrap().to_owned(), version.to_owned())
    });
    let node: Value = serde_json::from_str(&read("tools/package.json")).unwrap();
    let node = node["dependencies"].as_object().unwrap().clone();
    python.chain(node.into_iter().map(|(name, version)| (name, version.as_str().unwrap().to_owned()))).collect()
}

#[test]
fn the_table_of_tested_clients_has_the_versions_that_are_tested() {
    let document = fs::read_to_string(root().join("docs/API.md")).unwrap();
    let table = document.split("| client | version | calls | result |\n").nth(1).unwrap();
    let rows: Vec<[&str; 2]> = table
        .lines()
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let mut cells = line.split('|').map(str::trim);
            [cells.nth(1).unwrap(), cells.next().unwrap()]
        })
        .collect();
    let pins = pins();
    let names = |client: &str, name: &str| client.to_lowercase().split([' ', ',']).any(|word| word == name);
    for [client, versions] in &rows {
        // Node.js is a requirement of the repository, not a pin.
        for version in versions.split(", ").filter(|_| !client.contains("Node.js")) {
            let is_pinned = pins.iter().any(|(name, pinned)| names(client, name) && pinned == version);
            assert!(is_pinned, "{client}: {version} is not in tools/clients.txt or tools/package.json");
        }
    }
    // A part of another client, and tools that are no clients.
    let others = ["scipy", "@redocly/cli", "openapi-fetch", "typescript", "mypy"];
    for name in pins.keys().filter(|name| !others.contains(&name.as_str())) {
        assert!(rows.iter().any(|[client, _]| names(client, name)), "{name} is not in the table of docs/API.md");
    }
}

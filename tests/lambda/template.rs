//! `make validate`: the templates, with the tests in `tests/stack`.

use std::process::{Command, Output};

use ordinate_test_support::{root, tool};

#[test]
fn make_validate_succeeds() {
    let _ = tool("bin/sam");
    let command = &mut Command::new("make");
    let Output { status, stdout, stderr } = command.arg("validate").current_dir(root()).output().unwrap();
    assert!(status.success(), "{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
}

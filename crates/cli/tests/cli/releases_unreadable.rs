//! Files of aliases that no command can read, histories that are too long, and texts that control a terminal.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use ordinate_model::wording::is_text_control;
use ordinate_test_support::s3_server::{BUCKET, S3Server};
use rstest::rstest;

use crate::releases::{administrator, history, json, make_bucket, models};
use crate::releases_damaged::{ALIAS, released, replace_as_advised};
use crate::support::{command, complained, run, succeeded, text};

/// More than a file of a catalog may have.
const TOO_LARGE: u64 = (64 << 20) + 1;

fn too_large(file: &Path) {
    File::create(file).unwrap().set_len(TOO_LARGE).unwrap();
}

fn link_to(file: &Path, target: &str) {
    #[cfg(unix)]
    std::os::unix::fs::symlink(target, file).unwrap();
}

#[cfg(unix)]
#[rstest]
#[case::too_large(too_large, "exceeds the limit of 67108864 bytes")]
#[case::link_to_nothing(|file: &Path| link_to(file, "nowhere"), "a link to a file that does not exist")]
fn an_alias_that_cannot_be_read_is_replaced_with_force(#[case] damage: fn(&Path), #[case] problem: &str) {
    let folder = models();
    let folder = folder.path();
    released(folder, 2);
    let damage = || {
        fs::remove_file(folder.join(ALIAS)).unwrap();
        damage(&folder.join(ALIAS));
    };
    damage();
    let listed = run(folder, "models models/");
    assert!(complained(&listed).contains(problem), "{}", complained(&listed));
    for arguments in ["promote price 1 models/", "publish price.json models/ --alias live"] {
        let refused = run(folder, arguments);
        let message = complained(&refused);
        assert!(message.contains("aliases/live.json: ") && message.contains(problem), "{message}");
        assert!(message.ends_with("\nhelp: --force replaces the file of the alias; the history in it is lost\n"));
        // The remedy of the message.
        succeeded(&run(folder, &format!("{arguments} --force")));
        assert_eq!(history(folder).len(), 1);
        damage();
    }
    for arguments in ["history price models/", "rollback price models/", "unalias price live models/ --force"] {
        let refused = run(folder, arguments);
        assert!(complained(&refused).contains(problem), "{}", complained(&refused));
        // The remedy of the message.
        replace_as_advised(folder, complained(&refused), 3);
        damage();
    }
    // So is the record of an earlier removal.
    succeeded(&run(folder, "promote price 3 models/ --force"));
    fs::create_dir_all(folder.join("models/price/removed")).unwrap();
    too_large(&folder.join("models/price/removed/live.json"));
    succeeded(&run(folder, "unalias price live models/ --force"));
    assert_eq!(history(folder), ["3"]);
}

#[tokio::test]
async fn an_object_that_is_too_large_is_replaced_with_force() {
    make_bucket().await;
    let folder = models();
    let catalog = format!("s3://{BUCKET}/releases/too-large/");
    let run = |arguments: &str| administrator(folder.path(), &format!("{arguments} {catalog}")).output().unwrap();
    succeeded(&run("publish price.json --alias live"));
    let content = vec![b' '; usize::try_from(TOO_LARGE).unwrap()];
    S3Server::shared().put(BUCKET, "releases/too-large/price/aliases/live.json", content).await;
    let refused = run("promote price 1");
    let message = complained(&refused);
    assert!(message.contains("live.json: the file exceeds the limit of 67108864 bytes\nhelp: --force "), "{message}");
    assert_eq!(succeeded(&run("promote price 1 --force")), "price@live is version 1.\n");
    assert_eq!(json(&run("history price --json"))["releases"].as_array().unwrap().len(), 1);
}

#[test]
fn an_alias_in_the_place_of_which_is_a_folder_is_reported() {
    let folder = models();
    let folder = folder.path();
    released(folder, 1);
    fs::remove_file(folder.join(ALIAS)).unwrap();
    fs::create_dir(folder.join(ALIAS)).unwrap();
    let refused = run(folder, "promote price 1 models/ --force");
    assert!(complained(&refused).contains("live.json: cannot be written: Is a directory"), "{}", complained(&refused));
    for arguments in ["promote price 1 models/", "rollback price models/", "history price models/"] {
        let refused = run(folder, arguments);
        let message = complained(&refused);
        assert!(message.contains("live.json: ") && message.contains("\nhelp: move it out of the catalog"), "{message}");
        assert!(!message.contains("--force"), "{message}");
    }
    // The remedy of the message.
    fs::rename(folder.join(ALIAS), folder.join("elsewhere")).unwrap();
    succeeded(&run(folder, "promote price 1 models/"));
    // In the place of the record of a removal, too.
    fs::create_dir_all(folder.join("models/price/removed/live.json")).unwrap();
    let refused = run(folder, "unalias price live models/ --force");
    assert!(complained(&refused).contains("\nhelp: move it out of the catalog"), "{}", complained(&refused));
    assert_eq!(history(folder), ["1"]);
}

/// The user `nobody`.
const NOBODY: u32 = 65_534;

/// A file that this user must not read, but another user can: nothing is damaged.
#[cfg(unix)]
#[test]
fn a_file_of_another_user_is_not_damaged() {
    use std::os::unix::fs::{PermissionsExt, chown};
    use std::os::unix::process::CommandExt;
    let folder = models();
    let folder = folder.path();
    released(folder, 3);
    fs::remove_file(folder.join("models/price/3.json")).unwrap();
    let allow = |path: &str, mode| fs::set_permissions(folder.join(path), fs::Permissions::from_mode(mode)).unwrap();
    allow(ALIAS, 0o000);
    // Root may read everything, so that another user runs the command, who may change all but this file.
    let is_root = fs::read(folder.join(ALIAS)).is_ok();
    let program = folder.join("ordinate");
    fs::copy(env!("CARGO_BIN_EXE_ordinate"), &program).unwrap();
    if is_root {
        allow("", 0o755);
        for path in ["models", "models/price", "models/price/aliases", "models/price/1.json", "models/price/2.json"] {
            chown(folder.join(path), Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
    let run = |arguments: &str| {
        let mut command = Command::new(&program);
        command.args(arguments.split(' ')).current_dir(folder).env_remove("MODEL_URI");
        if is_root { command.uid(NOBODY).gid(NOBODY) } else { &mut command }.output().unwrap()
    };
    for arguments in [
        "publish price.json models/",
        "publish price.json models/ --alias live --force",
        "promote price 1 models/ --force",
        "rollback price models/",
        "history price models/",
        "unalias price live models/ --force",
    ] {
        let refused = run(arguments);
        let message = complained(&refused);
        assert!(message.contains("live.json: access denied"), "{arguments}: {message}");
        assert!(!message.contains("--force") && !message.contains("help: "), "{arguments}: {message}");
    }
    assert!(!folder.join("models/price/3.json").exists(), "its number is not used again");
    allow(ALIAS, 0o644);
    assert_eq!(history(folder), ["3", "2", "1"]);
}

#[cfg(unix)]
#[test]
fn files_of_a_catalog_have_the_permissions_that_the_user_wants() {
    use std::os::unix::fs::PermissionsExt;
    let folder = models();
    let folder = folder.path();
    for (umask, mode) in [("077", 0o600), ("022", 0o644)] {
        let program = env!("CARGO_BIN_EXE_ordinate");
        let script = format!("umask {umask}; '{program}' publish price.json models-{umask}/ --alias live");
        let output = Command::new("sh").args(["-c", &script]).current_dir(folder).output().unwrap();
        succeeded(&output);
        for file in ["1.json", "aliases/live.json"] {
            let found = fs::metadata(folder.join(format!("models-{umask}/price/{file}"))).unwrap();
            assert_eq!(found.permissions().mode() & 0o777, mode, "{umask} {file}");
        }
    }
}

#[test]
fn long_texts_are_refused_before_anything_is_written() {
    let folder = models();
    let folder = folder.path();
    released(folder, 1);
    let texts = [("--message", 2_000), ("--by", 200)];
    for (option, most) in texts {
        for arguments in [
            "publish price.json models/ --alias live",
            "promote price 1 models/",
            "rollback price models/",
            "unalias price live models/ --force",
            "copy price@1 models/ other/ --alias live",
        ] {
            let refused = command(folder, arguments).args([option, &"é".repeat(most / 2 + 1)]).output().unwrap();
            let message = complained(&refused);
            let expected = format!("{option}: expected at most {most} bytes, got {}\nhelp: shorten it", most + 2);
            assert!(message.contains(&expected), "{arguments}: {message}");
        }
    }
    assert!(!folder.join("other").exists() && !folder.join("models/price/2.json").exists());
    // The longest texts, as long as they can be in JSON.
    let mut publish = command(folder, "publish price.json models/ --alias live");
    for (option, most) in texts {
        publish.args([option, &"\u{1}".repeat(most)]);
    }
    succeeded(&publish.output().unwrap());
    let bytes = fs::metadata(folder.join(ALIAS)).unwrap().len();
    // 1,000 releases, each removed.
    assert!(bytes * 2 * 1_000 < 64 << 20, "{bytes}");
}

#[test]
fn a_history_that_others_have_made_long_is_shortened_by_the_next_release() {
    let folder = models();
    let folder = folder.path();
    released(folder, 1);
    let message = "x".repeat(60_000);
    let release = |_| format!(r#"{{"version": "1", "at": "2026-11-01T00:00:00Z", "message": "{message}"}}"#);
    let releases: Vec<String> = (0..900).map(release).collect();
    fs::write(folder.join(ALIAS), format!(r#"{{"version": "1", "history": [{}]}}"#, releases.join(", "))).unwrap();
    succeeded(&run(folder, "publish price.json models/ --alias live"));
    assert!(fs::metadata(folder.join(ALIAS)).unwrap().len() < 10 << 20);
    assert!((2..900).contains(&history(folder).len()), "{}", history(folder).len());
}

#[test]
fn texts_of_the_history_do_not_control_the_terminal() {
    let folder = models();
    let folder = folder.path();
    let mut publish = command(folder, "publish price.json models/ --alias live");
    let (by, message) = ("ann\r\u{202e}", "two\nlines\u{1b}[31m\u{9b}it's \"é\"\u{2066}");
    succeeded(&publish.args(["--by", by, "--message", message]).output().unwrap());
    let table = run(folder, "history price models/");
    let table = succeeded(&table);
    assert!(!table.replace('\n', "").contains(is_text_control), "{table:?}");
    assert!(table.contains(r"ann\r\u{202e}"), "{table}");
    assert!(table.contains(r#"two\nlines\u{1b}[31m\u{9b}it's "é"\u{2066}"#), "{table}");
    let releases = json(&run(folder, "history price models/ --json"));
    assert_eq!((&releases["releases"][0]["by"], &releases["releases"][0]["message"]), (&by.into(), &message.into()));
    assert_eq!(text(&run(folder, "history price models/ --json").stdout).lines().count(), 1);

    // Those of damaged files and of folders.
    let place = folder.join("\u{202e}models/");
    fs::rename(folder.join("models"), &place).unwrap();
    let alias = r#"{"version": "\u202e1\u001b[31m", "\u2066": 1, "history": []}"#;
    fs::write(place.join("price/aliases/live.json"), alias).unwrap();
    fs::write(place.join("price/1.json"), "{\"\u{202e}\u{1b}\": ").unwrap();
    let listed = command(folder, "models").arg(&place).output().unwrap();
    let shown = format!("{}{}", complained(&listed), text(&listed.stdout));
    assert!(!shown.replace('\n', "").contains(is_text_control), "{shown:?}");
    assert!(shown.contains("%E2%80%AEmodels/price/aliases/live.json"), "{shown}");
}

//! Many publishers at once, and programs that lock a catalog.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use ordinate::source::catalog::layout;
use ordinate::source::s3::S3Settings;
use ordinate_model::Model;
use ordinate_releases::{Approval, ReleaseCatalog, Who};

use crate::releases::{history, models};
use crate::releases_damaged::released;
use crate::support::{command, run, succeeded};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_publishers_at_once_each_has_a_version_and_its_release() {
    const PUBLISHERS: usize = 160;
    let folder = models();
    let place = format!("{}/models/", folder.path().display());
    let file = fs::read(folder.path().join("price.json")).unwrap();
    let publishers: Vec<_> = (0..PUBLISHERS)
        .map(|_| {
            let catalog = ReleaseCatalog::open(&place, S3Settings::default()).unwrap().create().unwrap();
            let model = Model::from_json(&file).unwrap();
            tokio::spawn(async move {
                let published = catalog.publish(model.document()).await.unwrap().model;
                let approval = Approval::Compared(None);
                catalog.promote(&published, &layout::live(), &Who::default(), approval).await.unwrap();
                published.version().to_owned()
            })
        })
        .collect();
    let mut versions = BTreeSet::new();
    for publisher in publishers {
        versions.insert(publisher.await.unwrap());
    }
    assert_eq!(versions.len(), PUBLISHERS);
    let released: BTreeSet<String> = history(folder.path()).into_iter().collect();
    assert_eq!(released, versions);
}

#[test]
fn a_command_that_waits_for_a_lock_says_so() {
    let folder = models();
    let folder = folder.path();
    released(folder, 2);
    let aliases = folder.join("models/price/aliases");
    let lock = File::open(&aliases).unwrap();
    lock.lock().unwrap();
    let mut promote = command(folder, "promote price 1 models/");
    let mut child = promote.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut note = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut note).unwrap();
    let expected = "/models/price/aliases/: waiting, because another program has locked this folder\n";
    assert!(note.starts_with("note: file://") && note.ends_with(expected), "{note}");
    assert!(child.try_wait().unwrap().is_none());
    drop(lock);
    let output = child.wait_with_output().unwrap();
    assert_eq!(succeeded(&output), "price@live is version 1; it was 2.\n");
}

#[test]
fn files_of_writers_that_were_killed_are_deleted() {
    let folder = models();
    let folder = folder.path();
    released(folder, 1);
    let file = |name: &str| folder.join("models/price").join(name);
    let names = [".ordinate-left.tmp", ".ordinate-used.tmp", ".other.tmp", "aliases/.ordinate-left.tmp"];
    let files = names.map(|name| File::create(file(name)).unwrap());
    // A writer locks its file. However old it is, it is in use.
    files[1].lock().unwrap();
    files[1].set_modified(SystemTime::now() - Duration::from_hours(25)).unwrap();
    succeeded(&run(folder, "models models/"));
    assert_eq!(names.map(|name| file(name).exists()), [true; 4]);
    released(folder, 1);
    assert_eq!(names.map(|name| file(name).exists()), [false, true, true, false]);
}

#[test]
fn outputs_in_a_catalog_do_not_delete_the_file_of_a_publisher() {
    let folder = models();
    let folder = folder.path();
    released(folder, 2);
    let aliases = folder.join("models/price/aliases");
    let temporary = || {
        let entries = fs::read_dir(&aliases).unwrap();
        let mut names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.find(|name| name.starts_with(".ordinate-"))
    };
    let lock = File::open(&aliases).unwrap();
    lock.lock().unwrap();
    let mut child = command(folder, "promote price 1 models/").stdout(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while temporary().is_none() {
        assert!(begun.elapsed() < Duration::from_mins(1), "nothing is written");
        std::thread::sleep(Duration::from_millis(5));
    }
    succeeded(&run(folder, "predict price.json price.csv --out models/price/aliases/out.csv"));
    assert!(temporary().is_some() && child.try_wait().unwrap().is_none());
    drop(lock);
    assert_eq!(succeeded(&child.wait_with_output().unwrap()), "price@live is version 1; it was 2.\n");
    assert_eq!(temporary(), None);
}

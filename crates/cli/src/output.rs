//! Files that are there whole or not at all.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread;

use tokio::runtime;

use ordinate_server::signal::stopped;

/// Whether a path stands for standard output.
pub(super) fn is_standard_output(path: &Path) -> bool {
    path == Path::new("-") || path == Path::new("/dev/stdout")
}

/// Whether both paths lead to one file that exists.
pub(super) fn same_file(one: &Path, other: &Path) -> bool {
    matches!((fs::canonicalize(one), fs::canonicalize(other)), (Ok(one), Ok(other)) if one == other)
}

/// Whether what is written to both paths ends in one place, whether or not there is a file yet.
pub(super) fn one_place(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::canonicalize(path)
            .or_else(|_| Ok::<_, io::Error>(fs::canonicalize(folder)?.join(path.file_name().unwrap_or_default())))
    };
    let is_file = |path: &Path| fs::metadata(path).map_or(true, |metadata| metadata.is_file());
    match (is_standard_output(one), is_standard_output(other)) {
        (false, false) => is_file(one) && matches!((place(one), place(other)), (Ok(one), Ok(other)) if one == other),
        (one, other) => one && other,
    }
}

/// Files in the making, which nobody would take away after a signal.
static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn unfinished() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From the first file on, an interrupted process takes its unfinished files away before it ends.
fn tidy_when_stopped() {
    static WATCHED: Once = Once::new();
    let watch = || -> io::Result<()> {
        let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
        let stopped = {
            let _within = runtime.enter();
            stopped()?
        };
        thread::Builder::new().spawn(move || {
            let code = runtime.block_on(stopped);
            // Held to the end: no other file is begun or finished any more.
            let files = unfinished();
            files.iter().for_each(|file| drop(fs::remove_file(file)));
            process::exit(i32::from(code))
        })?;
        Ok(())
    };
    // Without it a signal leaves a file under a temporary name, which is no reason to write none.
    WATCHED.call_once(|| drop(watch()));
}

/// A file in the making, piece by piece: written beside its target under a temporary name, then renamed, so that no reader
/// ever sees half a file, and a failure leaves what was there before. Only [`keep`](Self::keep) puts it into its place; dropped before, it is gone.
#[derive(Debug)]
pub(super) struct WholeFile {
    content: BufWriter<File>,
    /// Where it is now and where it will be; none for what is no file (a pipe, `/dev/null`) and must not become one.
    move_to: Option<Move>,
}

#[derive(Debug)]
struct Move {
    temporary: PathBuf,
    target: PathBuf,
}

impl WholeFile {
    /// Begins, beside the target.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        // Through a link to the file itself: a rename would replace the link.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let in_place = fs::metadata(&target).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir());
        let (file, move_to) = if in_place {
            (OpenOptions::new().write(true).open(&target)?, None)
        } else {
            let temporary = beside(&target)?;
            tidy_when_stopped();
            let mut unfinished = unfinished();
            let file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
            unfinished.insert(temporary.clone());
            (file, Some(Move { temporary, target }))
        };
        Ok(Self { content: BufWriter::with_capacity(1 << 16, file), move_to })
    }

    /// Ends: everything is on the disk and in its place.
    pub(super) fn keep(mut self) -> io::Result<()> {
        self.content.flush()?;
        if let Some(Move { temporary, target }) = &self.move_to {
            self.content.get_ref().sync_all()?;
            let mut unfinished = unfinished();
            fs::rename(temporary, target)?;
            unfinished.remove(temporary);
            drop(unfinished);
            self.move_to = None;
        }
        Ok(())
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.content.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.content.flush()
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        if let Some(Move { temporary, .. }) = &self.move_to {
            let mut unfinished = unfinished();
            unfinished.remove(temporary);
            // The failure that led here is the one worth telling.
            let _ = fs::remove_file(temporary);
        }
    }
}

fn beside(path: &Path) -> io::Result<PathBuf> {
    let name =
        path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "this is not a file name"))?;
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}.tmp", process::id()));
    Ok(path.with_file_name(temporary))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_there_when_it_is_kept_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        fs::write(&path, "before").unwrap();
        let mut file = WholeFile::create(&path).unwrap();
        file.write_all(b"after").unwrap();
        file.flush().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "before");
        file.keep().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "after");
        assert_eq!(names(folder.path()), ["out"]);
    }

    #[test]
    fn what_is_dropped_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = WholeFile::create(&folder.path().join("out")).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(names(folder.path()), [""; 0]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "before").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let mut whole = WholeFile::create(&link).unwrap();
        whole.write_all(b"after").unwrap();
        whole.keep().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "after");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_written_to_and_not_replaced() {
        use std::process::{Command, Stdio};

        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = Command::new("cat").arg(&pipe).stdout(Stdio::piped()).spawn().unwrap();
        let mut whole = WholeFile::create(&pipe).unwrap();
        whole.write_all(b"anything").unwrap();
        whole.keep().unwrap();
        assert_eq!(reader.wait_with_output().unwrap().stdout, b"anything");
        assert_eq!(names(folder.path()), ["pipe"]);
    }
}

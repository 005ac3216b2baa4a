//! A progress bar for work that takes longer than a second, on a terminal.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use ordinate_table::{Step, Watch};

/// Shorter work shows nothing.
const DELAY: Duration = Duration::from_secs(1);

/// The bytes read so far. Only a terminal shows them; the line is removed on drop.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    since: Instant,
    /// Whether the bar is shown already, or never will be.
    settled: AtomicBool,
}

impl Progress {
    /// Without a total (standard input) it shows a count. It shows nothing unless `wanted` and standard error is a
    /// terminal.
    pub(super) fn of_bytes(total: Option<u64>, wanted: bool) -> Self {
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
        let template = match total {
            Some(_) => "{wide_bar} {bytes} of {total_bytes}, {eta} left",
            None => "{spinner} {bytes}, {bytes_per_sec}",
        };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style);
        let shown = wanted && io::stderr().is_terminal();
        Self { bar, since: Instant::now(), settled: AtomicBool::new(!shown) }
    }

    /// For work in stages, each with its own total.
    pub(super) fn of_stages(wanted: bool) -> Self {
        let progress = Self::of_bytes(Some(0), wanted);
        let template = "{wide_bar} {msg}, {percent} %";
        progress.bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        progress
    }

    /// Begins a stage.
    fn stage(&self, name: &'static str, total: u64) {
        self.bar.set_message(name);
        self.bar.set_length(total.max(1));
        self.bar.set_position(0);
        self.inc(0);
    }

    /// Adds bytes or rows.
    pub(super) fn inc(&self, bytes: u64) {
        self.bar.inc(bytes);
        if !self.settled.load(Ordering::Relaxed) && self.since.elapsed() >= DELAY {
            self.settled.store(true, Ordering::Relaxed);
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    /// A callback for a reader.
    pub(super) fn watch(self: &Arc<Self>) -> Watch {
        let progress = Arc::clone(self);
        Watch(Arc::new(move |step| match step {
            Step::Stage(name, total) => progress.stage(name, total),
            Step::Done(count) => progress.inc(count),
        }))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// The bytes of all files; `None` if one of them is not a regular file.
pub(super) fn total_bytes(files: &[PathBuf]) -> Option<u64> {
    let length = |path: &PathBuf| fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|metadata| metadata.len());
    files.iter().map(length).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_begins_at_zero() {
        let progress = Arc::new(Progress::of_stages(false));
        let watch = progress.watch();
        watch.stage("reading", 10);
        watch.report(10);
        watch.stage("computing", 4);
        watch.report(1);
        assert_eq!((progress.bar.position(), progress.bar.length()), (1, Some(4)));
        assert_eq!(progress.bar.message(), "computing");
    }

    #[test]
    fn without_a_terminal_it_counts_and_shows_nothing() {
        let progress = Progress::of_bytes(Some(10), false);
        progress.inc(3);
        progress.inc(4);
        assert_eq!(progress.bar.position(), 7);
        assert!(progress.bar.is_hidden());
    }
}

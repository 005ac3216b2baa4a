//! A bar for work that takes longer than a second, where somebody is watching.

use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work shorter than this shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// Bytes read of all there are. Nothing of it ever reaches anything but a terminal; dropped, it takes its line away,
/// so that what is printed next begins where the bar was.
///
/// Floors below know no bars: hand them `&|bytes| progress.inc(bytes)`.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    since: Instant,
    /// Set once the bar is there for good, or known never to be.
    settled: AtomicBool,
}

impl Progress {
    /// Begins. Without a total (standard input) it counts and shows no share; without `wanted`, or when standard error
    /// is no terminal, it shows nothing at all.
    pub(super) fn of_bytes(total: Option<u64>, wanted: bool) -> Self {
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
        let template = match total {
            Some(_) => "{wide_bar} {bytes} of {total_bytes}, {eta} left",
            None => "{spinner} {bytes}, {bytes_per_sec}",
        };
        // A template that does not parse would be a mistake of ours; the built-in style is no reason to fail for it.
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style);
        let shown = wanted && io::stderr().is_terminal();
        Self { bar, since: Instant::now(), settled: AtomicBool::new(!shown) }
    }

    /// So many bytes more.
    pub(super) fn inc(&self, bytes: u64) {
        self.bar.inc(bytes);
        if !self.settled.load(Ordering::Relaxed) && self.since.elapsed() >= PATIENCE {
            self.settled.store(true, Ordering::Relaxed);
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_and_shows_nothing_where_nobody_watches() {
        let progress = Progress::of_bytes(Some(10), false);
        progress.inc(3);
        progress.inc(4);
        assert_eq!(progress.bar.position(), 7);
        assert!(progress.bar.is_hidden());
    }
}

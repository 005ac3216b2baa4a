//! The width of lines on standard output.

use terminal_size::{Width, terminal_size_of};

/// The width where standard output is not a terminal.
const WIDTH: usize = 120;

/// A narrower terminal breaks lines itself.
const LEAST: usize = 40;

/// The number of characters that a line may have.
pub(super) fn line_width() -> usize {
    let terminal = terminal_size_of(std::io::stdout()).map(|(Width(width), _)| usize::from(width));
    terminal.map_or(WIDTH, |width| width.max(LEAST))
}

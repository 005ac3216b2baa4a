//! Exact medians of columns that are not held: the bits of the middle value are found 16 at a time, one pass each.

use super::spool::{Spool, SpoolError};
use super::tally::{ordered, unordered};

/// Bits that a pass settles.
const STEP: u32 = 16;

/// The search for one column's middle.
#[derive(Debug)]
struct Search {
    column: usize,
    /// How many numbers the column has.
    numbers: u64,
    /// The leading bits that are known.
    prefix: u64,
    /// The rank that is looked for, among the numbers with that prefix.
    rank: u64,
    /// How many numbers have each next piece.
    counts: Vec<u64>,
    /// Numbers up to the middle one, and the smallest above it.
    up_to: u64,
    above: f64,
}

/// The median of each of these columns, given with how many numbers it has: of an even number, the mean of the middle two.
///
/// # Errors
/// Those of reading the rows.
pub fn medians(rows: &Spool, columns: &[(usize, u64)]) -> Result<Vec<f64>, SpoolError> {
    let search = |&(column, numbers): &(usize, u64)| Search {
        column,
        numbers,
        prefix: 0,
        rank: numbers.saturating_sub(1) / 2,
        counts: vec![0; 1 << STEP],
        up_to: 0,
        above: f64::INFINITY,
    };
    let mut searches: Vec<Search> = columns.iter().map(search).collect();
    if searches.is_empty() {
        return Ok(Vec::new());
    }
    for known in (0..u64::BITS).step_by(STEP as usize) {
        each_number(rows, &mut searches, |search, value| search.count(ordered(value), known))?;
        searches.iter_mut().for_each(Search::narrow);
    }
    each_number(rows, &mut searches, Search::compare)?;
    Ok(searches.iter().map(Search::median).collect())
}

fn each_number(
    rows: &Spool,
    searches: &mut [Search],
    mut each: impl FnMut(&mut Search, f64),
) -> Result<(), SpoolError> {
    rows.scan(|row| {
        for search in &mut *searches {
            if let Some(value) = row.get(search.column).filter(|value| !value.is_nan()) {
                each(search, *value);
            }
        }
    })
}

impl Search {
    fn count(&mut self, bits: u64, known: u32) {
        if bits.checked_shr(u64::BITS - known).unwrap_or(0) == self.prefix {
            let piece = (bits >> (u64::BITS - known - STEP)) & ((1 << STEP) - 1);
            if let Some(count) = usize::try_from(piece).ok().and_then(|piece| self.counts.get_mut(piece)) {
                *count += 1;
            }
        }
    }

    fn narrow(&mut self) {
        let mut next = 0;
        for (count, piece) in self.counts.iter_mut().zip(0_u64..) {
            if self.rank < *count {
                next = piece;
                break;
            }
            self.rank -= *count;
        }
        self.prefix = (self.prefix << STEP) | next;
        self.counts.fill(0);
    }

    fn compare(&mut self, value: f64) {
        let middle = unordered(self.prefix);
        if value <= middle {
            self.up_to += 1;
        } else {
            self.above = self.above.min(value);
        }
    }

    fn median(&self) -> f64 {
        let lower = unordered(self.prefix);
        // The upper of the middle two, counted from 0, has the rank numbers / 2.
        let upper = if self.numbers / 2 < self.up_to { lower } else { self.above };
        if upper.total_cmp(&lower).is_eq() { lower } else { f64::midpoint(lower, upper) }
    }
}

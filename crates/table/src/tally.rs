//! Counts of numbers, as long as few are different.

use std::collections::BTreeMap;

/// Counts of numbers, up to a limit of different ones.
#[derive(Debug)]
pub struct Tally {
    limit: usize,
    counts: BTreeMap<u64, u64>,
    has_overflowed: bool,
}

impl Tally {
    /// Counts at most this many different numbers.
    pub fn new(limit: usize) -> Self {
        Self { limit, counts: BTreeMap::new(), has_overflowed: false }
    }

    /// Counts one more.
    pub fn push(&mut self, value: f64) {
        if !self.is_open() {
            return;
        }
        *self.counts.entry(ordered(value)).or_default() += 1;
        self.has_overflowed = self.counts.len() > self.limit;
    }

    /// Whether further numbers are counted.
    pub fn is_open(&self) -> bool {
        self.limit > 0 && !self.has_overflowed
    }

    /// Each number, ascending, and its count; `None` if too many are different.
    pub fn counts(&self) -> Option<impl Iterator<Item = (f64, u64)>> {
        (!self.has_overflowed).then(|| self.counts.iter().map(|(bits, count)| (unordered(*bits), *count)))
    }
}

/// The bits of a number, transformed so that they have its order; −0 becomes 0.
pub fn ordered(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 0 { bits | (1 << 63) } else { !bits }
}

/// The inverse of [`ordered`].
pub fn unordered(bits: u64) -> f64 {
    f64::from_bits(if bits >> 63 == 1 { bits & !(1 << 63) } else { !bits })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ordered_bits_have_the_order_of_the_numbers_and_can_be_inverted(one: f64, other: f64) {
            prop_assume!(one.is_finite() && other.is_finite());
            prop_assert!(unordered(ordered(one)).total_cmp(&(one + 0.0)).is_eq());
            prop_assert_eq!(one.partial_cmp(&other), Some(ordered(one).cmp(&ordered(other))));
        }
    }
}

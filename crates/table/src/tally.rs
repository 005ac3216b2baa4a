//! Numbers counted by value, as long as there are few.

use std::collections::BTreeMap;

/// Numbers counted by value; gives up beyond a limit.
#[derive(Debug)]
pub struct Tally {
    limit: usize,
    counts: BTreeMap<u64, u64>,
    overflown: bool,
}

impl Tally {
    /// Counts at most this many different values.
    pub fn new(limit: usize) -> Self {
        Self { limit, counts: BTreeMap::new(), overflown: false }
    }

    /// Counts one more.
    pub fn push(&mut self, value: f64) {
        if !self.is_open() {
            return;
        }
        *self.counts.entry(ordered(value)).or_default() += 1;
        self.overflown = self.counts.len() > self.limit;
    }

    /// Whether more values would still change it.
    pub fn is_open(&self) -> bool {
        self.limit > 0 && !self.overflown
    }

    /// Each value, ascending, and how often it is there; none when there were too many.
    pub fn counts(&self) -> Option<impl Iterator<Item = (f64, u64)>> {
        (!self.overflown).then(|| self.counts.iter().map(|(bits, count)| (unordered(*bits), *count)))
    }
}

/// The bits of a number, so turned that they ascend with it; −0 is 0.
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
        fn ordered_bits_ascend_with_the_numbers_and_lead_back(one: f64, other: f64) {
            prop_assume!(one.is_finite() && other.is_finite());
            prop_assert!(unordered(ordered(one)).total_cmp(&(one + 0.0)).is_eq());
            prop_assert_eq!(one.partial_cmp(&other), Some(ordered(one).cmp(&ordered(other))));
        }
    }
}

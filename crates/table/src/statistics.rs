//! Weighted means, exact medians and counts of columns that are not in memory: a row of weight 2 counts as two rows.
//!
//! A median is found 16 bits at a time, with one pass each.

use std::collections::BTreeMap;

use super::contents::MAX_WORDS;
use super::missing::Policy;
use super::spool::{Spool, SpoolError};
use super::tally::{ordered, unordered};
use ordinate_model::double_double::DoubleDouble;

/// Bits of a median that one pass finds.
const STEP: u32 = 16;

/// The limit of different values that are counted, which need a few megabytes: all words that are kept, and the others.
const MOST_COUNTED: usize = MAX_WORDS + 1;

/// The statistic of a column that imputation needs.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Statistic {
    /// No statistic.
    #[default]
    None,
    /// `Σ wx / Σ w`; not finite if the sum exceeds a double.
    Mean(f64),
    /// The weighted median.
    Median(f64),
    /// Each value, ascending, and the weight of its rows; `None` for too many values.
    Counts(Option<Vec<(f64, DoubleDouble)>>),
}

/// The statistic of each column that its policy needs, over encoded rows. `weight` is the position of the weights, if
/// there are any.
///
/// # Errors
/// [`SpoolError`] when the rows cannot be read.
pub fn statistics(rows: &Spool, policies: &[&Policy], weight: Option<usize>) -> Result<Vec<Statistic>, SpoolError> {
    let mut all: Vec<Accumulator> = policies.iter().map(|policy| Accumulator::new(policy)).collect();
    if all.iter().any(|accumulator| !matches!(accumulator, Accumulator::Nothing)) {
        each_value(rows, &mut all, weight, Accumulator::push)?;
    }
    if all.iter().any(|accumulator| matches!(accumulator, Accumulator::Median(_))) {
        for known in (0..u64::BITS).step_by(STEP as usize) {
            each_value(rows, &mut all, weight, |accumulator, value, weight| {
                if let Accumulator::Median(search) = accumulator {
                    search.count(ordered(value), known, weight);
                }
            })?;
            all.iter_mut().for_each(Accumulator::narrow);
        }
        each_value(rows, &mut all, weight, |accumulator, value, _| {
            if let Accumulator::Median(search) = accumulator {
                search.compare(value);
            }
        })?;
    }
    Ok(all.into_iter().map(Accumulator::finish).collect())
}

fn each_value(
    rows: &Spool,
    columns: &mut [Accumulator],
    weight: Option<usize>,
    mut each: impl FnMut(&mut Accumulator, f64, f64),
) -> Result<(), SpoolError> {
    rows.scan(|row| {
        let weight = weight.and_then(|place| row.get(place)).copied().unwrap_or(1.0);
        for (column, value) in columns.iter_mut().zip(row) {
            if !value.is_nan() {
                each(column, *value, weight);
            }
        }
    })
}

/// A statistic that is being computed.
#[derive(Debug)]
enum Accumulator {
    Nothing,
    Mean { sum: DoubleDouble, weight: DoubleDouble },
    Median(Search),
    Counts(BTreeMap<u64, DoubleDouble>),
}

impl Accumulator {
    fn new(policy: &Policy) -> Self {
        match policy {
            Policy::Mean => Self::Mean { sum: DoubleDouble::default(), weight: DoubleDouble::default() },
            Policy::Median => Self::Median(Search::new()),
            Policy::MostFrequent => Self::Counts(BTreeMap::new()),
            Policy::Auto | Policy::Reject | Policy::Drop | Policy::Category | Policy::Constant(_) => Self::Nothing,
        }
    }

    fn push(&mut self, value: f64, of_row: f64) {
        let of_row = DoubleDouble::from(of_row);
        match self {
            Self::Nothing => {}
            Self::Mean { sum, weight } => {
                *sum = *sum + DoubleDouble::from(value) * of_row;
                *weight = *weight + of_row;
            }
            Self::Median(search) => search.half = search.half + of_row * DoubleDouble::from(0.5),
            // One more than the limit shows that there are too many.
            Self::Counts(counts) if counts.len() > MOST_COUNTED => {}
            Self::Counts(counts) => {
                let count = counts.entry(ordered(value)).or_default();
                *count = *count + of_row;
            }
        }
    }

    fn narrow(&mut self) {
        if let Self::Median(search) = self {
            search.narrow();
        }
    }

    fn finish(self) -> Statistic {
        match self {
            Self::Nothing => Statistic::None,
            Self::Mean { sum, weight } => Statistic::Mean((sum / weight).to_f64()),
            Self::Median(search) => Statistic::Median(search.median()),
            Self::Counts(counts) if counts.len() > MOST_COUNTED => Statistic::Counts(None),
            Self::Counts(counts) => {
                Statistic::Counts(Some(counts.into_iter().map(|(bits, count)| (unordered(bits), count)).collect()))
            }
        }
    }
}

/// The search for the median of a column.
#[derive(Debug)]
struct Search {
    /// Half of the weight of all numbers.
    half: DoubleDouble,
    /// The known leading bits of the lower median.
    prefix: u64,
    /// The weight of the numbers below that prefix, and of the numbers up to it.
    below: DoubleDouble,
    up_to: DoubleDouble,
    /// The weight of the numbers for each value of the next 16 bits.
    weights: Vec<DoubleDouble>,
    /// The smallest number above.
    above: f64,
}

impl Search {
    fn new() -> Self {
        Self {
            half: DoubleDouble::default(),
            prefix: 0,
            below: DoubleDouble::default(),
            up_to: DoubleDouble::default(),
            weights: vec![DoubleDouble::default(); 1 << STEP],
            above: f64::INFINITY,
        }
    }

    fn count(&mut self, bits: u64, known: u32, weight: f64) {
        if bits.checked_shr(u64::BITS - known).unwrap_or(0) == self.prefix {
            let piece = (bits >> (u64::BITS - known - STEP)) & ((1 << STEP) - 1);
            if let Some(sum) = usize::try_from(piece).ok().and_then(|piece| self.weights.get_mut(piece)) {
                *sum = *sum + DoubleDouble::from(weight);
            }
        }
    }

    /// Finds the next bits of the lower median, the first number up to which half of the weight lies.
    fn narrow(&mut self) {
        let zero = DoubleDouble::default();
        let mut next = 0;
        for (weight, piece) in self.weights.iter().zip(0_u64..).filter(|(weight, _)| **weight != zero) {
            next = piece;
            self.up_to = self.below + *weight;
            if self.up_to >= self.half {
                break;
            }
            self.below = self.up_to;
        }
        self.prefix = (self.prefix << STEP) | next;
        self.weights.fill(zero);
    }

    fn compare(&mut self, value: f64) {
        if value > unordered(self.prefix) {
            self.above = self.above.min(value);
        }
    }

    /// The midpoint of two numbers if exactly half of the weight lies on either side.
    fn median(&self) -> f64 {
        let lower = unordered(self.prefix);
        if self.up_to == self.half && self.above.is_finite() { f64::midpoint(lower, self.above) } else { lower }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::spool::Filling;
    use super::*;

    const ALL: [Policy; 3] = [Policy::Mean, Policy::Median, Policy::MostFrequent];

    fn of(values: &[(f64, f64)]) -> Vec<Statistic> {
        let mut filling = Filling::new(4);
        for (value, weight) in values {
            filling.push(&[*value, *value, *value, *weight]).unwrap();
        }
        statistics(&filling.finish().unwrap(), &ALL.each_ref(), Some(3)).unwrap()
    }

    #[test]
    fn the_median_is_a_midpoint_if_half_of_the_weight_lies_on_either_side() {
        let median = |values: &[(f64, f64)]| of(values).swap_remove(1);
        assert_eq!(median(&[(1.0, 1.0), (3.0, 1.0)]), Statistic::Median(2.0));
        assert_eq!(median(&[(1.0, 1.0), (3.0, 1.5)]), Statistic::Median(3.0));
        assert_eq!(median(&[(3.0, 0.25), (f64::NAN, 9.0), (-1.0, 0.5), (7.0, 0.25)]), Statistic::Median(1.0));
        assert_eq!(median(&[(5.0, 0.1)]), Statistic::Median(5.0));
        // As doubles the weights of the first two add up to more than that of the third.
        assert_eq!(median(&[(1.0, 0.1), (2.0, 0.2), (3.0, 0.3)]), Statistic::Median(2.0));
    }

    proptest! {
        #[test]
        fn a_row_of_weight_two_is_two_rows(values in prop::collection::vec((-3_i32..4, 1_u32..5), 1..40)) {
            let weighted: Vec<(f64, f64)> =
                values.iter().map(|(value, weight)| (f64::from(*value) / 3.0, f64::from(*weight))).collect();
            let mut repeated: Vec<(f64, f64)> = Vec::new();
            for ((value, _), (_, weight)) in weighted.iter().zip(&values) {
                repeated.extend((0..*weight).map(|_| (*value, 1.0)));
            }
            prop_assert_eq!(of(&weighted), of(&repeated));
            repeated.sort_by(|one, other| one.0.total_cmp(&other.0));
            let middle = f64::midpoint(repeated[(repeated.len() - 1) / 2].0, repeated[repeated.len() / 2].0);
            prop_assert_eq!(of(&weighted).swap_remove(1), Statistic::Median(middle));
        }
    }
}

//! The axis of effects.

use std::f64::consts::{LN_2, LOG2_10, LOG10_2};
use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::coord::types::RangedCoordf64;

use crate::summary::rounded;

/// How effects are shown at an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueAxis {
    /// As they are.
    Linear,
    /// As odds ratios or rate ratios on a logarithmic axis, whose positions are binary logarithms.
    Ratio,
}

/// The most ticks of an axis with equal steps.
const STEPS: f64 = 10.0;
/// The most ticks of a logarithmic axis.
const RATIOS: f64 = 12.0;
/// From this ratio of its ends on, a logarithmic axis has ticks at 1, 2 and 5 times powers of ten.
const WIDE_RATIO: f64 = 8.0;

impl ValueAxis {
    /// The size of a step of 1 along the axis.
    pub(super) const fn unit(self) -> f64 {
        match self {
            Self::Linear => 1.0,
            Self::Ratio => LN_2,
        }
    }

    /// The text at a position.
    pub(super) fn label(self, position: f64) -> String {
        match self {
            Self::Linear => rounded(position, 5),
            // Beyond the range of doubles, ticks are powers of ten.
            Self::Ratio => match libm::exp2(position) {
                ratio if ratio.is_normal() && ratio < f64::MAX => rounded(ratio, 5),
                _ => format!("1e{}", (position * LOG10_2).round()),
            },
        }
    }

    /// The coordinate of positions in a range.
    pub(super) fn coordinate(self, [left, right]: [f64; 2]) -> TickedCoordinate {
        TickedCoordinate { positions: (left..right).into(), ticks: self.ticks([left, right]) }
    }

    /// The positions of ticks, whose values are round.
    fn ticks(self, [left, right]: [f64; 2]) -> Vec<f64> {
        match self {
            Self::Linear => equal_steps([left, right]),
            Self::Ratio if right - left <= libm::log2(WIDE_RATIO) => {
                equal_steps([libm::exp2(left), libm::exp2(right)]).into_iter().map(libm::log2).collect()
            }
            Self::Ratio => {
                let is_inside = |position: &f64| (left..=right).contains(position);
                let exponents = || whole([left * LOG10_2 - 1.0, right * LOG10_2], 1.0);
                let multiples = |exponent: f64| [1.0, 2.0, 5.0].map(|factor| libm::log2(factor) + exponent * LOG2_10);
                let ticks: Vec<f64> = exponents().flat_map(multiples).filter(is_inside).collect();
                if ticks.len() as f64 <= RATIOS {
                    return ticks;
                }
                let every = ((right - left) * LOG10_2 / RATIOS).ceil();
                let powers = whole([left * LOG10_2, right * LOG10_2], every);
                powers.map(|exponent| exponent * LOG2_10).filter(is_inside).collect()
            }
        }
    }
}

/// A coordinate with its own ticks.
pub(super) struct TickedCoordinate {
    positions: RangedCoordf64,
    ticks: Vec<f64>,
}

impl Ranged for TickedCoordinate {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        self.positions.map(value, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.positions.range()
    }
}

/// Multiples of 1, 2 or 5 times a power of ten.
fn equal_steps([low, high]: [f64; 2]) -> Vec<f64> {
    let smallest = (high - low) / STEPS;
    if !(smallest.is_finite() && smallest > 0.0) {
        return Vec::new();
    }
    let power = libm::exp10(libm::log10(smallest).floor());
    let steps = [1.0, 2.0, 5.0].map(|factor| factor * power);
    let step = steps.into_iter().find(|step| *step >= smallest).unwrap_or(10.0 * power);
    whole([low / step, high / step], 1.0).map(|count| count * step).collect()
}

/// The multiples of a whole number in a range.
fn whole([low, high]: [f64; 2], every: f64) -> impl Iterator<Item = f64> {
    let first = (low / every).ceil();
    (0..1000_u32).map(move |count| (first + f64::from(count)) * every).take_while(move |value| *value <= high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: ValueAxis, ends: [f64; 2]) -> String {
        axis.ticks(ends).into_iter().map(|tick| axis.label(tick)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn ratios_have_round_ticks() {
        let ratios = |low: f64, high: f64| labels(ValueAxis::Ratio, [low.log2(), high.log2()]);
        assert_eq!(ratios(0.74, 1.27), "0.8 0.9 1 1.1 1.2");
        assert_eq!(ratios(0.97, 1.031), "0.97 0.98 0.99 1 1.01 1.02 1.03");
        assert_eq!(ratios(0.0149, 17.0), "0.02 0.05 0.1 0.2 0.5 1 2 5 10");
        assert_eq!(ratios(0.0008, 1100.0), "0.001 0.01 0.1 1 10 100 1000");
        assert!(ValueAxis::Ratio.ticks([-1e4, 1e4]).len() <= 13);
        let beyond = labels(ValueAxis::Ratio, [-2500.0, 2500.0]);
        assert_eq!(beyond, "1e-630 1e-504 1e-378 1e-252 1e-126 1 1e126 1e252 1e378 1e504 1e630");
    }

    #[test]
    fn values_have_ticks_in_equal_steps_through_zero() {
        assert_eq!(labels(ValueAxis::Linear, [-0.31, 0.52]), "-0.3 -0.2 -0.1 0 0.1 0.2 0.3 0.4 0.5");
        assert!(ValueAxis::Linear.ticks([0.0, f64::INFINITY]).is_empty());
    }
}

//! The axes of charts: where their ticks are, and how they are labelled.

use std::f64::consts::{LN_2, LOG2_10, LOG10_2};

use crate::summary::rounded;

/// How the values of an axis are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum ValueAxis {
    /// As they are.
    #[default]
    Linear,
    /// On a logarithmic axis, whose positions are binary logarithms.
    Ratio,
}

/// A labelled position of an axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub(super) position: f64,
    pub(super) label: String,
    /// The classes that hide it in figures of some widths.
    pub(super) class: Option<String>,
}

/// The numbers of ticks to choose from.
const TICKS: [usize; 7] = [12, 10, 8, 6, 4, 3, 2];
/// Widths of figures: the class that hides a tick there, and the least width of an axis in pixels. The style sheet has
/// the widths that separate them.
const WIDTHS: [(&str, f64); 3] = [("not-narrow", 230.0), ("not-medium", 360.0), ("not-wide", 550.0)];
/// The width of a character of a label, and the least distance of two labels.
const CHARACTER: f64 = 7.5;
const GAP: f64 = 8.0;
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

    /// The ticks of a horizontal axis: for each width of a figure as many as there is room for.
    pub(super) fn across(self, ends: [f64; 2]) -> Vec<Tick> {
        let widths = WIDTHS.map(|(class, pixels)| (class, self.fitting(ends, pixels)));
        let has = |ticks: &[Tick], label: &str| ticks.iter().any(|tick| tick.label == label);
        let mut all: Vec<Tick> = Vec::new();
        for (_, ticks) in &widths {
            let new: Vec<Tick> = ticks.iter().filter(|tick| !has(&all, &tick.label)).cloned().collect();
            all.extend(new);
        }
        for tick in &mut all {
            let hidden = widths.iter().filter(|(_, ticks)| !has(ticks, &tick.label)).map(|(class, _)| *class);
            let hidden = hidden.collect::<Vec<_>>().join(" ");
            tick.class = (!hidden.is_empty()).then_some(hidden);
        }
        all
    }

    /// The ticks of a vertical axis.
    pub(super) fn up(self, ends: [f64; 2]) -> Vec<Tick> {
        self.labelled(ends, 6)
    }

    /// The most ticks whose labels do not overlap on an axis of this many pixels.
    fn fitting(self, [left, right]: [f64; 2], pixels: f64) -> Vec<Tick> {
        let scale = pixels / (right - left);
        let fits = |ticks: &Vec<Tick>| {
            ticks.windows(2).all(|pair| match pair {
                [one, next] => {
                    let characters = (one.label.chars().count() + next.label.chars().count()) as f64 / 2.0;
                    (next.position - one.position) * scale >= characters * CHARACTER + GAP
                }
                _ => true,
            })
        };
        TICKS.iter().map(|most| self.labelled([left, right], *most)).find(fits).unwrap_or_default()
    }

    fn labelled(self, ends: [f64; 2], most: usize) -> Vec<Tick> {
        let tick = |position| Tick { position, label: self.label(position), class: None };
        self.ticks(ends, most).into_iter().map(tick).collect()
    }

    /// The positions of about this many ticks, whose values are round.
    fn ticks(self, [left, right]: [f64; 2], most: usize) -> Vec<f64> {
        match self {
            Self::Linear => equal_steps([left, right], most),
            Self::Ratio if right - left <= libm::log2(WIDE_RATIO) => {
                equal_steps([libm::exp2(left), libm::exp2(right)], most).into_iter().map(libm::log2).collect()
            }
            Self::Ratio => {
                let is_inside = |position: &f64| (left..=right).contains(position);
                let exponents = || whole([left * LOG10_2 - 1.0, right * LOG10_2], 1.0);
                let multiples = |exponent: f64| [1.0, 2.0, 5.0].map(|factor| libm::log2(factor) + exponent * LOG2_10);
                let ticks: Vec<f64> = exponents().flat_map(multiples).filter(is_inside).collect();
                if ticks.len() <= most {
                    return ticks;
                }
                let every = ((right - left) * LOG10_2 / most as f64).ceil();
                let powers = whole([left * LOG10_2, right * LOG10_2], every);
                powers.map(|exponent| exponent * LOG2_10).filter(is_inside).collect()
            }
        }
    }
}

/// Multiples of 1, 2 or 5 times a power of ten.
fn equal_steps([low, high]: [f64; 2], most: usize) -> Vec<f64> {
    let smallest = (high - low) / most as f64;
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

    fn labels(axis: ValueAxis, ends: [f64; 2], most: usize) -> String {
        axis.ticks(ends, most).into_iter().map(|tick| axis.label(tick)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn ratios_have_round_ticks() {
        let ratios = |low: f64, high: f64| labels(ValueAxis::Ratio, [low.log2(), high.log2()], 10);
        assert_eq!(ratios(0.74, 1.27), "0.8 0.9 1 1.1 1.2");
        assert_eq!(ratios(0.97, 1.031), "0.97 0.98 0.99 1 1.01 1.02 1.03");
        assert_eq!(ratios(0.0149, 17.0), "0.02 0.05 0.1 0.2 0.5 1 2 5 10");
        assert_eq!(ratios(0.0008, 1100.0), "0.001 0.01 0.1 1 10 100 1000");
        let beyond = labels(ValueAxis::Ratio, [-2500.0, 2500.0], 12);
        assert_eq!(beyond, "1e-630 1e-504 1e-378 1e-252 1e-126 1 1e126 1e252 1e378 1e504 1e630");
    }

    #[test]
    fn values_have_ticks_in_equal_steps_through_zero() {
        assert_eq!(labels(ValueAxis::Linear, [-0.31, 0.52], 10), "-0.3 -0.2 -0.1 0 0.1 0.2 0.3 0.4 0.5");
        assert_eq!(labels(ValueAxis::Linear, [-0.04, 0.52], 3), "0 0.2 0.4");
        assert!(ValueAxis::Linear.ticks([0.0, f64::INFINITY], 10).is_empty());
    }

    #[test]
    fn a_narrow_axis_has_fewer_ticks() {
        let ticks = ValueAxis::Linear.across([0.0, 1.0]);
        let of = |class| -> Vec<&str> {
            let is_hidden = |tick: &&Tick| tick.class.as_ref().is_some_and(|own| own.contains(class));
            let visible = ticks.iter().filter(|tick| !is_hidden(tick));
            visible.map(|tick| tick.label.as_str()).collect()
        };
        assert_eq!((of("not-wide").len(), of("not-medium").len()), (11, 11));
        assert_eq!(of("not-narrow"), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        // Long labels have more room.
        assert!(ValueAxis::Linear.across([1.0e5, 1.000_02e5]).len() < 8);
    }
}

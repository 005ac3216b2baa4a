//! Sums, products and powers of numbers, without the loss of digits that the model avoids with double-double arithmetic.

use ordinate_model::double_double::DoubleDouble;
use ordinate_model::preprocess::FactorFunction;

use crate::dialect::Dialect;
use crate::inputs::Input;
use crate::terms::power_of_ten;

/// Arithmetic in a dialect, on any expressions.
pub(crate) struct Arithmetic {
    dialect: Dialect,
}

/// A power of a number.
pub(crate) struct Power {
    value: String,
    exponent: u32,
    /// A number near all values, if they are far from zero compared with their range.
    centre: Option<f64>,
}

impl Power {
    pub(crate) fn new(input: &Input<'_>, exponent: u32) -> Self {
        /// Values whose range is a smaller fraction of their size lose digits in a power.
        const NARROW: f64 = 0.01;
        let centre = input.feature.range.and_then(|[low, high]| {
            let centre = low / 2.0 + high / 2.0;
            ((high - low) < NARROW * centre.abs()).then_some(centre)
        });
        Self { value: operand(&input.number()), exponent, centre }
    }
}

/// The smallest product that is not flushed to zero where a dialect rejects smaller ones.
const SMALLEST: f64 = 1e-290;

impl Arithmetic {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self { dialect }
    }

    /// `value − number`, not an operand of `*` and `/`.
    pub(crate) fn minus(&self, value: &str, number: f64) -> String {
        if number == 0.0 {
            value.to_owned()
        } else if number < 0.0 {
            format!("{value} + {}", self.dialect.number(-number))
        } else {
            format!("{value} - {}", self.dialect.number(number))
        }
    }

    /// `value / number` of any expression.
    #[allow(clippy::float_cmp)]
    pub(crate) fn over(&self, value: &str, number: f64) -> String {
        let value = operand(value);
        if number == 1.0 { value } else { format!("{value} / {}", self.dialect.number(number)) }
    }

    /// `value * number` of a product.
    #[allow(clippy::float_cmp)]
    pub(crate) fn times(&self, value: &str, number: f64) -> String {
        if number == 1.0 { value.to_owned() } else { format!("{value} * {}", self.dialect.number(number)) }
    }

    /// A value to a power.
    pub(crate) fn power(&self, value: &str, power: u32) -> String {
        match power {
            1 => operand(value),
            2 => format!("{0} * {0}", operand(value)),
            _ => format!("POWER({value}, {})", self.dialect.number(f64::from(power))),
        }
    }

    /// A function of a number that is in its domain.
    pub(crate) fn function(&self, function: FactorFunction, value: &str) -> String {
        match function {
            FactorFunction::Log => format!("LN({value})"),
            FactorFunction::Sqrt => format!("SQRT({value})"),
            // Not all dialects have log1p. By Kahan: the rounding error of 1 + x cancels.
            FactorFunction::Log1p => {
                let (one, value) = (self.dialect.number(1.0), operand(value));
                format!(
                    "CASE WHEN {one} + {value} = {one} THEN {value} \
                     ELSE LN({one} + {value}) * ({value} / (({one} + {value}) - {one})) END"
                )
            }
        }
    }

    /// `Π values − mean`.
    pub(crate) fn centred_product(&self, values: &[String], mean: f64) -> String {
        let product = values.iter().map(|value| operand(value)).collect::<Vec<_>>().join(" * ");
        self.minus(&product, mean)
    }

    /// `Π powers − mean`. Powers of numbers far from zero differ in their last digits only, so they are written as
    /// products of differences: `x² − m` as `(x − r)·(x + r) + (r² − m)`, where r² is nearly m.
    pub(crate) fn centred_powers(&self, powers: &[Power], mean: f64) -> String {
        let centred = match powers {
            // Only without a mean, the difference can be so small that a product with it is not a normal number.
            [Power { value, exponent: 1, .. }] if mean != 0.0 => return self.minus(value, mean),
            [one] if one.centre.is_some() => {
                let root = mean.abs().powf(1.0 / f64::from(one.exponent)).copysign(mean);
                let near = DoubleDouble::from(root).power(one.exponent);
                let rest = (near - DoubleDouble::from(mean)).to_f64();
                self.minus(&self.difference_of_powers(one, root), -rest)
            }
            powers if powers.iter().any(|power| power.centre.is_some()) => self.centred_factors(powers, mean),
            powers => {
                let factors: Vec<String> = powers.iter().map(|one| self.power(&one.value, one.exponent)).collect();
                self.minus(&factors.join(" * "), mean)
            }
        };
        if self.dialect.rejects_underflow() { self.without_underflow(powers, mean, &centred) } else { centred }
    }

    /// A product in which a tiny factor is 0.
    fn without_underflow(&self, powers: &[Power], mean: f64, centred: &str) -> String {
        let degree: u32 = powers.iter().map(|one| one.exponent).sum();
        let least = self.dialect.number(power_of_ten(SMALLEST.powf(1.0 / f64::from(degree))));
        let large: Vec<String> = powers.iter().map(|one| format!("ABS({}) > {least}", one.value)).collect();
        format!("CASE WHEN {} THEN {centred} ELSE {} END", large.join(" AND "), self.dialect.number(-mean))
    }

    /// `x^n − r^n` as `(x − r)·(x^(n−1) + x^(n−2)·r + …)`, a product.
    fn difference_of_powers(&self, of: &Power, root: f64) -> String {
        let Power { value, exponent, .. } = of;
        let mut sum = String::new();
        let mut constant = DoubleDouble::from(1.0);
        for _ in 1..*exponent {
            constant = constant * DoubleDouble::from(root);
            sum = if sum.is_empty() {
                self.minus(value, -constant.to_f64())
            } else {
                self.minus(&format!("({sum}) * {value}"), -constant.to_f64())
            };
        }
        let difference = format!("({})", self.minus(value, root));
        if sum.is_empty() { difference } else { format!("{difference} * ({sum})") }
    }

    /// `x·z − m` as `(x − a)·z + a·(z − b) + (a·b − m)`, and so on for more factors.
    fn centred_factors(&self, powers: &[Power], mean: f64) -> String {
        let mut terms: Vec<String> = Vec::new();
        let mut product = DoubleDouble::from(1.0);
        for power in powers {
            let value = self.power(&power.value, power.exponent);
            let centre = power.centre.unwrap_or(0.0);
            for term in &mut terms {
                *term = format!("{term} * {value}");
            }
            let near = product.to_f64();
            let difference = if power.centre.is_some() { self.difference_of_powers(power, centre) } else { value };
            // After a factor with a centre of zero, all products are in the terms above.
            terms.extend((near != 0.0).then(|| self.times(&difference, near)));
            product = product * DoubleDouble::from(centre).power(power.exponent);
        }
        let rest = (product - DoubleDouble::from(mean)).to_f64();
        self.minus(&terms.join(" + "), -rest)
    }
}

/// An expression that can be an operand: in parentheses, unless it is a function call.
fn operand(expression: &str) -> String {
    if closes_at_end(expression) { expression.to_owned() } else { format!("({expression})") }
}

/// Whether the first parenthesis of an expression is closed by its last character, and no operator is before it.
fn closes_at_end(expression: &str) -> bool {
    let start = expression.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    let Some(rest) = expression.get(start..).filter(|rest| rest.starts_with('(')) else { return false };
    let mut depth = 0_usize;
    let mut quote = None;
    for (place, byte) in rest.bytes().enumerate() {
        match (byte, quote) {
            (_, Some(open)) => quote = if byte == open { None } else { quote },
            (b'\'' | b'"' | b'`', None) => quote = Some(byte),
            (b'(', None) => depth += 1,
            (b')', None) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return place + 1 == rest.len();
        }
    }
    false
}

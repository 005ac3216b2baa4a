//! Numbers of a summary as text.

pub(super) fn dash() -> String {
    "–".to_owned()
}

pub(super) fn cell(value: Option<f64>) -> String {
    value.map_or_else(dash, significant)
}

/// Formats t or z with two decimals, or four significant digits if it is large.
pub(crate) fn ratio(statistic: f64) -> String {
    if statistic.abs() < 1e5 { format!("{statistic:.2}") } else { rounded(statistic, 4) }
}

/// Formats a p-value.
pub(crate) fn probability(p: f64) -> String {
    if p < 1e-16 {
        "<1e-16".to_owned()
    } else if p < 1e-4 {
        format!("{p:.1e}")
    } else {
        format!("{p:.4}")
    }
}

pub(super) fn relation(p: f64) -> String {
    let text = probability(p);
    text.strip_prefix('<').map_or_else(|| format!("= {text}"), |bound| format!("< {bound}"))
}

/// Formats a number with six significant digits.
pub(crate) fn significant(value: f64) -> String {
    rounded(value, 6)
}

pub(super) fn significant_short(value: f64) -> String {
    rounded(value, 4)
}

/// Formats a number with this many significant digits, without trailing zeros.
pub fn rounded(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{value:.*e}", digits.saturating_sub(1));
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let places = i32::try_from(digits).unwrap_or(i32::MAX);
    match exponent.parse::<i32>() {
        Ok(exponent) if (-5..9).contains(&exponent) => {
            let decimals = usize::try_from(places - 1 - exponent).unwrap_or(0);
            trimmed(&format!("{value:.decimals$}"))
        }
        _ => format!("{}e{exponent}", trimmed(mantissa)),
    }
}

fn trimmed(number: &str) -> String {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.').to_owned() } else { number.to_owned() }
}

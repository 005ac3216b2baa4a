//! Numbers of a summary as text.

use ordinate_model::wording::rounded;

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

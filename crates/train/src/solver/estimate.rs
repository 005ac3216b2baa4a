//! An estimate with its standard error.

/// An estimate in the units of the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Its standard error, with the dispersion; none where it is not known.
    pub standard_error: Option<f64>,
}

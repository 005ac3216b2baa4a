//! Metrics of the comparisons with the versions of the alias `shadow`.

use std::sync::atomic::{AtomicU64, Ordering};

use ordinate::http::server::observer::ShadowRecord;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Counts compared rows and their differences.
#[derive(Debug, Clone)]
pub(super) struct Shadows {
    rows: Family<Versions, Counter>,
    difference: Family<Versions, Counter<f64, AtomicU64>>,
    largest: Family<Versions, Gauge<f64, AtomicU64>>,
    disagreements: Family<Versions, Counter>,
    skipped: Family<Skipped, Counter>,
}

/// The two versions of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Versions {
    model: String,
    version: String,
    shadow: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Skipped {
    model: String,
    version: String,
    reason: &'static str,
}

impl Shadows {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let (rows, difference, largest) = (Family::default(), Family::default(), Family::default());
        let (disagreements, skipped) = (Family::default(), Family::default());
        registry.register("shadow_rows", "Rows compared with the alias shadow", Family::clone(&rows));
        registry.register(
            "shadow_difference",
            "Sum of the absolute differences of these rows, of values or of probabilities",
            Family::clone(&difference),
        );
        registry.register("shadow_largest_difference", "The largest of these differences", Family::clone(&largest));
        registry.register("shadow_disagreements", "Rows with another class", Family::clone(&disagreements));
        registry.register(
            "shadow_skipped",
            "Requests that were not compared, or not with all rows, by reason",
            Family::clone(&skipped),
        );
        Self { rows, difference, largest, disagreements, skipped }
    }

    pub(super) fn add(&self, model: &str, version: &str, record: &ShadowRecord) {
        let (model, version) = (model.to_owned(), version.to_owned());
        if let Some(skip) = record.skip {
            let labels = Skipped { model: model.clone(), version: version.clone(), reason: skip.as_str() };
            self.skipped.get_or_create(&labels).inc();
        }
        let Some(shadow) = record.version.clone().filter(|_| record.rows > 0) else { return };
        let versions = Versions { model, version, shadow };
        self.rows.get_or_create(&versions).inc_by(count(record.rows));
        self.difference.get_or_create(&versions).inc_by(record.sum);
        self.disagreements.get_or_create(&versions).inc_by(count(record.disagreements));
        // Numbers from zero are ordered as their bits are.
        self.largest.get_or_create(&versions).inner().fetch_max(record.largest.to_bits(), Ordering::Relaxed);
    }
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}

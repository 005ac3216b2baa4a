//! The processor time that the metrics of a request add to it: a line of `CloudWatch`'s embedded metric format, built and
//! written to a pipe, as on AWS Lambda. `make bench-metrics` runs this.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss, missing_docs)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use ordinate::emf::{MetricLines, MetricSettings};
use ordinate::http::server::observer::{Observer as _, PredictionRecord, RequestRecord};
use ordinate::source::catalog::Catalog;
use ordinate_model::answer::WarningCounts;

const REQUESTS: usize = 20_000;
const ROUNDS: usize = 11;

fn main() {
    let catalog = Arc::new(Catalog::bundled(None).unwrap());
    let metrics = MetricLines::new(&MetricSettings::default(), Some(catalog));
    eprintln!("{:10} {:>12}", "rows", "µs a request");
    for rows in [1, 4, 10] {
        let values: Vec<f64> = (0..rows).map(|row| 150.0 + f64::from(row) / 7.0).collect();
        let mut times: Vec<Duration> = (0..ROUNDS).map(|_| measure(&metrics, &values)).collect();
        times.sort();
        let median = times.get(ROUNDS / 2).unwrap();
        eprintln!("{rows:<10} {:12.2}", median.as_secs_f64() * 1e6 / REQUESTS as f64);
    }
}

fn measure(metrics: &MetricLines, values: &[f64]) -> Duration {
    let prediction = PredictionRecord {
        model: "diabetes",
        version: "1",
        rows: values.len(),
        warnings: WarningCounts::default(),
        values,
        shadow: None,
        captured: None,
    };
    let record = RequestRecord {
        method: &Method::POST,
        route: Some("/predict"),
        status: 200,
        duration: Duration::from_micros(130),
        code: None,
        prediction: Some(prediction),
    };
    let started = processor_time();
    for _ in 0..REQUESTS {
        metrics.finished(black_box(&record));
    }
    processor_time().saturating_sub(started)
}

/// The processor time of this thread so far, which other processes do not change: the first number, in nanoseconds, that
/// Linux documents in `sched-stats.rst`.
fn processor_time() -> Duration {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(statistics.split(' ').next().unwrap().parse().unwrap())
}

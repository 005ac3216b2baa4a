//! Metrics of the process, under the names that all clients of Prometheus use. They are read from `/proc`, so that other
//! systems than Linux have none.

use std::fmt;
use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Ticks of the kernel's clock per second for user space (`USER_HZ`), on all of its platforms.
const TICKS: f64 = 100.0;

/// The size of a page on x86-64, and on most systems with ARM64.
const PAGE: i64 = 4096;

#[derive(Debug)]
pub(super) struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        if let Some(seconds) = cpu_seconds() {
            let kind = prometheus_client::metrics::MetricType::Counter;
            let metric = encoder.encode_descriptor("process_cpu_seconds", "Processor time", None, kind)?;
            ConstCounter::new(seconds).encode(metric)?;
        }
        let gauges = [
            ("process_resident_memory_bytes", "Resident memory", resident_bytes()),
            ("process_open_fds", "Open file descriptors", open_descriptors()),
        ];
        for (name, help, value) in gauges {
            if let Some(value) = value {
                let kind = prometheus_client::metrics::MetricType::Gauge;
                ConstGauge::new(value).encode(encoder.encode_descriptor(name, help, None, kind)?)?;
            }
        }
        Ok(())
    }
}

/// User and system time (fields 14 and 15 of `/proc/self/stat`, see proc(5)).
fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the process, in parentheses, can contain spaces.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    Some((f64::from(user) + f64::from(system)) / TICKS)
}

fn resident_bytes() -> Option<i64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    Some(statm.split_ascii_whitespace().nth(1)?.parse::<i64>().ok()? * PAGE)
}

fn open_descriptors() -> Option<i64> {
    i64::try_from(fs::read_dir("/proc/self/fd").ok()?.count()).ok()
}

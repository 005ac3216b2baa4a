//! Metrics of the process, under the names that all clients of Prometheus use. They are read from `/proc`, so that other
//! systems than Linux have none.

use std::fmt;
use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Ticks of the kernel's clock per second for user space (`USER_HZ`), on all of its platforms.
const TICKS: f64 = 100.0;

#[derive(Debug)]
pub(super) struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        if let Some(seconds) = cpu_seconds() {
            let metric =
                encoder.encode_descriptor("process_cpu_seconds", "Processor time", None, MetricType::Counter)?;
            ConstCounter::new(seconds).encode(metric)?;
        }
        if let Some(seconds) = start_seconds() {
            let help = "Start of the process, in seconds since 1970";
            let metric = encoder.encode_descriptor("process_start_time_seconds", help, None, MetricType::Gauge)?;
            ConstGauge::new(seconds).encode(metric)?;
        }
        let gauges = [
            ("process_resident_memory_bytes", "Resident memory", resident_bytes()),
            ("process_open_fds", "Open file descriptors", open_descriptors()),
            ("process_max_fds", "Maximum number of open file descriptors", max_descriptors()),
        ];
        for (name, help, value) in gauges {
            if let Some(value) = value {
                let metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
                ConstGauge::new(value).encode(metric)?;
            }
        }
        Ok(())
    }
}

/// A field of `/proc/self/stat` in seconds, by its number in proc(5).
fn stat_seconds(field: usize) -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the process, field 2, is in parentheses and can contain spaces.
    let ticks = stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(field - 3)?;
    // Exact up to 2^53 ticks, three million years.
    Some(ticks.parse::<f64>().ok()? / TICKS)
}

/// User and system time.
fn cpu_seconds() -> Option<f64> {
    Some(stat_seconds(14)? + stat_seconds(15)?)
}

/// The kernel counts from the start of the system, which `btime` in `/proc/stat` has in seconds since 1970.
fn start_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let boot = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    Some(boot.parse::<f64>().ok()? + stat_seconds(22)?)
}

fn resident_bytes() -> Option<i64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.strip_suffix("kB"))?;
    Some(kilobytes.trim().parse::<i64>().ok()? * 1024)
}

fn open_descriptors() -> Option<i64> {
    i64::try_from(fs::read_dir("/proc/self/fd").ok()?.count()).ok()
}

fn max_descriptors() -> Option<i64> {
    i64::try_from(rlimit::Resource::NOFILE.get_soft().ok()?).ok()
}

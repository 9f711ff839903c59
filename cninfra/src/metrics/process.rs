//! [`ProcessMetrics`]: what every process tells of itself, by the names of Prometheus' own clients.

use super::Collector;
use prometheus_client::{
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
};
use std::fmt;

/// Processor time, memory, open files, threads and start of this process. Where the operating system does not tell them as Linux does, there are none.
#[derive(Debug)]
pub(crate) struct ProcessMetrics;

/// What is read of the operating system. What can not be read is not told.
#[derive(Default, Debug)]
struct Process {
    cpu_seconds: Option<f64>,
    start_time_seconds: Option<f64>,
    resident_memory_bytes: Option<f64>,
    virtual_memory_bytes: Option<f64>,
    threads: Option<f64>,
    open_fds: Option<f64>,
    max_fds: Option<f64>,
}

impl Collector for ProcessMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let process = Process::read();
        if let Some(seconds) = process.cpu_seconds {
            let counter = ConstCounter::new(seconds);
            let help = "Total user and system processor time spent, in seconds.";
            counter.encode(encoder.encode_descriptor("process_cpu_seconds", help, None, counter.metric_type())?)?;
        }
        for (name, help, value) in [
            ("process_max_fds", "The most file descriptors that can be open.", process.max_fds),
            ("process_open_fds", "Open file descriptors.", process.open_fds),
            ("process_resident_memory_bytes", "Resident memory, in bytes.", process.resident_memory_bytes),
            (
                "process_start_time_seconds",
                "When the process began, in seconds since 1970.",
                process.start_time_seconds,
            ),
            ("process_threads", "Threads of the process.", process.threads),
            ("process_virtual_memory_bytes", "Virtual memory, in bytes.", process.virtual_memory_bytes),
        ] {
            let Some(value) = value else { continue };
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

impl Process {
    #[cfg(target_os = "linux")]
    fn read() -> Self {
        use procfs::{CurrentSI, KernelStats, process::LimitValue};

        let Ok(own) = procfs::process::Process::myself() else { return Process::default() };
        let ticks = procfs::ticks_per_second() as f64;
        let mut process = Process { open_fds: own.fd_count().ok().map(|count| count as f64), ..Process::default() };
        if let Ok(stat) = own.stat() {
            process.cpu_seconds = Some((stat.utime + stat.stime) as f64 / ticks);
            process.resident_memory_bytes = Some((stat.rss * procfs::page_size()) as f64);
            process.virtual_memory_bytes = Some(stat.vsize as f64);
            process.threads = Some(stat.num_threads as f64);
            // since the machine began, which is told elsewhere
            let booted = KernelStats::current().ok().map(|kernel| kernel.btime as f64);
            process.start_time_seconds = booted.map(|booted| booted + stat.starttime as f64 / ticks);
        }
        if let Ok(limits) = own.limits() {
            process.max_fds = match limits.max_open_files.soft_limit {
                LimitValue::Value(most) => Some(most as f64),
                LimitValue::Unlimited => Some(f64::INFINITY),
            };
        }
        process
    }

    #[cfg(not(target_os = "linux"))]
    fn read() -> Self {
        Process::default()
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::time::{SystemTime, UNIX_EPOCH};

    #[test]
    fn is_of_this_process() {
        let before = Process::read();
        assert!(
            before.resident_memory_bytes.unwrap() > 1e5 && before.resident_memory_bytes < before.virtual_memory_bytes
        );
        assert!(before.threads.unwrap() >= 1.0 && before.max_fds.unwrap() >= before.open_fds.unwrap());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        let age = now - before.start_time_seconds.unwrap();
        assert!((-2.0..3600.0).contains(&age), "{age}");
        let files: Vec<_> = (0..64).map(|_| std::fs::File::open("/dev/null").unwrap()).collect();
        let open = Process::read().open_fds.unwrap();
        assert!(open >= 64.0, "{open}");
        drop(files);
    }
}

//! [`ProcessMetrics`]: the usual metrics of a process, with the names of Prometheus' own clients.

use super::Collector;
use prometheus_client::{
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
};
use std::{fmt, fs};

/// Processor time, memory, open files, threads, network and start time of this process. On systems without Linux's
/// `/proc`, there are none.
///
/// A few lines of `/proc` are read here, and not by a library: the well-kept one took a ninth of the first build of a
/// small agent.
#[derive(Debug)]
pub(crate) struct ProcessMetrics;

/// What was read from the operating system. What could not be read is not exposed.
#[derive(Default, Debug)]
struct Process {
    cpu_seconds: Option<f64>,
    start_time_seconds: Option<f64>,
    resident_memory_bytes: Option<f64>,
    virtual_memory_bytes: Option<f64>,
    virtual_memory_max_bytes: Option<f64>,
    threads: Option<f64>,
    open_fds: Option<f64>,
    max_fds: Option<f64>,
    received_bytes: Option<f64>,
    sent_bytes: Option<f64>,
}

/// Linux gives programs times in hundredths of a second, whatever its own clock is.
const TICKS: f64 = 100.0;

impl Collector for ProcessMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let process = Process::read();
        for (name, help, value) in [
            ("process_cpu_seconds", "Total user and system processor time spent, in seconds.", process.cpu_seconds),
            ("process_network_receive_bytes", "Bytes that its network has received.", process.received_bytes),
            ("process_network_transmit_bytes", "Bytes that its network has sent.", process.sent_bytes),
        ] {
            let Some(value) = value else { continue };
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
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
            (
                "process_virtual_memory_max_bytes",
                "The most virtual memory that there can be, in bytes.",
                process.virtual_memory_max_bytes,
            ),
        ] {
            let Some(value) = value else { continue };
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

impl Process {
    /// Reads Linux's `/proc`. Without it, nothing is known.
    fn read() -> Self {
        let file = |name: &str| fs::read_to_string(format!("/proc/{name}")).unwrap_or_default();
        let (stat, limits, network) = (file("self/stat"), file("self/limits"), file("self/net/dev"));
        let booted = number_after(&file("stat"), "btime ");
        let resident = number_after(&file("self/status"), "VmRSS:");
        // The handle that lists them is one of them.
        let open = fs::read_dir("/proc/self/fd").ok().map(|all| all.count().saturating_sub(1) as f64);
        let (user, system) = (of_stat(&stat, 14), of_stat(&stat, 15));
        Process {
            cpu_seconds: user.zip(system).map(|(user, system)| (user + system) / TICKS),
            // In ticks since the machine was booted.
            start_time_seconds: booted.zip(of_stat(&stat, 22)).map(|(booted, ticks)| booted + ticks / TICKS),
            resident_memory_bytes: resident.map(|kib| kib * 1024.0),
            virtual_memory_bytes: of_stat(&stat, 23),
            virtual_memory_max_bytes: number_after(&limits, "Max address space"),
            threads: of_stat(&stat, 20),
            open_fds: open,
            max_fds: number_after(&limits, "Max open files"),
            received_bytes: of_network(&network, 0),
            sent_bytes: of_network(&network, 8),
        }
    }
}

/// A field of `/proc/self/stat`, by its number in proc(5). The second one is a name in parentheses, which may contain
/// any characters.
fn of_stat(stat: &str, number: usize) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(number.checked_sub(3)?)?.parse().ok()
}

/// The number on the line that begins with this text.
fn number_after(text: &str, begin: &str) -> Option<f64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(begin))?;
    match rest.split_whitespace().next()? {
        "unlimited" => Some(f64::INFINITY),
        number => number.parse().ok(),
    }
}

/// A column of `/proc/self/net/dev`, summed over all devices.
fn of_network(text: &str, column: usize) -> Option<f64> {
    let devices = text.lines().filter_map(|line| line.split_once(':'));
    let values = devices.filter_map(|(_, values)| values.split_whitespace().nth(column)?.parse::<f64>().ok());
    values.reduce(|sum, value| sum + value)
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

    #[test]
    fn names_and_limits_of_any_kind_are_read() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194304 100 0 0 0 120 30 0 0 20 0 4 0 5000 1048576 250";
        assert_eq!(
            [14, 15, 20, 22, 23].map(|number| of_stat(stat, number)),
            [120.0, 30.0, 4.0, 5000.0, 1048576.0].map(Some)
        );
        assert_eq!((of_stat(stat, 99), of_stat("", 14)), (None, None));
        let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
            Max address space         unlimited            unlimited            bytes\n\
            Max open files            1024                 1048576              files\n";
        let limit = |name: &str| number_after(limits, name);
        assert_eq!((limit("Max open files"), limit("Max address space")), (Some(1024.0), Some(f64::INFINITY)));
        let network = "Inter-|   Receive\n face |bytes\n    lo: 10 1 0 0 0 0 0 0 20 1 0 0 0 0 0 0\n  eth0: 5 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0\n";
        assert_eq!((of_network(network, 0), of_network(network, 8), of_network("", 0)), (Some(15.0), Some(27.0), None));
    }
}

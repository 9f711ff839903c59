//! [`Promtool`]: Prometheus' checker for metrics.

use crate::server::{Installed, without};
use std::{
    io::Write as _,
    process::{Command, Stdio},
};

/// Prometheus' checker for metrics, from Debian's package `prometheus`.
pub struct Promtool;

impl Installed for Promtool {
    const NAME: &'static str = "prometheus";

    fn missing() -> Option<String> {
        without(&["promtool"], "prometheus")
    }
}

impl Promtool {
    /// Checks a scrape in the text format.
    ///
    /// # Errors
    /// What is wrong with it.
    ///
    /// # Panics
    /// The checker cannot be run.
    pub fn check(text: &str) -> Result<(), String> {
        let mut command = Command::new("promtool");
        command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("promtool");
        child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("promtool reads");
        let output = child.wait_with_output().expect("promtool ends");
        let (status, out) = (output.status, [output.stdout, output.stderr]);
        let said: String = out.iter().map(|out| String::from_utf8_lossy(out).into_owned()).collect();
        if status.success() && said.is_empty() { Ok(()) } else { Err(format!("{status}: {said}")) }
    }
}

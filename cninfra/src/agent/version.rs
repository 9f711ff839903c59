//! What `--version` says.

use crate::graph::Graph;

/// What was known when the program was built: set in the environment of `cargo build`.
const VERSION: Option<&str> = option_env!("CNINFRA_BUILD_VERSION");
const COMMIT: Option<&str> = option_env!("CNINFRA_BUILD_COMMIT");
const DATE: Option<&str> = option_env!("CNINFRA_BUILD_DATE");

/// The version, with commit and date where they are known: `1.2.0 (commit 8df6144, built 2026-11-26)`. The version is that of the package
/// which declares the flavor, unless another one was given.
pub(super) fn version(graph: &Graph) -> String {
    text(VERSION.unwrap_or(graph.tree().version), COMMIT, DATE)
}

fn text(version: &str, commit: Option<&str>, date: Option<&str>) -> String {
    let parts = [commit.map(|commit| format!("commit {commit}")), date.map(|date| format!("built {date}"))];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    if parts.is_empty() { version.to_string() } else { format!("{version} ({})", parts.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn says_what_is_known() {
        assert_eq!(text("1.2.0", None, None), "1.2.0");
        assert_eq!(text("1.2.0", Some("abc"), None), "1.2.0 (commit abc)");
        assert_eq!(text("1.2.0", Some("abc"), Some("today")), "1.2.0 (commit abc, built today)");
    }
}

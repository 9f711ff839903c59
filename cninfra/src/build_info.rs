//! [`BuildInfo`]: what is known of the build of a program.

use crate::graph::Graph;
use std::fmt;

/// What is known of the build of a program: what `--version`, the probes and the metrics tell.
///
/// By default the version is that of the package which declares the flavor. Variables in the environment of `cargo build` go over that:
/// `CNINFRA_BUILD_VERSION`, `CNINFRA_BUILD_COMMIT` and `CNINFRA_BUILD_DATE`; and what the program says goes over both:
/// [`Builder::build_info`](crate::agent::Builder::build_info). A plugin asks for it by [`Context::build_info`](crate::Context::build_info).
///
/// ```
/// use cninfra::BuildInfo;
///
/// let build = BuildInfo::new("1.2.0").commit("8df6144").date("2026-11-26");
/// assert_eq!(build.to_string(), "1.2.0 (commit 8df6144, built 2026-11-26)");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct BuildInfo {
    /// The version.
    pub version: &'static str,
    /// The commit that it was built of, where that is known.
    pub commit: Option<&'static str>,
    /// When it was built, where that is known, as it was given.
    pub date: Option<&'static str>,
}

impl BuildInfo {
    /// Of this version.
    #[must_use]
    pub const fn new(version: &'static str) -> Self {
        BuildInfo { version, commit: None, date: None }
    }

    /// The commit that it was built of.
    #[must_use]
    pub const fn commit(self, commit: &'static str) -> Self {
        BuildInfo { commit: Some(commit), ..self }
    }

    /// When it was built.
    #[must_use]
    pub const fn date(self, date: &'static str) -> Self {
        BuildInfo { date: Some(date), ..self }
    }

    /// What was known when the program was built.
    pub(crate) fn of(graph: &Graph) -> Self {
        BuildInfo {
            version: option_env!("CNINFRA_BUILD_VERSION").unwrap_or(graph.tree().version),
            commit: option_env!("CNINFRA_BUILD_COMMIT"),
            date: option_env!("CNINFRA_BUILD_DATE"),
        }
    }
}

impl fmt::Display for BuildInfo {
    /// The version, with commit and date where they are known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.version)?;
        match (self.commit, self.date) {
            (None, None) => Ok(()),
            (Some(commit), None) => write!(f, " (commit {commit})"),
            (None, Some(date)) => write!(f, " (built {date})"),
            (Some(commit), Some(date)) => write!(f, " (commit {commit}, built {date})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::BuildInfo;

    #[test]
    fn says_what_is_known() {
        let build = BuildInfo::new("1.2.0");
        assert_eq!(build.to_string(), "1.2.0");
        assert_eq!(build.commit("abc").to_string(), "1.2.0 (commit abc)");
        assert_eq!(build.date("today").to_string(), "1.2.0 (built today)");
        assert_eq!(build.commit("abc").date("today").to_string(), "1.2.0 (commit abc, built today)");
    }
}

//! [`BuildInfo`]: what is known about the build of a program.

use crate::graph::Graph;
use std::{env, fmt};

/// What is known about the build of a program. `--version`, the probes and the metrics show it.
///
/// By default, the version is that of the package that declares the flavor. The variables `CNINFRA_BUILD_VERSION`,
/// `CNINFRA_BUILD_COMMIT` and `CNINFRA_BUILD_DATE` in the environment of `cargo build` override it.
/// [`Builder::build_info`](crate::agent::Builder::build_info) overrides both. A plugin reads it with
/// [`Context::build_info`](crate::Context::build_info).
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
    /// The commit it was built from, if known.
    pub commit: Option<&'static str>,
    /// When it was built, if known, in the form in which it was given.
    pub date: Option<&'static str>,
}

impl BuildInfo {
    /// A build of this version, with neither commit nor date.
    #[must_use]
    pub const fn new(version: &'static str) -> Self {
        BuildInfo { version, commit: None, date: None }
    }

    /// Sets the commit it was built from.
    #[must_use]
    pub const fn commit(self, commit: &'static str) -> Self {
        BuildInfo { commit: Some(commit), ..self }
    }

    /// Sets when it was built.
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

/// The answer to `--version`: the build, and on a second line what is known about every build. If commit and date are
/// unknown, a third line says how to set them.
pub(crate) fn answer(build: BuildInfo) -> String {
    let kind = if cfg!(debug_assertions) { "debug" } else { "release" };
    let (of, system, processor) = (env!("CARGO_PKG_VERSION"), env::consts::OS, env::consts::ARCH);
    let unknown = match (build.commit, build.date) {
        (None, None) => "\nno commit or date: the build was given no CNINFRA_BUILD_COMMIT and no CNINFRA_BUILD_DATE",
        _ => "",
    };
    format!("{build}\ncninfra {of}, a {kind} build for {system} on {processor}{unknown}")
}

impl fmt::Display for BuildInfo {
    /// The version, with the commit and the date if they are known.
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
    use super::{BuildInfo, answer};

    #[test]
    fn the_answer_says_what_is_known_of_every_build_and_how_the_rest_comes_to_be() {
        let lines = |build: BuildInfo| answer(build).lines().map(str::to_string).collect::<Vec<_>>();
        let (build, os) = (BuildInfo::new("1.2.0"), std::env::consts::OS);
        let known =
            format!("cninfra {}, a debug build for {os} on {}", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
        let why = "no commit or date: the build was given no CNINFRA_BUILD_COMMIT and no CNINFRA_BUILD_DATE";
        assert_eq!(lines(build), ["1.2.0", &known, why]);
        assert_eq!(lines(build.commit("abc")), ["1.2.0 (commit abc)", &known]);
        assert_eq!(lines(build.date("today")), ["1.2.0 (built today)", &known]);
    }

    #[test]
    fn says_what_is_known() {
        let build = BuildInfo::new("1.2.0");
        assert_eq!(build.to_string(), "1.2.0");
        assert_eq!(build.commit("abc").to_string(), "1.2.0 (commit abc)");
        assert_eq!(build.date("today").to_string(), "1.2.0 (built today)");
        assert_eq!(build.commit("abc").date("today").to_string(), "1.2.0 (commit abc, built today)");
    }
}

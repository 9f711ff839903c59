//! What a test does if a server is not installed.

use std::{
    env,
    io::Write as _,
    path::{Path, PathBuf},
    thread,
};

/// A server that may not be installed.
pub trait Installed {
    /// Its name.
    const NAME: &'static str;

    /// What is missing, and how to install it; `None` if nothing is.
    fn missing() -> Option<String>;

    /// Whether it is a failure if it is missing: in a strict run.
    #[must_use]
    fn is_needed() -> bool {
        is_strict()
    }

    /// Whether it is installed.
    #[must_use]
    fn is_there() -> bool {
        Self::missing().is_none()
    }
}

/// Skips a test, with a message, if a server is not installed: `require!(Etcd);` is its first line. With `CI=true` or
/// `CNINFRA_STRICT=1` that is a failure.
///
/// ```
/// use cninfra_testbed::{Redis, require};
///
/// fn a_value_is_kept() {
///     require!(Redis);
///     let redis = Redis::start();
///     redis.call(&["SET", "name", "value"]);
///     assert_eq!(redis.call(&["GET", "name"]).text(), Some("value"));
/// }
/// # a_value_is_kept();
/// ```
#[macro_export]
macro_rules! require {
    ($server:ty) => {
        if $crate::skip(
            <$server as $crate::Installed>::NAME,
            <$server as $crate::Installed>::missing(),
            <$server as $crate::Installed>::is_needed(),
        ) {
            return;
        }
    };
}

/// Returns whether a test is to be skipped since something is missing, and prints a line that `tests/run` counts.
/// [`require!`] uses it.
///
/// # Panics
/// Something is missing, and `strict` is set.
#[must_use]
pub fn skip(name: &str, missing: Option<String>, strict: bool) -> bool {
    let Some(missing) = missing else { return false };
    assert!(!strict, "{name} is needed here: {missing}");
    let test = thread::current().name().unwrap_or("a test").to_string();
    let line = format!("SKIPPED: {name}: {test}: {missing}\n");
    // In one write, so that the line is not interleaved with others, and past the test harness, which captures the
    // output of a test that passes. It may fail if nobody reads.
    let _ = std::io::stderr().write_all(line.as_bytes());
    true
}

/// Whether a missing server is a failure.
#[must_use]
pub fn is_strict() -> bool {
    let is = |name: &str, values: &[&str]| env::var(name).is_ok_and(|value| values.contains(&value.as_str()));
    is("CI", &["true", "1"]) || is("CNINFRA_STRICT", &["true", "1"])
}

/// The path of a program.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    env::split_paths(&path).map(|folder| folder.join(program)).find(|path| is_program(path))
}

/// The programs of these that are not installed, as a message.
pub(crate) fn without(programs: &[&str], packages: &str) -> Option<String> {
    let missing: Vec<&str> = programs.iter().copied().filter(|program| find(program).is_none()).collect();
    let is = if missing.len() == 1 { "is" } else { "are" };
    (!missing.is_empty())
        .then(|| format!("{} {is} not installed: run tests/run, or install Debian's {packages}", missing.join(" and ")))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

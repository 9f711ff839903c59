//! Counts the instructions of rustc on one crate.
//!
//! CPU seconds vary by a third on a shared machine; instructions do not. Cargo gets this very program as
//! `RUSTC_WRAPPER`. Called as such, it runs rustc on the leaf crate under valgrind, and on every other crate directly.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{During, Error, Result};

/// The variable with the name of the crate to count; set only when this program is called as the wrapper.
const CRATE: &str = "CNINFRA_BENCH_CRATE";

/// The variable with the file for valgrind's report.
const REPORT: &str = "CNINFRA_BENCH_REPORT";

/// The variable with the rustc of the sysroot: the one on the path may be a proxy that starts it.
const RUSTC: &str = "CNINFRA_BENCH_RUSTC";

/// Makes valgrind count only instructions. Processes that rustc starts, such as the linker, are not counted.
const VALGRIND: [&str; 5] = [
    "--tool=cachegrind",
    "--cache-sim=no",
    "--branch-sim=no",
    "--cachegrind-out-file=/dev/null",
    "--trace-children=no",
];

/// Checks that valgrind is installed; the error says how to install it.
pub fn require_valgrind() -> Result<()> {
    match Command::new("valgrind").arg("--version").output() {
        Ok(output) if output.status.success() => Ok(()),
        _ => Err(Error::new("valgrind is missing, which counts the instructions: apt-get install valgrind")),
    }
}

/// Makes `cargo` count the instructions of rustc on the crate `name`, and report to the file `report`.
pub fn count_crate(cargo: &mut Command, name: &str, report: &Path) -> Result<()> {
    cargo.env("RUSTC_WRAPPER", this_program()?).env(CRATE, name).env(REPORT, report).env(RUSTC, rustc()?);
    Ok(())
}

/// The instructions in valgrind's report.
pub fn instructions(report: &Path) -> Result<u64> {
    let text = fs::read_to_string(report)
        .during(|| format!("reading {}, where valgrind was to report: was rustc run at all?", report.display()))?;
    parsed(&text).ok_or_else(|| Error::new(format!("no number of instructions in {}", report.display())))
}

/// The number of the line `==1234== I   refs:      1,234,567`.
fn parsed(report: &str) -> Option<u64> {
    let (_, number) =
        report.lines().find_map(|line| line.split_once("refs:").filter(|(name, _)| name.contains(" I ")))?;
    number.trim().replace(',', "").parse().ok()
}

/// The path of this program.
pub fn this_program() -> Result<PathBuf> {
    env::current_exe().during(|| "looking for the file of this program".to_owned())
}

/// The rustc of the sysroot.
fn rustc() -> Result<PathBuf> {
    let output = Command::new("rustc")
        .args(["--print", "sysroot"])
        .output()
        .during(|| "asking rustc for its sysroot".to_owned())?;
    let sysroot = String::from_utf8_lossy(&output.stdout);
    let rustc = Path::new(sysroot.trim()).join("bin/rustc");
    if output.status.success() && rustc.exists() {
        return Ok(rustc);
    }
    Err(Error::new(format!("rustc names a sysroot without bin/rustc: `{}`", sysroot.trim())))
}

/// The crate to be counted, if this program is called as the wrapper.
pub fn crate_to_count() -> Option<OsString> {
    env::var_os(CRATE)
}

/// Called as the wrapper of rustc: becomes rustc, under valgrind if it compiles the crate `counted`. Returns only if
/// that fails.
pub fn become_rustc(counted: &OsString) -> Error {
    let mut arguments = env::args_os().skip(1);
    let Some(rustc) = arguments.next() else {
        return Error::new("called as RUSTC_WRAPPER, but without a rustc");
    };
    let arguments: Vec<OsString> = arguments.collect();
    let is_counted = arguments.windows(2).any(|pair| pair[0] == "--crate-name" && pair[1] == *counted);
    let mut command = match (env::var_os(REPORT), env::var_os(RUSTC)) {
        (Some(report), Some(rustc)) if is_counted => {
            let mut log_file = OsString::from("--log-file=");
            log_file.push(report);
            let mut valgrind = Command::new("valgrind");
            valgrind.args(VALGRIND).arg(log_file).arg(rustc);
            valgrind
        }
        _ => Command::new(rustc),
    };
    let error = command.args(arguments).exec();
    Error::new(format!("starting {command:?}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::parsed;

    #[test]
    fn the_total_is_found_in_the_report() {
        let report =
            "==7== Cachegrind, a cache and branch-prediction profiler\n==7== \n==7== I   refs:      1,234,567\n";
        assert_eq!(parsed(report), Some(1_234_567));
        assert_eq!(parsed("==7== valgrind: no such file"), None);
    }
}

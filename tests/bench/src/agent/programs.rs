//! Builds the compared programs, with the same profile.

use crate::error::{During as _, Error, Result};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A program that serves `GET /liveness` and `GET /readiness` on the port of the variable `HTTP_PORT`, as it is when
/// installed: stripped, in a file that was written sequentially. A linker writes in random order, so the system keeps
/// its file in small pieces, and maps it in these: a freshly linked program takes about fifteen page faults more than
/// its copy, which is a tenth of a start.
pub struct Program {
    pub name: &'static str,
    pub path: PathBuf,
    /// The size of the file, in bytes.
    pub size: u64,
}

/// Builds the program without cninfra, and the agent as users do: separately, so that neither gets the features that
/// the other one enables.
pub fn build() -> Result<[Program; 2]> {
    Ok([installed("bare axum", &of_bench("bare")?)?, installed("agent", &built("simple-agent", "simple-agent")?)?])
}

/// Builds a program of this package.
pub fn of_bench(bin: &str) -> Result<PathBuf> {
    built(env!("CARGO_PKG_NAME"), bin)
}

fn built(package: &str, bin: &str) -> Result<PathBuf> {
    let this = env::current_exe().during(|| "looking for the file of this program".to_owned())?;
    // The path is `target/release/agent`.
    let (Some(release), Some(target)) = (this.parent(), this.parent().and_then(Path::parent)) else {
        return Err(Error::new(format!("{} is in no directory of cargo's", this.display())));
    };
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).args(["build", "--release"]);
    run(cargo.args(["--package", package, "--bin", bin, "--target-dir"]).arg(target))?;
    Ok(release.join(bin))
}

fn installed(name: &'static str, linked: &Path) -> Result<Program> {
    let (stripped, path) = (linked.with_extension("stripped"), linked.with_extension("installed"));
    run(Command::new("strip").arg("-o").arg(&stripped).arg(linked))?;
    // In a new file: the existing one may be kept in small pieces.
    let _ = fs::remove_file(&path);
    let size = fs::copy(&stripped, &path).during(|| format!("copying {}", stripped.display()))?;
    fs::remove_file(&stripped).during(|| format!("removing {}", stripped.display()))?;
    Ok(Program { name, path, size })
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().during(|| format!("starting {}", command.get_program().display()))?;
    if status.success() { Ok(()) } else { Err(Error::new(format!("{command:?} ended with {status}"))) }
}

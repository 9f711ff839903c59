//! The leaf crate: a package with one generated program, written and built below the target directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::design::Design;
use crate::error::{During, Error, Result};
use crate::measure;
use crate::phase::Phase;

/// How many lines of cargo's output an error shows.
const SHOWN_LINES: usize = 20;

/// The directories in which everything is written.
#[derive(Clone)]
pub struct Directories {
    /// `bench-wiring` in the target directory of the workspace.
    pub root: PathBuf,
}

impl Directories {
    /// The directories below the target directory that contains this program.
    pub fn of_this_build() -> Result<Self> {
        let program = measure::this_program()?;
        let target = program.ancestors().find(|directory| directory.join("CACHEDIR.TAG").exists());
        let target = target.ok_or_else(|| {
            Error::new(format!("{} is in no target directory: run it through cargo", program.display()))
        })?;
        Ok(Self { root: target.join("bench-wiring") })
    }

    /// The logs of cargo and valgrind.
    fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// The target directory of all leaf crates.
    fn target(&self) -> PathBuf {
        self.root.join("target")
    }

    /// The release binaries, which are kept while the leaf crates are rebuilt for the next size.
    fn binaries(&self) -> PathBuf {
        self.root.join("binaries")
    }

    /// The release binary of one design and size.
    pub fn binary(&self, design: Design, plugins: usize) -> PathBuf {
        self.binaries().join(format!("{}-{plugins}", design.name()))
    }
}

/// The leaf crate of one design.
#[derive(Clone)]
pub struct Leaf {
    /// Its directories.
    directories: Directories,
    /// The design of its program.
    pub design: Design,
}

impl Leaf {
    /// Writes the package, without its program.
    pub fn new(directories: &Directories, design: Design) -> Result<Self> {
        let leaf = Self { directories: directories.clone(), design };
        for directory in [leaf.directory().join("src"), directories.logs(), directories.binaries()] {
            fs::create_dir_all(&directory).during(|| format!("creating {}", directory.display()))?;
        }
        write(&leaf.directory().join("Cargo.toml"), &leaf.manifest())?;
        leaf.copy_lock_file()?;
        Ok(leaf)
    }

    /// Builds the dependencies, so that a measured build compiles only the leaf crate.
    pub fn build_dependencies(&self, phase: Phase) -> Result<()> {
        self.write_program("fn main() {}\n")?;
        let log = self.directories.logs().join(format!("{}-dependencies-{}.txt", self.design.name(), phase.name()));
        run(self.cargo(phase), &log)
    }

    /// Builds the program, and counts the instructions of the rustc that compiles it.
    pub fn count(&self, program: &str, plugins: usize, phase: Phase) -> Result<u64> {
        self.write_program(program)?;
        let logs = self.directories.logs();
        let name = format!("{}-{plugins}-{}", self.design.name(), phase.name());
        let counted = logs.join(format!("{name}-valgrind.txt"));
        remove(&counted)?;
        let mut cargo = self.cargo(phase);
        measure::count_crate(&mut cargo, &self.name().replace('-', "_"), &counted)?;
        run(cargo, &logs.join(format!("{name}.txt")))?;
        measure::instructions(&counted)
    }

    /// Copies the release binary to a name of its own, and returns its size.
    pub fn keep_binary(&self, plugins: usize) -> Result<u64> {
        let built = self.directories.target().join("release").join(self.name());
        let kept = self.directories.binary(self.design, plugins);
        fs::copy(&built, &kept).during(|| format!("copying {} to {}", built.display(), kept.display()))
    }

    /// The name of the package.
    fn name(&self) -> String {
        format!("leaf-{}", self.design.name())
    }

    /// The directory of the package.
    fn directory(&self) -> PathBuf {
        self.directories.root.join(self.name())
    }

    /// The manifest. The package is a workspace of its own, since it is below another one.
    fn manifest(&self) -> String {
        format!(
            r#"[workspace]

[package]
name = "{}"
version = "0.0.0"
edition = "2024"
publish = false

[dependencies]
{}
tokio = {{ version = "1", features = ["rt", "rt-multi-thread", "macros", "time", "sync"] }}

[profile.release]
strip = true
"#,
            self.name(),
            self.design.dependency()
        )
    }

    /// Uses the versions that the workspace has locked.
    fn copy_lock_file(&self) -> Result<()> {
        let of_workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock");
        if !of_workspace.exists() {
            return Ok(());
        }
        let own = self.directory().join("Cargo.lock");
        fs::copy(&of_workspace, &own).during(|| format!("copying the lock file to {}", own.display()))?;
        Ok(())
    }

    /// Writes `src/main.rs`, even if it is unchanged: cargo rebuilds files that are newer than its build.
    fn write_program(&self, program: &str) -> Result<()> {
        write(&self.directory().join("src/main.rs"), program)
    }

    /// A cargo command on this package, with the settings of all builds here.
    fn cargo(&self, phase: Phase) -> Command {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo
            .args(phase.arguments())
            .current_dir(self.directory())
            .env("CARGO_TARGET_DIR", self.directories.target())
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_ENCODED_RUSTFLAGS", "") // Not those of the caller, such as `-D warnings`.
            .env_remove("CARGO_BUILD_TARGET");
        cargo
    }
}

/// Runs cargo, with its output in `log`; an error shows the end of that.
fn run(mut cargo: Command, log: &Path) -> Result<()> {
    let output = cargo.output().during(|| format!("running {cargo:?}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    write(log, &text)?;
    if output.status.success() {
        return Ok(());
    }
    let lines: Vec<&str> = text.lines().collect();
    let shown = lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n  ");
    Err(Error::new(format!("cargo failed; the whole output is in {}:\n  {shown}", log.display())))
}

/// Writes a file.
fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).during(|| format!("writing {}", path.display()))
}

/// Removes a file, if it exists.
fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).during(|| format!("removing {}", path.display()))
        }
        _ => Ok(()),
    }
}

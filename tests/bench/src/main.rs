//! What compile-time injection costs: the instructions of rustc on a generated program of N plugins, the time of its
//! start and close, and the size of its binary, compared with wiring by hand and the crates shaku and nject.
//!
//! ```text
//! cargo run -p cninfra-bench --bin wiring --release -- --help
//! ```
//!
//! How a figure is measured: [`graph`] draws the dependencies; [`generate`] writes a program of them for each
//! [`design`]; [`leaf`] builds that as a package of its own below the target directory; [`measure`] counts the
//! instructions of the rustc that compiles it; [`cycle`] times the binary. [`session`] runs all of that, [`table`]
//! prints it, and [`target`] has the targets. A missed target is a line of the report, not an error.
#![forbid(unsafe_code)]

mod cycle;
mod design;
mod error;
mod generate;
mod graph;
mod leaf;
mod measure;
mod options;
mod phase;
mod record;
mod session;
mod table;
mod target;

use std::fs;
use std::process::ExitCode;

use error::{During, Error, Result};
use options::Options;
use session::Session;

/// Runs the benchmark. If cargo has called this program as its rustc wrapper, it becomes rustc instead.
fn main() -> ExitCode {
    let outcome = match measure::crate_to_count() {
        Some(counted) => Err(measure::become_rustc(&counted)),
        None => run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures, and prints a report of everything that could be measured.
fn run() -> Result<()> {
    let options = Options::parse(std::env::args().skip(1))?;
    if options.help {
        print!("{}", options::HELP);
        return Ok(());
    }
    let json = options.json.clone();
    let mut session = Session::new(options)?;
    let outcome = session.run();
    println!("\n{}", table::report(&session.rows));
    if let Some(path) = json {
        fs::write(&path, record::json(&session.rows)).during(|| format!("writing {}", path.display()))?;
    }
    outcome?;
    match session.failures {
        0 => Ok(()),
        n => Err(Error::new(format!("{n} figures could not be had; see above"))),
    }
}

//! What an agent costs compared with a bare axum program: the time until it answers, memory, size on disk, and
//! requests.
//!
//! ```text
//! cargo run --release -p cninfra-bench --bin agent [-- ROUNDS [MILLISECONDS]]
//! ```
//!
//! It builds `simple-agent` and `bare`, which does the same without cninfra, and starts and ends each of them in turn,
//! in an empty directory. Then servers of both kinds are put under load in turn, for this many milliseconds each, as in
//! the benchmark `rest`. The figures are medians with the outer tenths; ratios are taken within a round, so that other
//! load on the machine affects few of them. The first line is the baseline, and the second one the baseline again,
//! which shows the noise.
//!
//! The measured answer is that of `/readiness`. It is 200 when the whole agent has started, with all its routes.
//! `/liveness` is measured as well; it answers earlier, as soon as the server listens.
//!
//! Figures are not tests: the exit code is 0 even if a goal is missed.
#![forbid(unsafe_code)]

#[path = "agent/programs.rs"]
mod programs;
#[path = "agent/report.rs"]
mod report;
#[path = "agent/start.rs"]
mod start;

mod error;
#[path = "rest/load.rs"]
mod load;
#[path = "rest/running.rs"]
mod running;
mod spread;
#[path = "rest/turns.rs"]
mod turns;

use error::{During as _, Result};
use programs::Program;
use report::{Bound, Goal, line, ratio};
use running::KINDS;
use spread::Spread;
use start::Figures;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};
use turns::Turns;

/// The paths whose answer is awaited. The goals are for the first one.
const PATHS: [&str; 2] = ["/readiness", "/liveness"];

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let number = |at: usize, default: u64| args.get(at).and_then(|text| text.parse().ok()).unwrap_or(default);
    let turns =
        Turns { rounds: number(0, 60).max(1), connections: 32, turn: Duration::from_millis(number(1, 200).max(1)) };
    match measure(turns) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// A directory without a config file, which is removed when this is dropped.
struct Empty(PathBuf);

impl Empty {
    fn new() -> Result<Self> {
        let path = env::temp_dir().join(format!("cninfra-bench-{}", std::process::id()));
        fs::create_dir_all(&path).during(|| format!("creating {}", path.display()))?;
        Ok(Empty(path))
    }
}

impl Drop for Empty {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn measure(turns: Turns) -> Result<()> {
    let programs = programs::build()?;
    let [bare, agent] = &programs;
    let all = [bare, bare, agent];
    let empty = Empty::new()?;
    let mut goals = Vec::new();
    println!(
        "{} rounds, median (tenth to ninetieth part of a hundred), then the same of the ratios to the first line",
        turns.rounds
    );
    for path in PATHS {
        let figures = starts(&all, &empty.0, path, turns.rounds)?;
        let of = |figure: fn(&Figures) -> f64| -> Vec<(&str, Vec<f64>)> {
            let names = ["bare axum", "bare again", "agent"].into_iter();
            names.zip(&figures).map(|(name, all)| (name, all.iter().map(figure).collect())).collect()
        };
        let answers = of(|figures| figures.answer);
        print!("{}", line(&format!("from exec to the first 200 of {path}"), "ms", &answers));
        if path == PATHS[0] {
            let memory = of(|figures| figures.memory.all);
            print!("{}", line("resident after that (VmRSS)", "MB", &memory));
            print!("{}", line("of it, anonymous (RssAnon)", "MB", &of(|figures| figures.memory.anonymous)));
            let (answer, resident) = (ratio(&answers[2].1, &answers[0].1), Spread::of(memory[2].1.iter().copied()));
            goals.push(Goal {
                what: "exec to first 200, of bare",
                bound: Bound::Most(1.2),
                figure: answer.median,
                unit: "",
            });
            goals.push(Goal { what: "resident", bound: Bound::Most(7.0), figure: resident.median, unit: " MB" });
        }
    }
    println!("stripped, MB");
    for program in &programs {
        println!("  {:14} {:8.3}", program.name, megabytes(program));
    }
    goals.push(Goal { what: "stripped", bound: Bound::Most(4.0), figure: megabytes(agent), unit: " MB" });
    let kinds: Vec<_> = KINDS.into_iter().filter(|kind| ["bare", "again", "agent"].contains(&kind.name)).collect();
    let lines = turns::measure(&programs::of_bench("rest")?, &kinds, turns).during(|| "serving".to_owned())?;
    print!("{}", turns::table(&kinds, turns, &lines));
    let (rate, p99) = lines.last().map_or((f64::NAN, f64::NAN), |line| (line.rate.1, line.p99.1));
    goals.push(Goal { what: "requests per second, of bare", bound: Bound::Least(0.98), figure: rate, unit: "" });
    goals.push(Goal { what: "p99, of bare", bound: Bound::Most(1.05), figure: p99, unit: "" });
    for goal in goals {
        print!("{}", goal.line());
    }
    Ok(())
}

/// Starts each program once in each round, in rotating order.
fn starts(programs: &[&Program], dir: &Path, path: &str, rounds: u64) -> Result<Vec<Vec<Figures>>> {
    let mut all = vec![Vec::new(); programs.len()];
    for round in 0..=rounds {
        for at in 0..programs.len() {
            let at = (at + round as usize) % programs.len();
            let figures = start::start(programs[at], dir, path)?;
            // The first round is a warm-up.
            if round > 0 {
                all[at].push(figures);
            }
        }
    }
    Ok(all)
}

fn megabytes(program: &Program) -> f64 {
    program.size as f64 / 1e6
}

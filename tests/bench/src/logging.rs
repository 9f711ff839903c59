//! What a log call costs compared with the same call of plain `tracing`, in one run.
//!
//! ```text
//! cargo run --release -p cninfra-bench --bin logging
//! ```
//!
//! Each figure is that of the tenth best of two hundred rounds that take turns, in nanoseconds per call, so that a busy
//! machine affects few of them. A disabled call should cost at most twice a plain disabled one, or two nanoseconds
//! more; an enabled one, written to nowhere, at most twice as much as with `tracing-subscriber`'s own format, which has
//! neither location nor JSON. A missed target is a line of the report, and exit code 1.
#![forbid(unsafe_code)]

use cninfra::{
    Logger, debug, info,
    logging::{Format, LogSettings, Loggers, Output},
};
use std::{
    hint::black_box,
    io,
    process::ExitCode,
    time::{Duration, Instant},
};
use tracing_subscriber::{layer::SubscriberExt as _, registry};

const ROUNDS: usize = 200;
/// The approximate length of a round.
const ROUND: Duration = Duration::from_micros(500);

/// This many nanoseconds more do not matter.
const SLACK: f64 = 2.0;

/// One way to log.
struct Way<'a> {
    name: &'static str,
    call: Box<dyn Fn(u64) + 'a>,
    calls: u64,
    rounds: Vec<f64>,
}

impl<'a> Way<'a> {
    fn new(name: &'static str, call: impl Fn(u64) + 'a) -> Self {
        Way { name, call: Box::new(call), calls: 64, rounds: Vec::new() }
    }

    fn time(&self) -> Duration {
        let began = Instant::now();
        (self.call)(self.calls);
        began.elapsed()
    }

    fn calibrate(&mut self) {
        while self.time() < ROUND {
            self.calls *= 2;
        }
    }

    fn round(&mut self) {
        let nanos = self.time().as_nanos() as f64;
        self.rounds.push(nanos / self.calls as f64);
    }

    fn figure(&self) -> f64 {
        let mut rounds = self.rounds.clone();
        rounds.sort_by(f64::total_cmp);
        rounds[10]
    }
}

/// The loop is inside of the closure, so that the call through its box does not count.
macro_rules! ways {
    ($($name:literal => |$turn:ident| $call:expr),* $(,)?) => {
        [$(Way::new($name, move |calls| for $turn in 0..calls { $call })),*]
    };
}

/// Prints the ways, and returns whether each of them takes at most `most` times as long as the first.
fn compare(title: &str, mut ways: impl AsMut<[Way<'static>]>, most: f64) -> bool {
    let ways = ways.as_mut();
    ways.iter_mut().for_each(Way::calibrate);
    for _ in 0..ROUNDS {
        ways.iter_mut().for_each(Way::round);
    }
    let first = ways[0].figure();
    println!("{title}");
    let mut kept = true;
    for way in ways.iter() {
        let (figure, ratio) = (way.figure(), way.figure() / first);
        let is_well = ratio <= most || figure - first <= SLACK;
        kept &= is_well;
        let mark = if is_well { "" } else { "  MISSED" };
        println!("  {:44} {figure:9.2} ns  {ratio:5.2}{mark}", way.name);
    }
    kept
}

fn logger() -> &'static Logger {
    let loggers = Loggers::new("bench", LogSettings::new());
    Box::leak(Box::new(loggers.get("store")))
}

fn main() -> ExitCode {
    let log = logger();
    // As in an agent: one subscriber for the process, with the levels of the loggers, and `info` for plain `tracing`.
    Output::to(io::sink).install();
    let off = compare(
        "off, with the subscriber of the process",
        ways![
            "tracing::debug!(\"..\")" => |turn| tracing::debug!("turn {}", black_box(turn)),
            "tracing::debug!(field, \"..\")" => |turn| tracing::debug!(turn = black_box(turn), "a turn"),
            "debug!(log, \"..\")" => |turn| debug!(log, "turn {}", black_box(turn)),
            "debug!(log, field, \"..\")" => |turn| debug!(log, turn = black_box(turn), "a turn"),
            "log.debug(text)" => |turn| { black_box(turn); log.debug("a turn") },
            "log.debug(format_args!(..))" => |turn| log.debug(format_args!("turn {}", black_box(turn))),
        ],
        2.0,
    );
    let fmt = tracing_subscriber::fmt().with_writer(io::sink).with_ansi(false).finish();
    let text = registry().with(Output::to(io::sink).layer());
    let json = registry().with(Output::to(io::sink).format(Format::Json).layer());
    let (fmt, text, json) = (tracing::Dispatch::new(fmt), tracing::Dispatch::new(text), tracing::Dispatch::new(json));
    let within = |dispatch: tracing::Dispatch, call: fn(&Logger, u64)| {
        move |calls: u64| {
            tracing::dispatcher::with_default(&dispatch, || (0..calls).for_each(|turn| call(log, turn)));
        }
    };
    let raw = |_: &Logger, turn: u64| tracing::info!(turn, agent = "bench", logger = "store", "a turn");
    let ours = |log: &Logger, turn: u64| info!(log, turn, "a turn");
    let method = |log: &Logger, _: u64| log.info("a turn");
    let on = compare(
        "on, written to nowhere",
        [
            Way::new("tracing::info!(field, ..), fmt", within(fmt, raw)),
            Way::new("info!(log, field, ..), text", within(text.clone(), ours)),
            Way::new("log.info(text), text", within(text, method)),
            Way::new("info!(log, field, ..), JSON", within(json, ours)),
        ],
        2.0,
    );
    if off && on { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

//! An agent that is a process of its own: command line, logs, signals, exit code.

use super::{
    Agent, Builder, Event, StartError, StopError, StopHandle,
    cli::{self, Task},
    own,
    variables::Variables,
    version::version,
};
use crate::{
    BoxFuture,
    graph::Graph,
    inject::flavor::{Nested, Runs},
};
use std::{ffi::OsString, io, process::ExitCode, time::Instant};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::JoinHandle,
};
use tracing::Level;

/// The start or the run failed.
const FAILED: u8 = 1;
/// The command line or the config is not valid.
const INVALID: u8 = 2;
/// The stop failed.
const NOT_STOPPED: u8 = 3;

impl<F: Send + 'static> Agent<F> {
    /// Runs the flavor as this process: the body of `main`.
    ///
    /// It reads the command line (`--help` lists what the plugins understand), the environment and the config files,
    /// starts the flavor, runs until SIGTERM or SIGINT or until a plugin stops it, and closes it. `--graph FORMAT` prints the graph
    /// and starts nothing. A second signal forces the end.
    ///
    /// | exit code | what it says |
    /// | --- | --- |
    /// | 0 | it stopped in order |
    /// | 1 | the start or the run failed |
    /// | 2 | the command line or the config is not valid: nothing was created |
    /// | 3 | the stop failed: some plugin was not closed in order |
    /// | 128 + n | a second signal, of number n, forced it |
    ///
    /// ```no_run
    /// use cninfra::prelude::*;
    ///
    /// #[plugin]
    /// struct Greeter;
    ///
    /// #[derive(Flavor)]
    /// struct Hello {
    ///     greeter: Dep<Greeter>,
    /// }
    ///
    /// fn main() -> std::process::ExitCode {
    ///     Agent::<Hello>::main()
    /// }
    /// ```
    #[must_use]
    pub fn main<K: Runs<F>>() -> ExitCode
    where
        F: Nested<Kind = K>,
    {
        Self::builder().main(std::env::args_os(), std::env::vars_os())
    }
}

impl<F: Send + 'static> Builder<F> {
    /// As [`Agent::main`], with arguments (the program's name first) and environment as values, and with what is set
    /// on this builder: the command line, the environment and the config files go over its config.
    #[must_use]
    pub fn main(
        mut self,
        args: impl IntoIterator<Item = OsString>,
        env: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> ExitCode {
        let env = Variables::new(env);
        install_log(&env);
        let graph = self.held.graph();
        let cli = match cli::parse(graph, &own::known(graph), &version(graph), args, &env) {
            Ok(cli) => cli,
            Err(error) => {
                // a closed pipe is no reason to say more
                let _ = error.print();
                return if error.use_stderr() { ExitCode::from(INVALID) } else { ExitCode::SUCCESS };
            }
        };
        let task = cli.task;
        if let Task::PrintGraph(format) = task {
            return print(&graph.print(format));
        }
        let report = self.settings.configure(graph, cli);
        report.odd.iter().for_each(|odd| tracing::warn!("{odd}"));
        if !report.wrong.is_empty() {
            tracing::error!("{report}");
            return ExitCode::from(INVALID);
        }
        match task {
            Task::CheckConfig => return print("the config is valid\n"),
            Task::PrintConfig => return print(&self.settings.config.print(&own::known(graph))),
            Task::PrintGraph(_) | Task::Run => {}
        }
        self.settings.record = true;
        self.settings.hangup = true;
        let stop = self.stop_handle();
        run(stop, Box::pin(life(self)))
    }
}

/// Runs an agent's life, and hears signals meanwhile.
fn run(stop: StopHandle, life: BoxFuture<'static, u8>) -> ExitCode {
    // A runtime of its own for signals: on a machine with one core, a plugin that blocks its thread would keep them from
    // being seen.
    let runtimes = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .and_then(|signals| Ok((signals, agents_runtime()?)));
    let (signals, agents) = match runtimes {
        Ok(runtimes) => runtimes,
        Err(error) => {
            tracing::error!("the runtime did not start: {error}");
            return ExitCode::from(FAILED);
        }
    };
    let code = signals.block_on(async {
        // before anything begins, so that no signal is missed
        let signals = match Signals::new() {
            Ok(signals) => signals,
            Err(error) => {
                tracing::error!("signals can not be handled: {error}");
                return FAILED;
            }
        };
        hear(signals, stop, agents.spawn(life)).await
    });
    // a plugin may block a thread: `main` returns all the same
    agents.shutdown_background();
    ExitCode::from(code)
}

/// With two threads at least: one that a plugin blocks does not keep the others' limits from being seen.
fn agents_runtime() -> io::Result<tokio::runtime::Runtime> {
    let threads = std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2));
    tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()
}

/// Waits for the agent; the first signal stops it, the second ends the wait.
async fn hear(mut signals: Signals, stop: StopHandle, mut agent: JoinHandle<u8>) -> u8 {
    let mut asked = false;
    loop {
        tokio::select! {
            ended = &mut agent => {
                return ended.unwrap_or_else(|error| {
                    tracing::error!("the agent's task panicked: {error}");
                    FAILED
                });
            }
            number = signals.next() => {
                if asked {
                    tracing::warn!("signal {number} again: the end is forced");
                    return 128 + number;
                }
                asked = true;
                tracing::info!("signal {number}: the agent stops");
                stop.stop();
            }
        }
    }
}

/// From start to stop.
async fn life<F>(builder: Builder<F>) -> u8 {
    let (graph, began) = (builder.held.graph(), Instant::now());
    match builder.start().await {
        Ok(agent) => {
            tell_started(graph, agent.label(), began);
            tell_stopped(agent.run().await)
        }
        Err(error) => tell_not_started(&error),
    }
}

fn tell_started(graph: &Graph, label: &str, began: Instant) {
    let (name, plugins, took) = (graph.name(), graph.len(), began.elapsed());
    let version = version(graph);
    tracing::info!(agent = label, "started {name}: {plugins} plugins in {took:.1?}; version {version}");
}

fn tell_not_started(error: &StartError) -> u8 {
    if error.interrupted() && error.rollback.is_empty() {
        tracing::info!("{error}");
        return 0;
    }
    tracing::error!("{error}");
    match error {
        error if error.interrupted() => NOT_STOPPED,
        error if error.is_config() => INVALID,
        _ => FAILED,
    }
}

fn tell_stopped(stopped: Result<Vec<Event>, StopError>) -> u8 {
    match stopped {
        Ok(_) => {
            tracing::info!("stopped in order");
            0
        }
        Err(error) => {
            tracing::error!("{error}");
            NOT_STOPPED
        }
    }
}

/// SIGINT and SIGTERM.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// The number of the next one.
    async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => 2,
            _ = self.terminate.recv() => 15,
        }
    }
}

/// Prints to standard output. A reader that has gone away is not an error.
fn print(text: &str) -> ExitCode {
    use io::Write as _;
    match io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("standard output: {error}");
            ExitCode::from(FAILED)
        }
    }
}

/// A subscriber that prints to standard error, unless the process has one already. A reader that has gone away is no reason
/// to stop.
fn install_log(env: &Variables) {
    use io::IsTerminal as _;
    let colour = io::stderr().is_terminal() && env.get("NO_COLOR").is_none();
    let (level, wrong) = match env.get("INITIAL_LOGLVL") {
        None => (Level::INFO, None),
        Some(text) => match level(&text) {
            Some(level) => (level, None),
            None => (Level::INFO, Some(text)),
        },
    };
    let subscriber = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .log_internal_errors(false)
        .with_ansi(colour)
        .with_max_level(level)
        .with_target(false)
        .finish();
    let _ = tracing::subscriber::set_global_default(subscriber);
    if let Some(text) = wrong {
        tracing::warn!("variable INITIAL_LOGLVL is ignored: `{text}` is no level: trace, debug, info, warn or error");
    }
}

/// The level of this name. The predecessor's `fatal` and `panic` are above all that is logged but errors.
fn level(text: &str) -> Option<Level> {
    Some(match &*text.to_ascii_lowercase() {
        "trace" => Level::TRACE,
        "debug" => Level::DEBUG,
        "info" => Level::INFO,
        "warn" | "warning" => Level::WARN,
        "error" | "fatal" | "panic" => Level::ERROR,
        _ => return None,
    })
}

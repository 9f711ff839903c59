//! An agent that is a process of its own: command line, logs, signals, exit code.

use super::{
    Agent, Builder,
    cli::{self, Env},
};
use crate::{
    agent::StopHandle,
    inject::flavor::{Nested, Runs},
};
use std::{ffi::OsString, io, process::ExitCode};
use tokio::{
    runtime::Runtime,
    signal::unix::{Signal, SignalKind, signal},
};

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
        install_log();
        let env: Env = env.into_iter().collect();
        let graph = self.held.graph();
        let cli = match cli::parse(graph, args, &env) {
            Ok(cli) => cli,
            Err(error) => {
                // a closed pipe is no reason to say more
                let _ = error.print();
                return if error.use_stderr() { ExitCode::from(INVALID) } else { ExitCode::SUCCESS };
            }
        };
        if let Some(format) = cli.graph {
            return print(&graph.print(format));
        }
        let sections = graph.nodes().iter().map(|node| (node.instance(), node.plugin.aliases));
        let errors = self.config.read_dir(&cli.config_dir, sections);
        if !errors.is_empty() {
            for error in errors {
                tracing::error!("{error:?}");
            }
            return ExitCode::from(INVALID);
        }
        for (section, key, text, origin) in &cli.values {
            self.config.set_text(section, key, text, origin);
        }
        if let Some(label) = cli.label {
            self = self.label(label);
        }
        self = self.record_events(true);
        let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                tracing::error!("the runtime did not start: {error}");
                return ExitCode::from(FAILED);
            }
        };
        run(runtime, self)
    }
}

fn run<F: Send + 'static>(runtime: Runtime, builder: Builder<F>) -> ExitCode {
    let stop = builder.stop_handle();
    let code = runtime.block_on(async {
        let mut signals = match Signals::new() {
            Ok(signals) => signals,
            Err(error) => {
                tracing::error!("signals can not be handled: {error}");
                return FAILED;
            }
        };
        // a task of its own, so that a plugin that blocks its thread does not keep a signal from being seen
        let mut agent = tokio::spawn(life(builder));
        let mut asked = false;
        loop {
            tokio::select! {
                ended = &mut agent => {
                    return ended.unwrap_or_else(|error| {
                        tracing::error!("the agent ended without an order: {error}");
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
                    ask(&stop);
                }
            }
        }
    });
    // a plugin may block a thread: `main` returns all the same
    runtime.shutdown_background();
    ExitCode::from(code)
}

fn ask(stop: &StopHandle) {
    stop.stop();
}

/// From start to stop.
async fn life<F>(builder: Builder<F>) -> u8 {
    let graph = builder.held.graph();
    let began = std::time::Instant::now();
    let agent = match builder.start().await {
        Ok(agent) => agent,
        Err(error) if error.interrupted() => {
            if error.rollback.is_empty() {
                tracing::info!("{error}");
                return 0;
            }
            tracing::error!("{error}");
            return NOT_STOPPED;
        }
        Err(error) => {
            tracing::error!("{error}");
            return if error.is_config() { INVALID } else { FAILED };
        }
    };
    tracing::info!(
        agent = agent.label(),
        "started {}: {} plugins in {:.1?}",
        graph.name(),
        graph.len(),
        began.elapsed()
    );
    match agent.run().await {
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

/// A subscriber that prints to standard error, unless the process has one already.
fn install_log() {
    use io::IsTerminal as _;
    let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let subscriber = tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(colour).with_target(false).finish();
    let _ = tracing::subscriber::set_global_default(subscriber);
}

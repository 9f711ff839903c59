//! An agent that is a process of its own: command line, logs, signals, exit code.

use super::{
    Agent, Builder, Event, StartError, StopError,
    cli::{self, Cli, Env},
    exit,
    settings::Settings,
    signals,
    timeline::Timeline,
};
use crate::{
    Error,
    graph::Graph,
    inject::flavor::{OfKind, Runs},
};
use std::{
    ffi::{OsStr, OsString},
    io,
    process::ExitCode,
    time::Instant,
};

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
        F: OfKind<Kind = K>,
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
        let env: Env = env.into_iter().collect();
        install_log(&env);
        let graph = self.held.graph();
        let cli = match cli::parse(graph, args, &env) {
            Ok(cli) => cli,
            Err(error) => {
                // a closed pipe is no reason to say more
                let _ = error.print();
                return if error.use_stderr() { ExitCode::from(exit::INVALID) } else { ExitCode::SUCCESS };
            }
        };
        if let Some(format) = cli.graph {
            return print(&graph.print(format));
        }
        if let Err(code) = self.settings.configure(graph, cli) {
            return code;
        }
        self.settings.record = true;
        let (stop, progress) = (self.stop_handle(), self.settings.progress.clone());
        signals::run(stop, progress, Box::pin(life(self)))
    }
}

impl Settings {
    /// What the command line, the environment and the files say.
    fn configure(&mut self, graph: &'static Graph, cli: Cli) -> Result<(), ExitCode> {
        let sections = graph.nodes().iter().map(|node| (node.instance(), node.plugin.aliases));
        let mut errors = Vec::new();
        if cli.config_dir.as_ref().is_some_and(|dir| !dir.is_dir()) {
            let dir = cli.config_dir.clone().unwrap_or_default();
            let help = "make it, or leave --config-dir and CONFIG_DIR out";
            errors.push(Error::msg(format_args!("no config directory {}", dir.display())).with_help(help));
        } else {
            let dir = cli.config_dir.unwrap_or_else(|| ".".into());
            errors.append(&mut self.config.read_dir(&dir, sections));
        }
        if !errors.is_empty() {
            for error in errors {
                tracing::error!("{error:?}");
            }
            return Err(ExitCode::from(exit::INVALID));
        }
        for (section, key, text, origin) in &cli.values {
            self.config.set_text(section, key, text, origin);
        }
        self.label = cli.label.or(self.label.take());
        Ok(())
    }
}

/// From start to stop.
async fn life<F>(builder: Builder<F>) -> u8 {
    let (graph, began) = (builder.held.graph(), Instant::now());
    match builder.start().await {
        Ok(agent) => {
            tell_started(graph, agent.label(), began, agent.events());
            tell_stopped(agent.run().await)
        }
        Err(error) => tell_not_started(&error),
    }
}

fn tell_started(graph: &'static Graph, label: &str, began: Instant, events: &[Event]) {
    let (name, plugins, took) = (graph.name(), graph.len(), began.elapsed());
    tracing::info!(agent = label, "started {name}: {plugins} plugins in {took:.1?}");
    tracing::debug!(agent = label, "{}", Timeline::new(graph, events));
}

fn tell_not_started(error: &StartError) -> u8 {
    match error.exit_code() {
        0 => tracing::info!("{error}"),
        _ => tracing::error!("{error}"),
    }
    error.exit_code()
}

fn tell_stopped(stopped: Result<Vec<Event>, StopError>) -> u8 {
    match stopped {
        Ok(_) => {
            tracing::info!("stopped in order");
            0
        }
        Err(error) => {
            tracing::error!("{error}");
            error.exit_code()
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
            ExitCode::from(exit::FAILED)
        }
    }
}

/// A subscriber that prints to standard error, unless the process has one already. A reader that has gone away is no reason
/// to stop.
fn install_log(env: &Env) {
    use io::IsTerminal as _;
    let colour = io::stderr().is_terminal() && env.get(OsStr::new("NO_COLOR")).is_none_or(|value| value.is_empty());
    let subscriber = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .log_internal_errors(false)
        .with_ansi(colour)
        .with_target(false)
        .finish();
    let _ = tracing::subscriber::set_global_default(subscriber);
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;
    use crate::{
        prelude::*,
        testing::{log::Log, paused},
    };
    use std::time::Duration;

    #[plugin]
    struct Slow;
    impl Lifecycle for Slow {
        async fn init(&self, _: &Context) -> Result<()> {
            tokio::time::sleep(Duration::from_secs(7)).await;
            Ok(())
        }
    }
    #[derive(Flavor)]
    struct Lone {
        slow: Dep<Slow>,
    }

    #[test]
    fn the_timeline_is_logged_for_who_looks_closely() {
        let log = Log::default();
        let code = log.during(|| {
            let builder = Agent::<Lone>::builder().record_events(true);
            let stop = builder.stop_handle();
            paused(async {
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_secs(10)).await;
                    stop.stop();
                });
                life(builder).await
            })
        });
        let text = log.text();
        let line = text.lines().position(|line| line.contains("DEBUG") && line.contains("timeline of 7.0s"));
        assert!(code == 0 && line.is_some() && text.contains("Slow  init* 7.0s at"), "{text}");
    }
}

//! An agent that is a process of its own: command line, logs, signals, exit code.

use super::{
    Agent, Builder, Event, StartError, StopError,
    backtrace::Wanted,
    cli::{self, Task},
    configure::Report,
    exit, foreword,
    hook::Hook,
    logs::LogsConfig,
    own::{self, AgentConfig},
    progress::Progress,
    teller,
    timeline::Timeline,
    usage,
    variables::Variables,
};
use crate::{
    BuildInfo, Context, Logger,
    graph::Graph,
    inject::{
        flavor::{ByItself, Held, Runs},
        part::{Creation, Part},
    },
    logging::{Level, Output},
};
use std::{
    ffi::OsString,
    fmt,
    io::{self, Write as _},
    process::ExitCode,
    sync::Arc,
    time::Instant,
};
use tokio::{runtime::Handle, sync::Notify};

impl<F> Agent<F> {
    /// Runs the flavor as this process: the body of `main`.
    ///
    /// It reads the command line (`--help` lists what the plugins understand), the environment and the config files,
    /// starts the flavor, runs until SIGTERM or SIGINT or until a plugin stops it, and closes it. `--graph FORMAT` prints the graph
    /// and starts nothing. A second signal forces the end; the same one again within 200 ms counts as one,
    /// since some send it to the process and to its group. SIGHUP has the config files read again: see
    /// [`Live`](crate::config::Live).
    ///
    /// | exit code | what it says |
    /// | --- | --- |
    /// | 0 | it stopped in order |
    /// | 1 | the start or the run failed |
    /// | 2 | the command line or the config is not valid, or this was called inside of a tokio runtime: nothing was created |
    /// | 3 | the stop failed: some plugin was not closed in order, or the end was forced at its limit |
    /// | 128 + n | a second signal, of number n, forced it |
    ///
    /// A plugin that blocks its thread for ever ends the process when its limit is over: with 1 where it blocks in the start, or while a start that failed is rolled back, and with 3 in the stop, or
    /// where a stop was asked for that could not begin. All others are closed before: see [`Limits`](super::Limits).
    ///
    /// A panic is a record of the log, by the plugin's logger, in the format of the log; `RUST_BACKTRACE=1` adds the way to it, without frames of the standard library, and `full` with them. What keeps
    /// a thread for longer than a second is named there: a step, a task, a probe.
    ///
    /// It brings a tokio runtime of its own. Inside of another one, as under `#[tokio::main]`, use [`Agent::builder`] and
    /// [`Builder::start`].
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
    #[rustfmt::skip] // rustc shows the lines from the name to the bound
    pub fn main() -> ExitCode where ByItself<F>: Runs<F> {
        Self::builder().main(std::env::args_os(), std::env::vars_os())
    }
}

impl<F: 'static> Builder<F> {
    /// As [`Agent::main`], with arguments (the program's name first) and environment as values, and with what is set
    /// on this builder: the command line, the environment and the config files go over its config.
    #[must_use]
    pub fn main(
        mut self,
        args: impl IntoIterator<Item = OsString>,
        env: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> ExitCode {
        let began = Instant::now();
        let env = Variables::new(env);
        let output = Output::stderr_unless(env.get("NO_COLOR")).libraries(&self.settings.loggers);
        // the config may say another one
        let format = output.shared_format();
        output.install();
        let log = self.settings.loggers.of_agent();
        let graph = self.held.graph();
        let (args, version) = (Vec::from_iter(args), self.settings.build_info(graph).to_string());
        let cli = match cli::parse(graph, &own::known(graph), &version, &args, &env) {
            Ok(cli) => cli,
            Err(error) if error.use_stderr() => {
                let asked = usage::format(&args, &env);
                format.set(asked.clone());
                usage::tell(&error, &log, &asked);
                return ExitCode::from(exit::INVALID);
            }
            // what was asked for
            Err(answer) => return printed(&log, answer.print().and_then(|()| io::stdout().flush())),
        };
        let task = cli.task;
        if let Task::PrintGraph(format) = task {
            return print(&log, &graph.print(format));
        }
        self.settings.take_values(&cli.values);
        // the files may say another one, but what is wrong with reading them has this one
        format.set(LogsConfig::format_of(&self.settings.config));
        // the process ends where a plugin blocks for ever, but the others are closed before
        self.settings.progress = Arc::new(Progress::with_roll());
        // from here on code of plugins runs
        let _hook = Hook::set(
            &self.settings.loggers,
            &self.settings.progress,
            Wanted::of(env.get("RUST_BACKTRACE").as_deref()),
        );
        let hangup = Arc::new(Notify::new());
        let is_inside = Handle::try_current().is_ok();
        let lives = (matches!(task, Task::Run) && !is_inside).then_some(&*hangup);
        let (configured, ground) = match foreword::configure(self.settings, graph, cli, &log, lives) {
            Ok(configured) => configured,
            Err(error) => {
                log.error(error);
                return ExitCode::from(exit::FAILED);
            }
        };
        // from here on signals do not end the process by themselves
        let tell = |level, what: &dyn fmt::Display, within| match &ground {
            Some(ground) => ground.tell(&log, level, what, within),
            None => log.log(level, what),
        };
        let (mut settings, report) = match configured {
            Some(Ok(read)) => read,
            Some(Err(unread)) => {
                let (mut wrong, others) = unread.told();
                let mut report = others.unwrap_or_default();
                wrong.append(&mut report.wrong);
                report.odd.iter().for_each(|odd| tell(Level::Warn, odd, teller::FIRST));
                tell(Level::Error, &Report { wrong, ..report }, teller::ALL);
                return ExitCode::from(exit::INVALID);
            }
            None => {
                let error = StartError::before_all(graph, Vec::new(), began);
                tell(Level::Info, &error, teller::ALL);
                return ExitCode::from(error.exit_code());
            }
        };
        // what is wrong with it is told below
        let own = AgentConfig::of(&settings.config).unwrap_or_default();
        settings.loggers.name(own.microservice_label.as_str());
        format.set(LogsConfig::format_of(&settings.config));
        report.odd.iter().for_each(|odd| tell(Level::Warn, odd, teller::FIRST));
        if !report.wrong.is_empty() {
            tell(Level::Error, &report, teller::ALL);
            return ExitCode::from(exit::INVALID);
        }
        match task {
            Task::CheckConfig => return print(&log, &checked(report.odd.len())),
            Task::PrintConfig => return print(&log, &settings.print_config(graph)),
            Task::PrintGraph(_) | Task::Run => {}
        }
        let Some(ground) = ground else {
            log.error(
                "`main` is called inside of a tokio runtime, but the agent brings its own\n  help: call it of a plain `fn main()`, \
                 without `#[tokio::main]`, or use the builder: `Agent::builder().start().await`",
            );
            return ExitCode::from(exit::INVALID);
        };
        (settings.record, settings.is_checked) = (true, true);
        // the process looks at it by itself, and can end it
        settings.watched = false;
        settings.format = Some(format);
        settings.hangup = Some(hangup.clone());
        let (stop, progress) = (settings.stop.clone(), settings.progress.clone());
        let loggers = settings.loggers.clone();
        let builder = Builder { held: Box::new(Bare(self.held)), settings };
        ground.run(&loggers, stop, progress, &hangup, Box::pin(life(builder)))
    }
}

/// A flavor without its handles, which nobody in a process can ask for. So its life is compiled once, and the handles need not be
/// `Send`, which would be told of beside what is wrong with a flavor.
struct Bare<F>(Box<dyn Held<F>>);

impl<F> Held<()> for Bare<F> {
    fn graph(&self) -> &'static Graph {
        self.0.graph()
    }
    fn create<'a>(&'a self, index: usize, cx: &Context) -> Creation<'a> {
        self.0.create(index, cx)
    }
    fn handles(&self) {}
    fn slots(&self) -> &<() as Part>::Slots {
        &()
    }
}

/// From start to stop.
async fn life(builder: Builder<()>) -> u8 {
    let (graph, log, began) = (builder.held.graph(), builder.loggers().of_agent(), Instant::now());
    let (progress, stop) = (builder.settings.progress.clone(), builder.settings.stop.clone());
    // a log that is stuck is no reason to end in another way
    let done = |code| {
        progress.done(code);
        code
    };
    match builder.start().await {
        Ok(agent) => {
            tell_started(&log, graph, agent.build_info(), began, agent.events());
            let stopped = agent.run().await;
            let code = done(stopped.as_ref().map_or_else(StopError::exit_code, |_| 0));
            tell_stopped(&log, &stopped);
            code
        }
        Err(error) => {
            let code = done(error.exit_code());
            if let Some(by) = stop.asked_by().filter(|_| error.interrupted()) {
                log.info(format_args!("{by} has asked for the stop"));
            }
            tell_not_started(&log, &error);
            code
        }
    }
}

fn tell_started(log: &Logger, graph: &'static Graph, build: BuildInfo, began: Instant, events: &[Event]) {
    let (name, plugins, took) = (graph.name(), graph.len(), began.elapsed());
    log.info(format_args!("started {name}: {plugins} plugins in {took:.1?}; version {build}"));
    crate::debug!(log, "{}", Timeline::new(graph, events));
}

fn tell_not_started(log: &Logger, error: &StartError) {
    match error.exit_code() {
        0 => log.info(error),
        _ => log.error(error),
    }
}

fn tell_stopped(log: &Logger, stopped: &Result<Vec<Event>, StopError>) {
    match stopped {
        Ok(_) => log.info("stopped in order"),
        Err(error) => log.error(error),
    }
}

/// What a check says that found nothing wrong, but perhaps something odd, which has been logged.
fn checked(odd: usize) -> String {
    match odd {
        0 => "the config is valid\n".to_string(),
        1 => "the config is valid, but see the warning\n".to_string(),
        odd => format!("the config is valid, but see the {odd} warnings\n"),
    }
}

/// Prints to standard output.
fn print(log: &Logger, text: &str) -> ExitCode {
    printed(log, io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()))
}

/// A reader that has gone away is not an error.
fn printed(log: &Logger, printed: io::Result<()>) -> ExitCode {
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            log.error(format_args!("standard output can not be written to: {error}\n  help: look at where it goes to"));
            ExitCode::from(exit::FAILED)
        }
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;
    use crate::{
        logging::{Level, LogSettings},
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
            let levels = LogSettings::new().default_level(Level::Debug);
            let Builder { held, settings } = Agent::<Lone>::builder().record_events(true).log_settings(&levels);
            let builder = Builder { held: Box::new(Bare(held)), settings };
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
        assert!(text.contains("the program has asked for the stop: the agent stops"), "{text}");
    }
    #[test]
    fn inside_of_a_runtime_it_says_what_to_do() {
        let log = Log::default();
        let code = log.during(|| paused(async { Agent::<Lone>::builder().main(["app".into()], []) }));
        let text = log.text();
        assert!(text.contains("inside of a tokio runtime") && text.contains("use the builder"), "{text}");
        assert_eq!(code, ExitCode::from(exit::INVALID));
    }
}

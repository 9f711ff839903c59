//! [`Agent::main`]: runs an agent as a process, with command line, logs, signals and exit code.

use super::{
    backtrace::Wanted,
    foreword::{self, BeginGate, NotBegun},
    hook::Hook,
    ownerless,
    printed::{check_passed, exit_code, print},
    supervise::AgentRuntime,
    teller::{self, Teller},
};
use crate::{
    Context, Error, Logger,
    agent::{
        command_line::{
            cli,
            configure::{CheckInputs, Report},
            said::{Cli, Task},
            usage,
            variables::Variables,
        },
        embedding::{builder::Builder, running::Agent},
        files::within::panicked,
        run::progress::Progress,
        setup::{
            logs::LogsConfig,
            own::{self, AgentConfig},
            settings::Settings,
        },
        terms::{
            exit,
            failure::{StartError, StopError},
            timeline::Timeline,
        },
    },
    boxed,
    foreign::guard,
    graph::Graph,
    inject::{
        flavor::{ByItself, Held, Runs},
        part::{Creation, Part},
    },
    logging::{Level, Output, SharedFormat},
};
use std::{
    ffi::OsString,
    fmt,
    io::{self, Write as _},
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{runtime::Handle, sync::Notify};

impl<F> Agent<F> {
    /// Runs the flavor as this process: the body of `main`.
    ///
    /// It reads the command line (`--help` lists the flags), the environment and the config files, starts the flavor,
    /// runs until SIGTERM or SIGINT or until a plugin stops it, and closes it. `--graph FORMAT` prints the graph and
    /// starts nothing. A second signal forces the end. The same signal again within 200 ms counts as one, since some
    /// senders send it both to the process and to its group. SIGHUP makes it read the config files again: see
    /// [`Live`](crate::config::Live).
    ///
    /// | exit code | meaning |
    /// | --- | --- |
    /// | 0 | it stopped in order |
    /// | 1 | the start or the run failed |
    /// | 2 | the command line or the config is not valid, or this was called inside a tokio runtime; nothing was created |
    /// | 3 | the stop failed: some plugin was not closed in order, or the end was forced at the limit |
    /// | 128 + n | a second signal, number n, forced the end |
    ///
    /// A plugin that blocks its thread for ever ends the process when its limit is over. The exit code is 1 if it
    /// blocks during the start or during the rollback of a failed start, and 3 during the stop, or if a stop was
    /// requested that could not begin. All other plugins are closed before: see [`Limits`](crate::agent::Limits).
    ///
    /// A panic is logged by the plugin's logger, in the format of the log. `RUST_BACKTRACE=1` adds the backtrace
    /// without frames of the standard library, and `full` adds all of it. Code that blocks a thread for longer than a
    /// second (a step, a task, a probe) is named in the log.
    ///
    /// It creates its own tokio runtime. Inside another one, as under `#[tokio::main]`, use [`Agent::builder`] and
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
    #[must_use = "this is the exit code: write `fn main() -> std::process::ExitCode`, and no `;` behind the call"]
    #[rustfmt::skip] // rustc shows the lines from the name to the bound.
    pub fn main() -> ExitCode where ByItself<F>: Runs<F> {
        Self::builder().main(std::env::args_os(), std::env::vars_os())
    }
}

impl<F: 'static> Builder<F> {
    /// Like [`Agent::main`], with the arguments (the program's name first) and the environment given as values, and
    /// with the settings of this builder. The command line, the environment and the config files override its config.
    #[must_use = "this is the exit code: return it from the program's `main`"]
    pub fn main(
        mut self,
        args: impl IntoIterator<Item = OsString>,
        env: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> ExitCode {
        let began = Instant::now();
        let env = Variables::new(env);
        let output = Output::stderr_unless(env.get("NO_COLOR")).libraries(&self.settings.loggers);
        // The config may set another format later.
        let format = output.shared_format();
        output.install();
        // A process whose plugin blocks for ever is ended, but the other plugins are closed before: that needs the
        // record of those that have begun.
        self.settings.progress = Arc::new(Progress::with_begun_plugins());
        let _hook = Hook::set(
            &self.settings.loggers,
            &self.settings.progress,
            Wanted::of(env.get("RUST_BACKTRACE").as_deref()),
        );
        // The runtime's threads start while this thread parses the command line.
        let runtime = Handle::try_current().is_err().then(AgentRuntime::new);
        let log = self.settings.loggers.of_agent();
        let graph = self.held.graph();
        let (args, build) = (Vec::from_iter(args), self.settings.build_info(graph));
        let cli = match cli::parse(graph, &own::known(graph), build, &args, &env) {
            Ok(cli) => cli,
            Err(error) if error.use_stderr() => {
                let log_format = usage::format(&args, &env);
                format.set(log_format.clone());
                usage::print_error(&error, &log, &log_format);
                return ExitCode::from(exit::INVALID);
            }
            // Help or version.
            Err(answer) => return exit_code(&log, answer.print().and_then(|()| io::stdout().flush())),
        };
        let task = cli.task;
        if let Task::PrintGraph(format) = task {
            return print(&log, &graph.print(format));
        }
        self.settings.take_values(&cli.values);
        // The files may set another format, but errors in reading them are logged in this one.
        format.set(LogsConfig::format_of(&self.settings.config));
        let Builder { held, settings } = self;
        if matches!(task, Task::Run)
            && let Some(runtime) = runtime
        {
            return run_process(runtime, Builder { held: Box::new(Bare(held)), settings }, cli, &log, format, began);
        }
        let (settings, report) = match foreword::configure(settings, graph, cli) {
            Ok(read) => read,
            Err(unread) => {
                let (errors, others) = unread.into_errors();
                let report = with_others(errors, others);
                report.warnings.iter().for_each(|warning| log.warn(warning));
                log.error(report);
                return ExitCode::from(exit::INVALID);
            }
        };
        apply_names(&settings, &format);
        report.warnings.iter().for_each(|warning| log.warn(warning));
        if !report.errors.is_empty() {
            log.error(report);
            return ExitCode::from(exit::INVALID);
        }
        match task {
            Task::CheckConfig => print(&log, &check_passed(report.warnings.len(), &settings.config)),
            Task::PrintConfig => print(&log, &settings.print_config(graph)),
            Task::PrintGraph(_) | Task::Run => {
                log.error(
                    "`main` is called inside a tokio runtime, but the agent brings its own\n  help: call it from a plain `fn main()`, \
                     without `#[tokio::main]`, or use the builder: `Agent::builder().start().await`",
                );
                ExitCode::from(exit::INVALID)
            }
        }
    }
}

/// Combines the errors of reading with the report from the files that do answer.
fn with_others(mut errors: Vec<Error>, others: Option<Report>) -> Report {
    let mut report = others.unwrap_or_default();
    errors.append(&mut report.errors);
    Report { errors, ..report }
}

/// Sets the agent's name in log records, and the format that the config says.
fn apply_names(settings: &Settings, format: &SharedFormat) {
    settings.loggers.set_agent(AgentConfig::label_of(&settings.config).as_str());
    format.set(LogsConfig::format_of(&settings.config));
}

/// Runs the agent, and handles signals meanwhile.
fn run_process(
    runtime: Result<AgentRuntime, String>,
    builder: Builder<()>,
    cli: Cli,
    log: &Logger,
    format: SharedFormat,
    began: Instant,
) -> ExitCode {
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            log.error(error);
            return ExitCode::from(exit::FAILED);
        }
    };
    let Builder { held, mut settings } = builder;
    let (graph, hangup) = (held.graph(), Arc::new(Notify::new()));
    settings.record = true;
    // The process has a watchdog of its own, which can end it.
    settings.watched = false;
    settings.hangup = Some(hangup.clone());
    let (stop, progress, loggers) = (settings.stop.clone(), settings.progress.clone(), settings.loggers.clone());
    let (gate, early_log) = (
        BeginGate::new(CheckInputs::of(&settings, graph, &cli)),
        EarlyLog { log: log.clone(), teller: runtime.teller() },
    );
    let (agents_gate, agents_log) = (gate.clone(), early_log.clone());
    // A file that does not answer blocks a worker thread of the agent's runtime, which has no other work yet.
    let agent = boxed(move || async move {
        match configured(settings, graph, cli, format, &agents_gate, &agents_log).await {
            // Boxed, since a large future that is built and moved on the stack touches its pages.
            Ok(settings) => boxed(move || run_agent(Builder { held, settings })).await,
            Err(code) => code,
        }
    });
    let why = match runtime.run(&loggers, &stop, &progress, &hangup, &gate, agent) {
        Ok(code) => return ExitCode::from(code),
        Err(why) => why,
    };
    let code = match why {
        NotBegun::Stopped => {
            let error = StartError::before_all(graph, Vec::new(), began);
            early_log.tell(Level::Info, &error, teller::ALL);
            error.exit_code()
        }
        NotBegun::NoSignals(error) => {
            log.error(error);
            exit::FAILED
        }
        NotBegun::Unresponsive(errors, others) => early_log.log_invalid(&with_others(errors, others)),
    };
    ExitCode::from(code)
}

/// Combines command line, environment and files for an agent that begins when this returns.
///
/// # Errors
/// The exit code, if the agent does not begin. The reason has been logged.
async fn configured(
    mut settings: Box<Settings>,
    graph: &'static Graph,
    cli: Cli,
    format: SharedFormat,
    gate: &BeginGate,
    early_log: &EarlyLog,
) -> Result<Box<Settings>, u8> {
    let read = guard(|| gate.during(|| settings.configure(graph, cli)));
    gate.opened().await;
    if !gate.decide() {
        // The task that gave up the wait reports it.
        return Err(exit::FAILED);
    }
    let report = read.unwrap_or_else(|panic| with_others(vec![panicked(&panic)], None));
    apply_names(&settings, &format);
    if !report.errors.is_empty() {
        return Err(early_log.log_invalid(&report));
    }
    early_log.log_warnings(&report);
    settings.is_checked = true;
    settings.format = Some(format);
    Ok(settings)
}

/// Logs something before the agent begins, without being blocked by a log that nobody reads.
#[derive(Clone)]
struct EarlyLog {
    log: Logger,
    teller: Teller,
}

impl EarlyLog {
    /// Logs `what`, and waits up to `within` until it is written.
    #[track_caller]
    fn tell(&self, level: Level, what: &dyn fmt::Display, within: Duration) {
        self.teller.say(&self.log, level, what);
        self.teller.flush(within);
    }

    fn log_warnings(&self, report: &Report) {
        report.warnings.iter().for_each(|warning| self.tell(Level::Warn, warning, teller::FIRST));
    }

    /// Logs the report. Returns the exit code.
    fn log_invalid(&self, report: &Report) -> u8 {
        self.log_warnings(report);
        self.tell(Level::Error, report, teller::ALL);
        exit::INVALID
    }
}

/// A flavor without its handles, which nothing in a process can ask for. So the code of its life is compiled once, and
/// the handles need not be `Send`: otherwise rustc would report that beside the errors in a flavor.
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

/// Runs the agent from start to stop. Returns the exit code.
async fn run_agent(builder: Builder<()>) -> u8 {
    let (graph, log, began) = (builder.held.graph(), builder.loggers().of_agent(), Instant::now());
    let (progress, stop) = (builder.settings.progress.clone(), builder.settings.stop.clone());
    // Recorded before the log is written, so that a stuck log does not change the exit code.
    let done = |code| {
        progress.set_done(code);
        code
    };
    match builder.start().await {
        Ok(agent) => {
            log_started(&log, graph, &agent, began);
            let stopped = agent.run().await;
            let code = done(stopped.as_ref().map_or_else(StopError::exit_code, |_| 0));
            // After a failed stop, tasks without an owner may belong to plugins that were not closed.
            if stopped.is_ok() {
                ownerless::warn(&log).await;
            }
            log_stopped(&log, &stopped);
            code
        }
        Err(error) => {
            let code = done(error.exit_code());
            if let Some(by) = stop.asked_by().filter(|_| error.interrupted()) {
                log.info(format_args!("{by} has asked for the stop"));
            }
            log_not_started(&log, &error);
            code
        }
    }
}

fn log_started(log: &Logger, graph: &'static Graph, agent: &Agent<()>, began: Instant) {
    let (name, took, build) = (graph.name(), began.elapsed(), agent.build_info());
    let plugins = agent.status().running().count();
    let off = match graph.len() - plugins {
        0 => String::new(),
        off => format!(", {off} switched off,"),
    };
    let s = if plugins == 1 { "" } else { "s" };
    log.info(format_args!("started {name}: {plugins} plugin{s}{off} in {took:.1?}; version {build}"));
    crate::debug!(log, "{}", Timeline::new(graph, agent.events()));
}

fn log_not_started(log: &Logger, error: &StartError) {
    match error.exit_code() {
        0 => log.info(error),
        _ => log.error(error),
    }
}

fn log_stopped(log: &Logger, stopped: &Result<Vec<crate::agent::Event>, StopError>) {
    match stopped {
        Ok(_) => log.info("stopped in order"),
        Err(error) => log.error(error),
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;
    use crate::{
        config::Config,
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

    /// Runs the agent, asks it to stop after ten seconds, and returns its exit code and its log.
    fn run_to_end<F: 'static>(builder: Builder<F>) -> (u8, String) {
        let log = Log::default();
        let code = log.during(|| {
            let Builder { held, settings } = builder;
            let builder = Builder { held: Box::new(Bare(held)), settings };
            let stop = builder.stop_handle();
            paused(async {
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_secs(10)).await;
                    stop.stop();
                });
                run_agent(builder).await
            })
        });
        (code, log.text())
    }

    #[test]
    fn the_timeline_is_logged_for_who_looks_closely() {
        let levels = LogSettings::new().default_level(Level::Debug);
        let (code, text) = run_to_end(Agent::<Lone>::builder().record_events(true).log_settings(&levels));
        let line = text.lines().position(|line| line.contains("DEBUG") && line.contains("timeline of 7.0s"));
        assert!(code == 0 && line.is_some() && text.contains("Slow  init* 7.0s at"), "{text}");
        assert!(text.contains("the program has asked for the stop: the agent stops"), "{text}");
    }

    #[plugin(no_lifecycle)]
    struct Still;
    #[derive(Flavor)]
    struct Pair {
        _slow: Dep<Slow>,
        _still: Option<Dep<Still>>,
    }

    #[test]
    fn what_is_switched_off_is_not_counted_among_the_plugins_that_have_started() {
        let off = Config::new().set("still", "enabled", false);
        for (config, told) in [(Config::new(), "2 plugins in "), (off, "1 plugin, 1 switched off, in ")] {
            let (_, text) = run_to_end(Agent::<Pair>::builder().config(config));
            assert!(text.contains(&format!("started Pair: {told}")), "{text}");
        }
    }

    /// Reads the config. Returns `None` if the agent is still waiting, or whether it begins.
    async fn begins(gate: &BeginGate) -> Option<Result<(), u8>> {
        let settings = Agent::<Lone>::builder().settings;
        let early_log = EarlyLog { log: settings.loggers.of_agent(), teller: Teller::default() };
        let cli = Cli::nothing(Task::Run);
        let configured = configured(settings, Lone::GRAPH, cli, SharedFormat::default(), gate, &early_log);
        tokio::time::timeout(Duration::from_secs(5), configured).await.ok().map(|begun| begun.map(drop))
    }

    #[tokio::test(start_paused = true)]
    async fn an_agent_begins_when_signals_are_heard_and_if_somebody_waits_for_it() {
        let gate = BeginGate::new(CheckInputs::of(&Settings::default(), Lone::GRAPH, &Cli::nothing(Task::Run)));
        assert!(begins(&gate).await.is_none(), "a signal would end it, and nothing would be closed");
        gate.open();
        assert_eq!(begins(&gate).await, Some(Ok(())));
        // It has been decided already that the agent has begun.
        gate.open();
        assert_eq!(begins(&gate).await, Some(Err(exit::FAILED)));
    }

    #[test]
    fn inside_of_a_runtime_it_says_what_to_do() {
        let log = Log::default();
        let code = log.during(|| paused(async { Agent::<Lone>::builder().main(["app".into()], []) }));
        let text = log.text();
        assert!(text.contains("inside a tokio runtime") && text.contains("use the builder"), "{text}");
        assert_eq!(code, ExitCode::from(exit::INVALID));
    }
}

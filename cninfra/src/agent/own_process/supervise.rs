//! Handles signals and runs the watchdog on a separate thread while the agent of a process lives.

use super::{
    foreword::{BeginGate, NotBegun},
    rescue,
    signals::{Meaning, Signal, Signals, StopRequest, name},
    teller::{self, Teller},
    undone::Unclosed,
};
use crate::{
    BoxFuture, Logger,
    agent::{
        run::{
            progress::Progress,
            stall::{self, keep_awake},
        },
        terms::exit::FAILED,
        watch::{
            beside::beside_workers,
            lookout::{Findings, Lookout},
            watchdog::{TICK, Watchdog},
        },
    },
    boxed,
    foreign::guard_quietly,
    logging::{Level, Loggers},
    stop::StopHandle,
};
use std::{mem, sync::Arc, time::Instant};
use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::Notify,
    task::JoinHandle,
};

/// Receives the signals of a process. It has a thread of its own, so that signals are handled, and a blocking plugin
/// noticed, whatever plugins do to the agent's threads.
pub(super) struct SignalReceiver {
    /// A separate runtime, with one thread.
    runtime: Runtime,
    signals: Signals,
}

/// The runtime that an agent runs in, and the thread that writes the supervisor's records.
pub(super) struct AgentRuntime {
    workers: Runtime,
    teller: Teller,
}

/// # Errors
/// A text: there are no threads, or no files can be opened. In the latter case tokio's signal part panics if something
/// else in the program has enabled it.
fn build(mut builder: Builder) -> Result<Runtime, String> {
    let built = guard_quietly(|| builder.enable_all().build());
    let why = match built {
        Ok(Ok(runtime)) => return Ok(runtime),
        Ok(Err(error)) => error.to_string(),
        Err(panic) => panic.to_string(),
    };
    Err(format!("the runtime did not start: {why}"))
}

impl SignalReceiver {
    /// Installs the handlers. From now on signals do not end the process by themselves.
    ///
    /// # Errors
    /// A text: the runtime or the signal handlers could not be created.
    pub(super) fn new() -> Result<Self, String> {
        let mut builder = Builder::new_current_thread();
        // There are two event sources: the pipe that signals write to, and the waker.
        builder.max_io_events_per_tick(4);
        let runtime = build(builder)?;
        let signals = {
            let _inside = runtime.enter();
            Signals::new().map_err(|error| format!("signals cannot be handled: {error}"))?
        };
        Ok(SignalReceiver { runtime, signals })
    }
}

impl AgentRuntime {
    /// # Errors
    /// A text: there are no threads.
    pub(super) fn new() -> Result<Self, String> {
        Ok(AgentRuntime { workers: new_workers()?, teller: Teller::default() })
    }

    /// Writes records for the supervisor, so that a log that nobody reads does not block it.
    pub(super) fn teller(&self) -> Teller {
        self.teller.clone()
    }

    /// Runs an agent from reading its config to its end, and handles signals meanwhile. Threads that never return are
    /// abandoned.
    ///
    /// # Errors
    /// The agent has not begun.
    pub(super) fn run(
        self,
        loggers: &Loggers,
        stop: &StopHandle,
        progress: &Arc<Progress>,
        hangup: &Notify,
        gate: &BeginGate,
        life: BoxFuture<'static, u8>,
    ) -> Result<u8, NotBegun> {
        let AgentRuntime { workers, teller } = self;
        // The agent's task reads the config while this thread installs the signal handlers.
        let agent = workers.spawn(beside_workers(progress.clone(), life));
        let task = agent.abort_handle();
        let code =
            SignalReceiver::new().map_err(NotBegun::NoSignals).and_then(|SignalReceiver { runtime, signals }| {
                gate.open();
                detect_cpu_features();
                let (log, handle) = (loggers.of_agent(), workers.handle());
                // Boxed: the runtime passes the future on, and would copy it each time to pages of the stack that
                // nothing else touches.
                runtime.block_on(boxed(|| async {
                    let lookout = Lookout::new(Watchdog::default(), loggers, progress, stop, handle);
                    let ended = tokio::select! {
                        code = handle_signals(&log, &teller, signals, (stop, progress), hangup, agent) => Ok(code),
                        code = run_watchdog(&log, &teller, progress, stop, lookout, handle) => Ok(code),
                        () = keep_awake(handle.clone()) => Ok(FAILED),
                        why = gate.given_up(stop) => Err(why),
                    };
                    // If the end is forced, the agent's task is still running.
                    task.abort();
                    let gives_up = Instant::now() + teller::FIRST;
                    while !task.is_finished() && Instant::now() < gives_up {
                        tokio::time::sleep(TICK / 10).await;
                    }
                    ended
                }))
            });
        teller.flush(teller::LAST);
        // A plugin or a file may still block a thread. `main` has to return nevertheless.
        match workers.handle().metrics().num_alive_tasks() {
            0 => workers.shutdown_background(),
            // Tasks that still run would panic in a runtime that shuts down, and the process ends in any case.
            _ => mem::forget(workers),
        }
        code
    }
}

/// Detects the processor's features, which the first request would otherwise do; the standard library caches them. In a
/// virtual machine each query goes to the host and takes microseconds, and this thread has nothing else to do now.
fn detect_cpu_features() {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    let _ = std::is_x86_feature_detected!("avx2");
}

/// At least two worker threads, so that a plugin that blocks one of them does not keep other plugins' limits from being
/// noticed, nor requests from being served (see [`keep_awake`]).
fn new_workers() -> Result<Runtime, String> {
    let threads = std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2));
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(threads);
    build(builder)
}

/// Waits for the agent. The first signal stops it; the second ends the wait, and reports what is left undone. SIGHUP is
/// passed on: if it were not handled, it would end the process, even if nobody follows the files. Logging never blocks
/// this.
async fn handle_signals(
    log: &Logger,
    teller: &Teller,
    mut signals: Signals,
    (stop, progress): (&StopHandle, &Progress),
    hangup: &Notify,
    mut agent: JoinHandle<u8>,
) -> u8 {
    let mut request = StopRequest::default();
    loop {
        tokio::select! {
            ended = &mut agent => {
                return ended.unwrap_or_else(|error| {
                    teller.say(log, Level::Error, format_args!("the agent's task panicked: {error}"));
                    FAILED
                });
            }
            signal = signals.next() => {
                let Signal::End(number) = signal else {
                    // A permit is kept if nobody waits yet.
                    hangup.notify_one();
                    continue;
                };
                match request.receive(number, Instant::now()) {
                    Meaning::Echo => continue,
                    Meaning::Force(first) => {
                        let after = if first == number { " again".to_string() } else { format!(", after {}", name(first)) };
                        teller.say(log, Level::Warn, format_args!("{}{after}: the end is forced{}", name(number), Unclosed(progress)));
                        return 128 + number;
                    }
                    Meaning::Stop => {}
                }
                teller.say(log, Level::Info, format_args!("{}: the agent stops", name(number)));
                teller.flush(teller::FIRST);
                stop.stop();
            }
        }
    }
}

/// Watches what the agent does. Returns the exit code when the end has to be forced; if a plugin is the reason, the
/// other plugins are closed before.
async fn run_watchdog(
    log: &Logger,
    teller: &Teller,
    progress: &Progress,
    stop: &StopHandle,
    mut lookout: Lookout,
    runtime: &Handle,
) -> u8 {
    // What has just begun cannot be late yet, and a step that begins then need not wake this thread.
    tokio::time::sleep(TICK).await;
    loop {
        let Findings { end, blocked, is_calm, .. } = lookout.look(|log, level, what| teller.say(log, level, what));
        if let Some(code) = end {
            let given_up_start = blocked.and_then(|(call, took)| progress.given_up_start(call, took));
            if let Some((call, _)) = blocked {
                boxed(|| rescue::close_others(lookout, call, teller, runtime)).await;
            }
            // Reported last, as for any other failed start.
            if let Some(error) = given_up_start {
                teller.say(log, Level::Error, error);
            }
            return code;
        }
        if is_calm {
            tokio::select! {
                () = tokio::time::sleep(stall::TICK) => {}
                () = progress.changed() => {}
                () = stop.stopping() => {}
            }
        } else {
            tokio::time::sleep(TICK).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        agent::{
            command_line::configure::CheckInputs,
            command_line::said::{Cli, Task},
            setup::settings::Settings,
        },
        prelude::*,
    };
    use std::{
        process::Command,
        sync::mpsc::{Sender, channel},
        time::Duration,
    };

    #[plugin(no_lifecycle)]
    struct Still;
    #[derive(Flavor)]
    struct Lone {
        still: Dep<Still>,
    }

    /// The wait of an agent without settings.
    fn gate() -> BeginGate {
        BeginGate::new(CheckInputs::of(&Settings::default(), Lone::GRAPH, &Cli::nothing(Task::Run)))
    }

    #[tokio::test]
    async fn a_hangup_that_comes_before_anybody_waits_for_it_is_kept() {
        // From here on a hangup does not end this process.
        let (signals, stop, hangup) = (Signals::new().unwrap(), StopHandle::new(), Notify::new());
        for name in ["HUP", "TERM"] {
            let kill = Command::new("kill").arg(format!("-{name}")).arg(std::process::id().to_string()).status();
            assert!(kill.unwrap().success());
        }
        let stopping = stop.clone();
        let agent = tokio::spawn(async move {
            stopping.stopping().await;
            tokio::time::sleep(Duration::from_millis(100)).await;
            7
        });
        let (log, teller) = (Loggers::default().of_agent(), Teller::default());
        assert_eq!(handle_signals(&log, &teller, signals, (&stop, &Progress::default()), &hangup, agent).await, 7);
        let told = tokio::time::timeout(Duration::from_millis(100), hangup.notified()).await;
        assert!(told.is_ok());
    }

    #[test]
    fn a_signal_before_the_agent_begins_is_a_stop_for_all_who_wait_for_it() {
        let (stop, gate) = (StopHandle::new(), gate());
        let waits = gate.clone();
        // Like an agent that is still reading its config.
        let life = Box::pin(async move {
            waits.opened().await;
            let kill = Command::new("kill").arg("-TERM").arg(std::process::id().to_string()).status();
            assert!(kill.unwrap().success());
            std::future::pending().await
        });
        let ran = run(&stop, &gate, life);
        assert!(matches!(ran, Err(NotBegun::Stopped)) && stop.is_stopping(), "{ran:?}");
        assert!(!gate.decide(), "it is too late for it to begin");
    }

    #[test]
    fn an_agent_that_has_begun_sees_to_its_own_stop() {
        let (stop, gate) = (StopHandle::new(), gate());
        let (waits, stops) = (gate.clone(), stop.clone());
        let life = Box::pin(async move {
            waits.opened().await;
            assert!(waits.decide());
            stops.stop();
            tokio::time::sleep(Duration::from_millis(100)).await;
            7
        });
        let ran = run(&stop, &gate, life);
        assert!(matches!(ran, Ok(7)), "{ran:?}");
    }

    #[test]
    fn what_still_runs_at_the_end_finds_no_runtime_that_ends() {
        let (stop, gate, (told, tell)) = (StopHandle::new(), gate(), channel());
        let (waits, (begun, begins)) = (gate.clone(), tokio::sync::oneshot::channel());
        let life = Box::pin(async move {
            waits.opened().await;
            assert!(waits.decide());
            tokio::spawn(async move {
                begun.send(()).unwrap();
                std::thread::sleep(Duration::from_millis(300));
                tokio::time::sleep(Duration::from_millis(1)).await;
                told.send(()).unwrap();
            });
            begins.await.unwrap();
            7
        });
        let ran = run(&stop, &gate, life);
        assert!(matches!(ran, Ok(7)), "{ran:?}");
        assert_eq!(tell.recv_timeout(Duration::from_secs(10)), Ok(()));
    }

    #[test]
    fn an_agent_whose_end_is_forced_is_dropped_before_its_runtime_ends() {
        struct Tells(Sender<bool>);
        impl Drop for Tells {
            fn drop(&mut self) {
                std::thread::sleep(Duration::from_millis(20));
                // The receiver is gone if the test does not wait for it.
                let _ = self.0.send(true);
            }
        }
        let (stop, gate, (told, tell)) = (StopHandle::new(), gate(), channel());
        let (tells, waits, stops) = (Tells(told), gate.clone(), stop.clone());
        let life = Box::pin(async move {
            let _tells = tells;
            waits.opened().await;
            stops.stop();
            std::future::pending().await
        });
        assert!(matches!(run(&stop, &gate, life), Err(NotBegun::Stopped)));
        assert_eq!(tell.try_recv(), Ok(true));
    }

    fn run(stop: &StopHandle, gate: &BeginGate, life: BoxFuture<'static, u8>) -> Result<u8, NotBegun> {
        let (runtime, loggers) = (AgentRuntime::new().unwrap(), Loggers::default());
        runtime.run(&loggers, stop, &Arc::default(), &Notify::new(), gate, life)
    }
}

//! What an agent's process hears and sees while its agent lives, signals and the watchdog, on a thread of its own.

use super::{
    StopHandle,
    exit::FAILED,
    lookout::{Looked, Lookout},
    progress::Progress,
    rescue,
    signals::{Asked, Heard, Meaning, Signals},
    stall::{self, beside_workers, keep_awake},
    teller::{self, Teller},
    watchdog::{TICK, Watchdog},
};
use crate::{
    BoxFuture, Logger,
    logging::{Level, Loggers},
};
use std::{
    fmt, io,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::Notify,
    task::JoinHandle,
};

/// Where a process hears of signals: whatever the agent's plugins do to their threads, signals are seen, and so is the plugin.
pub(super) struct Ears {
    /// A runtime of its own.
    runtime: Runtime,
    signals: Signals,
    teller: Teller,
}

/// Where an agent lives, and where its process hears of signals.
pub(super) struct Ground {
    ears: Ears,
    agents: Runtime,
}

/// What is told where there are no threads.
fn no_runtime(error: io::Error) -> String {
    format!("the runtime did not start: {error}")
}

impl Ears {
    /// From here on signals do not end the process by themselves.
    ///
    /// # Errors
    /// In words: there is no runtime, or there are no signals.
    pub(super) fn new() -> Result<Self, String> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(no_runtime)?;
        let signals = {
            let _inside = runtime.enter();
            Signals::new().map_err(|error| format!("signals can not be handled: {error}"))?
        };
        Ok(Ears { runtime, signals, teller: Teller::default() })
    }
}

impl Ground {
    /// # Errors
    /// In words: there are no threads.
    pub(super) fn new(ears: Ears) -> Result<Self, String> {
        Ok(Ground { ears, agents: agents_runtime().map_err(no_runtime)? })
    }

    /// Waits for what comes before the agent begins, for no longer than the agent is wanted: else it is `None`, and nothing has to be undone.
    pub(super) fn prepare<T>(
        &mut self,
        log: &Logger,
        stop: &StopHandle,
        hangup: &Notify,
        done: impl Future<Output = T>,
    ) -> Option<T> {
        let Ears { runtime, signals, teller } = &mut self.ears;
        runtime.block_on(async {
            let hears = async {
                loop {
                    match signals.next().await {
                        Heard::End(number) => return number,
                        Heard::Hangup => hangup.notify_one(),
                    }
                }
            };
            tokio::select! {
                biased;
                done = done => Some(done),
                number = hears => {
                    teller.say(log, Level::Info, format_args!("signal {number}: the agent stops"));
                    teller.flush(teller::FIRST);
                    stop.stop();
                    None
                }
                () = stop.stopping() => None,
            }
        })
    }

    /// Says something, and waits a moment for it to be written: who hears of signals is not held up by a log that nobody reads.
    #[track_caller]
    pub(super) fn tell(&self, log: &Logger, level: Level, what: impl fmt::Display, within: Duration) {
        self.ears.teller.say(log, level, what);
        self.ears.teller.flush(within);
    }

    /// Runs an agent's life, and hears signals meanwhile.
    pub(super) fn run(
        self,
        loggers: &Loggers,
        stop: StopHandle,
        progress: Arc<Progress>,
        hangup: &Notify,
        life: BoxFuture<'static, u8>,
    ) -> ExitCode {
        let Ground { ears: Ears { runtime, signals, teller }, agents } = self;
        let log = loggers.of_agent();
        let handle = agents.handle().clone();
        let code = runtime.block_on(async {
            let agent = agents.spawn(beside_workers(life));
            let lookout = Lookout::new(Watchdog::default(), loggers, &progress, &stop, &handle);
            tokio::select! {
                code = hear(&log, &teller, signals, &stop, hangup, agent) => code,
                code = watch(&teller, &progress, &stop, lookout, &handle) => code,
                () = keep_awake(handle.clone()) => FAILED,
            }
        });
        teller.flush(teller::LAST);
        // a plugin may block a thread: `main` returns all the same
        agents.shutdown_background();
        ExitCode::from(code)
    }
}

/// With two threads at least: one that a plugin blocks does not keep the others' limits from being seen, nor others' requests from
/// being served (see [`keep_awake`]).
fn agents_runtime() -> io::Result<Runtime> {
    let threads = std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2));
    Builder::new_multi_thread().worker_threads(threads).enable_all().build()
}

/// Waits for the agent; the first signal stops it, the second ends the wait. A hang-up is passed on: it would end the process, were it
/// not heard, also where nobody wants to know of it. What it tells never holds it up.
async fn hear(
    log: &Logger,
    teller: &Teller,
    mut signals: Signals,
    stop: &StopHandle,
    hangup: &Notify,
    mut agent: JoinHandle<u8>,
) -> u8 {
    let mut asked = Asked::default();
    loop {
        tokio::select! {
            ended = &mut agent => {
                return ended.unwrap_or_else(|error| {
                    teller.say(log, Level::Error, format_args!("the agent's task panicked: {error}"));
                    FAILED
                });
            }
            heard = signals.next() => {
                let Heard::End(number) = heard else {
                    // one that comes before somebody waits for it is kept
                    hangup.notify_one();
                    continue;
                };
                match asked.again(number, Instant::now()) {
                    Meaning::Echo => continue,
                    Meaning::Force(first) => {
                        let after = if first == number { " again".to_string() } else { format!(", after signal {first}") };
                        teller.say(log, Level::Warn, format_args!("signal {number}{after}: the end is forced"));
                        return 128 + number;
                    }
                    Meaning::Stop => {}
                }
                teller.say(log, Level::Info, format_args!("signal {number}: the agent stops"));
                teller.flush(teller::FIRST);
                stop.stop();
            }
        }
    }
}

/// Looks at what the agent does. Returns when the end has to be forced; where a plugin is the reason, the others are closed before.
async fn watch(teller: &Teller, progress: &Progress, stop: &StopHandle, mut lookout: Lookout, runtime: &Handle) -> u8 {
    loop {
        let Looked { end, blocked, is_calm, .. } = lookout.look(|log, level, what| teller.say(log, level, what));
        if let Some(code) = end {
            if let Some(call) = blocked {
                rescue::close_others(lookout, call, teller, runtime).await;
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
    use std::process::Command;

    #[tokio::test]
    async fn a_hangup_that_comes_before_anybody_waits_for_it_is_kept() {
        // from here on it does not end this process
        let (signals, stop, hangup) = (Signals::new().unwrap(), StopHandle::new(), Notify::new());
        for name in ["HUP", "TERM"] {
            let kill = Command::new("kill").arg(format!("-{name}")).arg(std::process::id().to_string()).status();
            assert!(kill.unwrap().success());
        }
        let asked = stop.clone();
        let agent = tokio::spawn(async move {
            asked.stopping().await;
            tokio::time::sleep(Duration::from_millis(100)).await;
            7
        });
        let (log, teller) = (Loggers::default().of_agent(), Teller::default());
        assert_eq!(hear(&log, &teller, signals, &stop, &hangup, agent).await, 7);
        let told = tokio::time::timeout(Duration::from_millis(100), hangup.notified()).await;
        assert!(told.is_ok());
    }

    #[test]
    fn a_signal_before_the_agent_begins_is_a_stop_for_all_who_wait_for_it() {
        let mut ground = Ground::new(Ears::new().unwrap()).unwrap();
        let kill = Command::new("kill").arg("-TERM").arg(std::process::id().to_string()).status();
        assert!(kill.unwrap().success());
        let (stop, log) = (StopHandle::new(), Loggers::default().of_agent());
        let prepared = ground.prepare(&log, &stop, &Notify::new(), std::future::pending::<()>());
        assert!(prepared.is_none() && stop.is_stopping());
    }
}

//! Signals and the watchdog: what an agent's process hears while its agent lives, on a thread of its own.

use super::{
    StopHandle,
    exit::FAILED,
    progress::{Progress, State},
    stall::{self, Threads, keep_awake},
    teller::{self, Teller},
    watchdog::{Moment, TICK, Watchdog},
};
use crate::{
    BoxFuture, Logger,
    logging::{Level, Loggers},
};
use std::{
    io,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{Signal, SignalKind, signal},
    sync::Notify,
    task::JoinHandle,
};

/// Runs an agent's life, and hears signals meanwhile.
pub(super) fn run(
    loggers: &Loggers,
    stop: StopHandle,
    progress: Arc<Progress>,
    hangup: &Notify,
    life: BoxFuture<'static, u8>,
) -> ExitCode {
    let log = loggers.of_agent();
    // A runtime of its own: whatever the agent's plugins do to their threads, signals are seen, and so is the plugin.
    let runtimes =
        Builder::new_current_thread().enable_all().build().and_then(|signals| Ok((signals, agents_runtime()?)));
    let teller = Teller::default();
    let (signals, agents) = match runtimes {
        Ok(runtimes) => runtimes,
        Err(error) => {
            log.error(format_args!("the runtime did not start: {error}"));
            return ExitCode::from(FAILED);
        }
    };
    let handle = agents.handle().clone();
    let code = signals.block_on(async {
        // before anything begins, so that no signal is missed
        let signals = match Signals::new() {
            Ok(signals) => signals,
            Err(error) => {
                log.error(format_args!("signals can not be handled: {error}"));
                return FAILED;
            }
        };
        let agent = agents.spawn(life);
        tokio::select! {
            code = hear(&log, &teller, signals, &stop, hangup, agent) => code,
            code = watch(loggers, &teller, &progress, &stop, Threads::new(&handle)) => code,
            () = keep_awake(handle.clone()) => FAILED,
        }
    });
    teller.flush(teller::LAST);
    // a plugin may block a thread: `main` returns all the same
    agents.shutdown_background();
    ExitCode::from(code)
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

/// Looks at what the agent does. Returns when the end has to be forced.
async fn watch(loggers: &Loggers, teller: &Teller, progress: &Progress, stop: &StopHandle, mut threads: Threads) -> u8 {
    let mut watchdog = Watchdog::default();
    loop {
        let (state, is_kept) = (progress.state(), threads.is_any_kept());
        let asked = stop.asked_at().map(|asked| (asked, progress.stop_limit()));
        // while all is well, tasks are not even looked at
        let tasks = if is_kept { progress.inside() } else { Vec::new() };
        let moment = Moment { state: &state, call: progress.call(), tasks: &tasks, asked };
        let end = watchdog.look(&moment, Instant::now());
        for said in watchdog.take_said() {
            let log = said.plugin.map_or_else(|| loggers.of_agent(), |plugin| loggers.get(plugin));
            teller.say(&log, said.level, said.what);
        }
        if let Some(code) = end {
            return code;
        }
        if matches!(state, State::Runs) && asked.is_none() {
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

/// The same signal twice within this time is one: who ends a process and its group tells it twice, as `timeout` does.
const ONE: Duration = Duration::from_millis(200);

/// The signal that has asked for the end, and when.
#[derive(Default)]
struct Asked(Option<(u8, Instant)>);

/// What a signal that asks for the end means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Meaning {
    Stop,
    /// It was heard already.
    Echo,
    /// After this one.
    Force(u8),
}

impl Asked {
    fn again(&mut self, number: u8, now: Instant) -> Meaning {
        match self.0 {
            None => {
                self.0 = Some((number, now));
                Meaning::Stop
            }
            Some((first, at)) if first == number && now.duration_since(at) < ONE => Meaning::Echo,
            Some((first, _)) => Meaning::Force(first),
        }
    }
}

/// SIGINT, SIGTERM and SIGHUP.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

enum Heard {
    /// It asks for the end; with its number.
    End(u8),
    Hangup,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Heard {
        tokio::select! {
            _ = self.interrupt.recv() => Heard::End(2),
            _ = self.terminate.recv() => Heard::End(15),
            _ = self.hangup.recv() => Heard::Hangup,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn the_same_signal_twice_at_once_is_one() {
        let (mut asked, began) = (Asked::default(), Instant::now());
        let mut hear = |number, after| asked.again(number, began + Duration::from_millis(after));
        let heard = [hear(15, 0), hear(15, 1), hear(15, 199), hear(2, 1), hear(15, 200)];
        assert_eq!(heard, [Meaning::Stop, Meaning::Echo, Meaning::Echo, Meaning::Force(15), Meaning::Force(15)]);
    }

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
}

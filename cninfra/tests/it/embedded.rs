//! An agent embedded in a host's runtime: what blocks its threads is named, though nothing can end it.

use crate::logging::written::Written;
use cninfra::{
    agent::{Builder, Limits},
    logging::Output,
    prelude::*,
    testing::paused,
};
use std::{
    io,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};
use tokio::time::sleep;

const DEADLINE: Duration = Duration::from_secs(30);

/// Blocks its thread in a phase, or in a task, until the sender is dropped.
#[plugin]
#[derive(Default)]
struct Keeps {
    at: &'static str,
    until: Mutex<Option<mpsc::Receiver<()>>>,
}

impl Keeps {
    fn until(at: &'static str) -> (Keeps, mpsc::Sender<()>) {
        let (go, until) = mpsc::channel();
        (Keeps { at, until: Mutex::new(Some(until)) }, go)
    }

    fn keep(&self, at: &str) {
        if self.at == at
            && let Some(until) = self.until.lock().unwrap().take()
        {
            let _ = until.recv_timeout(DEADLINE);
        }
    }
}

impl Lifecycle for Keeps {
    async fn init(&self, cx: &Context) -> Result<()> {
        self.keep("init");
        if self.at == "task" {
            let until = self.until.lock().unwrap().take().unwrap();
            cx.spawn_until_close("stubborn", async move {
                let _ = until.recv_timeout(DEADLINE);
            });
        }
        Ok(())
    }

    async fn close(&self, _: &Context) -> Result<()> {
        self.keep("close");
        Ok(())
    }
}

impl Drop for Keeps {
    fn drop(&mut self) {
        self.keep("drop");
    }
}

#[derive(Flavor)]
struct Lone {
    keeps: Dep<Keeps>,
}

fn builder(keeps: Keeps) -> Builder<Lone> {
    let short = Duration::from_millis(100);
    let limits = Limits::default().plugin_start(short).plugin_stop(short);
    Agent::<Lone>::builder().limits(limits).with_new(keeps)
}

/// Runs `run`, and drops `go` as soon as the log contains `said`. Returns the log.
fn goes_on_when(said: &'static str, go: mpsc::Sender<()>, run: impl FnOnce()) -> String {
    let written = Written::default();
    let log = written.clone();
    let waits = thread::spawn(move || {
        let began = Instant::now();
        while !log.text().contains(said) && began.elapsed() < DEADLINE {
            thread::sleep(Duration::from_millis(1));
        }
        drop(go);
    });
    crate::logging::written::during(Output::to(written.clone()), run);
    waits.join().unwrap();
    written.text()
}

const WAITS: &str = "and its limit is over: this agent is embedded, and waits for as long";

#[test]
fn a_plugin_that_keeps_the_only_thread_is_named_and_waited_for() {
    for at in ["init", "close", "drop"] {
        let (keeps, go) = Keeps::until(at);
        let text = goes_on_when(WAITS, go, || {
            paused(async {
                match builder(keeps).start().await {
                    Ok(agent) => drop(agent.close().await),
                    Err(error) => assert_eq!(at, "init", "{error}"),
                }
            });
        });
        let phase = if at == "drop" { "a destructor" } else { at };
        let named = format!("WARN  keeps: plugin `Keeps` blocks its thread in {phase}, for ");
        let over = format!("ERROR keeps: plugin `Keeps` has blocked its thread in {phase} for ");
        assert!(text.contains(&named) && text.matches(&over).count() == 1, "{at}: {text}");
    }
}

#[test]
fn a_task_that_keeps_its_thread_is_named_while_the_agent_runs() {
    let (keeps, go) = Keeps::until("task");
    let named = "WARN  keeps: task `stubborn` of plugin `Keeps` blocks its thread, for ";
    let text = goes_on_when(named, go, || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let agent = builder(keeps).start().await.unwrap();
            // Gives the task its turn.
            sleep(Duration::from_millis(1)).await;
            agent.close().await.unwrap();
        });
    });
    assert_eq!(text.matches(named).count(), 1, "{text}");
}

/// A log output that drops the agent when it is told what blocks.
struct LetsGo(Arc<Mutex<Option<Agent<Lone>>>>, Written);

impl io::Write for LetsGo {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if String::from_utf8_lossy(line).contains("blocks its thread") {
            drop(self.0.lock().unwrap().take());
        }
        self.1.write(line)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn who_reads_what_blocks_may_drop_the_agent_there() {
    let (keeps, go) = Keeps::until("task");
    let (held, written) = (Arc::new(Mutex::new(None)), Written::default());
    let output = Output::to({
        let (held, written) = (held.clone(), written.clone());
        move || LetsGo(held.clone(), written.clone())
    });
    crate::logging::written::during(output, || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let agent = runtime.block_on(builder(keeps).start()).unwrap();
        *held.lock().unwrap() = Some(agent);
        let began = Instant::now();
        while !written.text().contains("blocks its thread") {
            assert!(began.elapsed() < DEADLINE, "it waits for itself: {}", written.text());
            thread::sleep(Duration::from_millis(5));
        }
        assert!(held.lock().unwrap().is_none());
        drop(go);
    });
}

#[test]
fn without_a_watchdog_nothing_is_named() {
    // Ten times as long as it would take to be named.
    let blocks = Duration::from_millis(500);
    let (keeps, go) = Keeps::until("init");
    let ((), text) = Written::during(
        |output| output,
        || {
            let goes = thread::spawn(move || {
                thread::sleep(blocks);
                drop(go);
            });
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { assert!(builder(keeps).watchdog(false).start().await.is_err()) });
            goes.join().unwrap();
        },
    );
    assert!(text.contains("over its limit") && !text.contains("blocks its thread"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timers_go_on_while_a_task_keeps_its_thread() {
    let (keeps, go) = Keeps::until("task");
    let agent = builder(keeps).start().await.unwrap();
    let began = Instant::now();
    sleep(Duration::from_millis(300)).await;
    assert!(began.elapsed() < DEADLINE / 2);
    drop(go);
    agent.close().await.unwrap();
}

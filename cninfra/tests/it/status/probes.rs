//! Probes of plugins.

use super::{SECOND, of, ok, start};
use cninfra::{
    agent::{Backoff, StartPolicy},
    prelude::*,
    status::{Probing, State},
    testing::paused,
};
use std::{
    cell::Cell,
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, timeout},
};

#[test]
fn a_plugin_is_asked_for_its_state() {
    paused(async {
        let agent = start().await;
        let (answers, began) = (Arc::new(Mutex::new(vec![Ok(()), Err("gone"), Ok(())])), Instant::now());
        let (asked, times) = (answers.clone(), Arc::new(Mutex::new(Vec::new())));
        let seen = times.clone();
        agent.store.cx.probe(Probing::new(), move || {
            seen.lock().unwrap().push(began.elapsed().as_secs());
            let answer = asked.lock().unwrap().pop().unwrap_or(Ok(()));
            async move { answer.map_err(Error::msg) }
        });
        answers.lock().unwrap().reverse();
        let mut changes = agent.status_changes();
        assert_eq!(of(&changes.next().await.unwrap(), "store"), ok(), "at once");
        assert_eq!(of(&changes.next().await.unwrap(), "store"), (State::Error, "gone".into()));
        assert_eq!(agent.status().state, State::Error);
        assert_eq!(of(&changes.next().await.unwrap(), "store"), ok());
        assert_eq!((&**times.lock().unwrap(), began.elapsed()), (&[0, 5, 10][..], 10 * SECOND));
        agent.close().await.unwrap();
        let count = times.lock().unwrap().len();
        sleep(60 * SECOND).await;
        assert_eq!(times.lock().unwrap().len(), count, "nobody asks an agent that has closed");
    });
}

#[test]
fn probes_wait_for_no_other_and_not_for_ever() {
    paused(async {
        let agent = start().await;
        let asked = agent.store.asked.clone();
        let probing = Probing::new().every(3 * SECOND).within(SECOND);
        agent.store.cx.probe(probing, move || {
            asked.store(1, SeqCst);
            let asked = asked.clone();
            async move {
                let _guard = OnDrop(asked);
                pending().await
            }
        });
        agent.cache.cx.probe(probing, async || {
            sleep(SECOND / 2).await;
            Err(Error::msg("connection refused").context("127.0.0.1:1"))
        });
        sleep(SECOND * 6 / 10).await;
        assert_eq!(of(&agent.status(), "cache"), (State::Error, "127.0.0.1:1: connection refused".into()));
        assert_eq!(of(&agent.status(), "store"), ok(), "it has not answered yet");
        sleep(SECOND / 2).await;
        assert_eq!(of(&agent.status(), "store"), (State::Error, "its probe gave no answer within 1s".into()));
        sleep(SECOND * 3).await;
        assert_eq!(agent.store.asked.load(SeqCst), 1, "it is asked again, and hangs");
        agent.close().await.unwrap();
    });
}

struct OnDrop(Arc<AtomicU32>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.store(0, SeqCst);
    }
}

#[test]
fn a_later_probe_takes_the_place_of_the_earlier_one() {
    paused(async {
        let agent = start().await;
        let counts: [Arc<AtomicU32>; 2] = Default::default();
        for count in &counts {
            let count = count.clone();
            agent.store.cx.probe(Probing::new().every(SECOND), move || {
                count.fetch_add(1, SeqCst);
                async { Ok(()) }
            });
            sleep(SECOND * 5 / 2).await;
        }
        sleep(SECOND * 10).await;
        assert_eq!((counts[0].load(SeqCst), counts[1].load(SeqCst)), (3, 13));
        agent.close().await.unwrap();
    });
}

#[test]
fn nothing_is_locked_while_others_are_called() {
    paused(async {
        let agent = start().await;
        let (cx, other) = (agent.store.cx.clone(), agent.cache.cx.clone());
        agent.store.cx.probe(Probing::new(), move || {
            // Everything that can be done inside a probe.
            other.status().report_because(State::Degraded, "asked");
            other.probe(Probing::new(), async || Err(Error::msg("from inside")));
            assert_eq!(cx.status().agent().plugins.len(), 3);
            let mut changes = cx.status_changes();
            async move {
                changes.next().await;
                Ok(())
            }
        });
        sleep(SECOND).await;
        assert_eq!(of(&agent.status(), "cache"), (State::Error, "from inside".into()));
        assert_eq!(of(&agent.status(), "store"), ok());
        agent.close().await.unwrap();
    });
}

/// A name that reads the agent's status while it is converted to text.
struct Curious(Context);

impl AsRef<str> for Curious {
    fn as_ref(&self) -> &str {
        let _ = self.0.status().agent();
        "store"
    }
}

#[test]
fn nothing_is_locked_while_others_names_are_read() {
    paused(async {
        let agent = start().await;
        let (cx, (told, tells)) = (agent.cache.cx.clone(), std::sync::mpsc::channel());
        std::thread::spawn(move || {
            cx.status().non_fatal(&[Curious(cx.clone())]);
            told.send(()).unwrap();
        });
        assert_eq!(tells.recv_timeout(Duration::from_secs(10)), Ok(()), "it waits for itself");
        let status = agent.status();
        let non_fatal = status.plugins.iter().filter(|plugin| plugin.non_fatal).map(|plugin| plugin.name);
        assert_eq!(non_fatal.collect::<Vec<_>>(), ["store"]);
        agent.close().await.unwrap();
    });
}

#[test]
fn a_probe_that_panics_ends_the_agent() {
    paused(async {
        let agent = start().await;
        agent.store.cx.probe(Probing::new(), || -> std::future::Ready<Result<()>> { panic!("no idea") });
        let error = agent.run().await.unwrap_err();
        assert_eq!(error.exit_code(), 1);
        let text = error.to_string();
        assert!(text.contains("Store") && text.contains("probe") && text.contains("no idea"), "{text}");
    });
}

/// Panics when it is dropped, except during another panic.
struct Grenade;

impl Drop for Grenade {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "in pieces");
    }
}

#[test]
fn a_probe_whose_destructor_panics_ends_the_agent() {
    // At its time-out, while the agent is closed, and in the closure that is probed.
    for end in ["time-out", "close", "closure"] {
        paused(async {
            let agent = start().await;
            let probing = Probing::new().within(SECOND);
            if end == "closure" {
                let grenade = Grenade;
                agent.store.cx.probe(probing, move || {
                    let _inside = &grenade;
                    async { Ok(()) }
                });
            } else {
                agent.store.cx.probe(probing, || async {
                    let _grenade = Grenade;
                    pending().await
                });
            }
            sleep(SECOND / 2).await;
            let ended =
                if end == "time-out" { timeout(60 * SECOND, agent.run()).await.unwrap() } else { agent.close().await };
            let error = ended.unwrap_err();
            assert_eq!(error.run[0].to_string(), "plugin `Store` panicked in task `probe`: in pieces", "{end}");
            assert_eq!((error.run.len(), error.errors.len(), error.exit_code()), (1, 0, 1), "{end}");
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_that_blocks_its_thread_does_not_hold_up_the_stop_and_is_told() {
    let agent = start().await;
    let (entered, entering) = std::sync::mpsc::channel();
    // The thread continues when the test ends, even by a panic.
    let (_leave, left) = std::sync::mpsc::channel::<()>();
    let left = Mutex::new(left);
    agent.cache.cx.probe(Probing::new().within(SECOND * 3 / 10), move || {
        entered.send(()).unwrap();
        let _ = left.lock().unwrap().recv();
        async { Ok(()) }
    });
    entering.recv().unwrap();
    // No change has to be reported for this to be noticed.
    let until = std::time::Instant::now() + 20 * SECOND;
    while of(&agent.status(), "cache").0 != State::Error {
        assert!(std::time::Instant::now() < until, "{:?}", agent.status());
        sleep(SECOND / 100).await;
    }
    let reason = of(&agent.status(), "cache").1;
    assert_eq!(reason, "its probe gave no answer within 300ms, and blocks its thread");
    assert!(!agent.status().is_ready());
    let error = timeout(4 * SECOND, agent.close()).await.unwrap().unwrap_err();
    let told: Vec<_> = error.errors.iter().map(ToString::to_string).collect();
    assert!(told.len() == 1 && told[0].starts_with("plugin `Cache` left task `probe`, which blocks its"), "{told:?}");
}

#[test]
fn no_probe_begins_while_the_agent_stops() {
    /// Registers a probe when it is too late.
    #[plugin]
    struct Late {
        asked: Arc<AtomicU32>,
    }
    impl Lifecycle for Late {
        async fn drain(&self, cx: &Context) -> Result<()> {
            let asked = self.asked.clone();
            cx.probe(Probing::new(), move || {
                asked.fetch_add(1, SeqCst);
                async { Ok(()) }
            });
            sleep(SECOND / 10).await;
            Ok(())
        }
    }
    #[derive(Flavor)]
    struct Lone {
        late: Dep<Late>,
    }
    paused(async {
        let agent = Agent::<Lone>::start().await.unwrap();
        let asked = agent.late.asked.clone();
        agent.close().await.unwrap();
        assert_eq!(asked.load(SeqCst), 0);
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_comes_too_late_is_none_even_where_nobody_waited_for_it() {
    let agent = start().await;
    let cx = agent.cache.cx.clone();
    cx.probe(Probing::new().within(SECOND / 100), || {
        std::thread::sleep(SECOND / 10);
        async { Ok(()) }
    });
    let mut changes = agent.status_changes();
    while of(&agent.status(), "cache").1 != "its probe blocked its thread, and gave no answer within 10ms" {
        timeout(10 * SECOND, changes.next()).await.unwrap().unwrap();
    }
    agent.close().await.unwrap();
}

#[tokio::test]
async fn a_probe_is_not_blamed_for_what_others_do() {
    let agent = start().await;
    let cx = agent.cache.cx.clone();
    cx.probe(Probing::new().within(SECOND / 20), || async {
        tokio::task::yield_now().await;
        Ok(())
    });
    // While the probe is running.
    let mut tries = 0;
    while of(&agent.status(), "cache") != (State::Error, "its probe gave no answer within 50ms".into()) {
        tries += 1;
        assert!(tries < 100, "{:?}", agent.status());
        cx.probe(Probing::new().within(SECOND / 20), || async {
            tokio::task::yield_now().await;
            Ok(())
        });
        tokio::task::yield_now().await;
        std::thread::sleep(SECOND / 10);
        tokio::task::yield_now().await;
    }
    agent.close().await.unwrap();
}

#[test]
fn a_probe_without_a_pause_has_one() {
    paused(async {
        let agent = start().await;
        let asked = agent.store.asked.clone();
        let counted = asked.clone();
        agent.store.cx.probe(Probing::new().every(Duration::ZERO), move || {
            assert!(counted.fetch_add(1, SeqCst) < 5000, "it is asked without end");
            async { Ok(()) }
        });
        sleep(SECOND).await;
        let count = asked.swap(0, SeqCst);
        assert!((900..=1001).contains(&count), "{count}");
        agent.store.cx.probe(Probing::new(), || async { Ok(()) });
        agent.close().await.unwrap();
    });
}

thread_local! {
    /// What the next `Slow` does: how many attempts fail, and the state that it reports.
    static NEXT: Cell<(u32, Option<State>)> = const { Cell::new((0, None)) };
}

/// Its `init` fails that many times. Then it reports a state, or none, and registers a probe. The probe answers when
/// the test permits it.
#[plugin]
struct Slow {
    #[default(AtomicU32::new(NEXT.get().0))]
    fails: AtomicU32,
    #[default(NEXT.get().1)]
    says: Option<State>,
    #[default(Arc::new(Semaphore::new(0)))]
    answers: Arc<Semaphore>,
    #[context]
    cx: Context,
}
impl Lifecycle for Slow {
    async fn init(&self, cx: &Context) -> Result<()> {
        if self.fails.load(SeqCst) > 0 {
            self.fails.fetch_sub(1, SeqCst);
            return Err(Error::msg("connection refused"));
        }
        if let Some(state) = self.says {
            cx.status().report(state);
        }
        let answers = self.answers.clone();
        cx.probe(Probing::new(), move || {
            let answers = answers.clone();
            async move {
                answers.acquire().await?.forget();
                Ok(())
            }
        });
        Ok(())
    }
}
#[derive(Flavor)]
struct Asked {
    slow: Dep<Slow>,
}

async fn asked(fails: u32, says: Option<State>) -> Agent<Asked> {
    NEXT.set((fails, says));
    let retry = StartPolicy::Retry(Backoff::new(SECOND, SECOND));
    Agent::<Asked>::builder().start_policy("slow", retry).start().await.unwrap()
}

#[test]
fn a_plugin_whose_probe_has_not_answered_yet_is_not_ready() {
    let waits = || (State::Init, "its probe has not answered yet".to_string());
    paused(async move {
        for fails in [0, 1] {
            let agent = asked(fails, None).await;
            if fails > 0 {
                assert!(of(&agent.status(), "slow").1.contains("connection refused"), "{:?}", agent.status());
                sleep(SECOND * 3 / 2).await;
            }
            assert_eq!((of(&agent.status(), "slow"), agent.status().is_ready()), (waits(), false), "{fails}");
            let mut changes = agent.status_changes();
            agent.slow.answers.add_permits(1);
            assert_eq!(of(&changes.next().await.unwrap(), "slow"), ok());
            assert!(agent.status().is_ready());
            // A plugin that was ok stays ok until its probe says otherwise.
            agent.slow.cx.probe(Probing::new(), pending);
            assert_eq!((of(&agent.status(), "slow"), agent.status().is_ready()), (ok(), true));
            agent.close().await.unwrap();
        }
        // The wait for the first answer has a limit.
        let agent = asked(0, None).await;
        sleep(SECOND * 2 + SECOND / 2).await;
        assert_eq!(of(&agent.status(), "slow"), (State::Error, "its probe gave no answer within 2s".into()));
        agent.close().await.unwrap();
        // A state that the plugin reports itself counts.
        let agent = asked(0, Some(State::Ok)).await;
        assert_eq!((of(&agent.status(), "slow"), agent.status().is_ready()), (ok(), true));
        agent.close().await.unwrap();
    });
}

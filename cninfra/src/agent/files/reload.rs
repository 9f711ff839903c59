//! Follows the config files while the agent runs.

use super::patience::{ConfigPoller, PollResult};
use crate::{
    Logger,
    agent::setup::{
        logs::{self, LogsConfig},
        own,
    },
    boxed,
    config::{Reload, Reloader},
    context::Shared,
    foreign::Panic,
    logging::SharedFormat,
};
use futures_util::FutureExt as _;
use std::{future::pending, panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::{sync::Notify, task::JoinHandle};

/// The task that follows the files. It ends with the agent.
pub(in crate::agent) struct Following(JoinHandle<()>);

impl Drop for Following {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Starts to follow the config files, if there are any. If `format` is given, the log's format follows them, too.
pub(in crate::agent) fn follow(
    shared: Arc<Shared>,
    poll: Duration,
    hangup: Option<Arc<Notify>>,
    format: Option<SharedFormat>,
) -> Option<Following> {
    let has_files = shared.config.has_files();
    has_files.then(|| {
        let log = shared.loggers.of_agent();
        Following(tokio::spawn(boxed(move || async move {
            if let Err(panic) = AssertUnwindSafe(run(shared, poll, hangup, format)).catch_unwind().await {
                log.error(format_args!("following the config files panicked: {}", Panic::of(panic)));
            }
        })))
    })
}

async fn run(shared: Arc<Shared>, poll: Duration, hangup: Option<Arc<Notify>>, format: Option<SharedFormat>) {
    let (mut poller, mut reloader) = (ConfigPoller::default(), None);
    // `is_hangup` is set by SIGHUP, the outcome of which is always reported, even if nothing has changed.
    let (mut is_settling, mut is_hangup) = (false, false);
    let mut failed = String::new();
    loop {
        let wait = if is_settling { own::SETTLES } else { poll };
        tokio::select! {
            () = shared.stop.stopping() => return,
            () = sleep(wait) => {}
            // While new content settles, a SIGHUP waits. It leads to another look afterwards.
            () = hung_up(hangup.as_deref()), if !is_settling => {
                shared.loggers.of_agent().info("SIGHUP: the config is read again");
                is_hangup = true;
            }
        }
        let log = shared.loggers.of_agent();
        // Created at the first look rather than during the start: it then gets the same content that was read before
        // anything began.
        if reloader.is_none() {
            reloader = Reloader::new(&shared.config, own::known(shared.graph));
        }
        let Some(reloader) = &mut reloader else { return };
        let result = match boxed(|| poller.poll(reloader)).await {
            Ok(result) => result,
            Err(error) => {
                // The next look may succeed. A failure is reported once, and again after a SIGHUP.
                let before = std::mem::replace(&mut failed, error.to_string());
                if is_hangup || before != failed {
                    log.error(format_args!("{error:?}"));
                }
                (is_settling, is_hangup) = (false, false);
                continue;
            }
        };
        failed.clear();
        log_unresponsive(&log, (reloader, &poller), &result, is_hangup, poll);
        let Some(reload) = result.reload else {
            (is_settling, is_hangup) = (false, false);
            continue;
        };
        // If files do not answer, that was reported as the outcome of the SIGHUP.
        is_hangup &= poller.unresponsive().next().is_none();
        is_settling = reload == Reload::Unsettled;
        if matches!(&reload, Reload::Taken { live, .. } if live.contains(&logs::SECTION)) {
            set_logs(&shared, reloader, format.as_ref());
        }
        log_reload(&shared, reloader, reload, is_hangup);
        is_hangup &= is_settling;
    }
}

/// Zero means never.
async fn sleep(time: Duration) {
    if time.is_zero() { pending().await } else { tokio::time::sleep(time).await }
}

async fn hung_up(hangup: Option<&Notify>) {
    match hangup {
        Some(hangup) => hangup.notified().await,
        None => pending().await,
    }
}

/// Sets levels and format to what the config says now. Levels that were set while the agent runs still override it.
fn set_logs(shared: &Shared, reloader: &Reloader, format: Option<&SharedFormat>) {
    let applied = LogsConfig::with_origins(reloader.config()).and_then(|(logs, origins)| {
        if let Some(format) = format {
            format.set(logs.format());
        }
        logs.apply(&origins, &shared.loggers)
    });
    if let Err(error) = applied {
        shared.loggers.of_agent().error(format_args!("the levels of loggers stay as they were: {error:?}"));
    }
}

/// Reports the files that do not answer, once, and again after a SIGHUP.
fn log_unresponsive(
    log: &Logger,
    (reloader, poller): (&Reloader, &ConfigPoller),
    result: &PollResult,
    is_hangup: bool,
    poll: Duration,
) {
    let limit = poller.limit();
    let again = if poll.is_zero() { "after the next SIGHUP" } else { "when it answers" };
    for path in &result.responsive_again {
        log.info(format_args!("{} answers again: it is read", path.display()));
    }
    for path in &result.newly_unresponsive {
        let meanwhile = match reloader.has_read(path) {
            true => "it is taken to be as it was when it was last read",
            false => "it has not been read yet",
        };
        log.error(format_args!(
            "{} did not answer within {limit:?}: {meanwhile}, and it is tried again {again}\n  help: look at the file \
             system that it is on",
            path.display()
        ));
    }
    if is_hangup && poller.unresponsive().next().is_some() {
        let unresponsive: Vec<_> = poller.unresponsive().map(|path| path.display().to_string()).collect();
        log.error(format_args!(
            "SIGHUP: could not be read: {} did not answer within {limit:?}",
            unresponsive.join(", ")
        ));
    }
}

/// Reports the result in the log, and in the status of the plugins whose sections follow their files.
fn log_reload(shared: &Shared, reloader: &Reloader, reload: Reload, is_hangup: bool) {
    let log = shared.loggers.of_agent();
    let set_refused = |refused: Option<String>| {
        let live = reloader.live();
        for (place, node) in shared.graph.nodes().iter().enumerate() {
            if live.contains(&node.instance()) {
                shared.status.set_config_refused(place, refused.clone());
            }
        }
    };
    match reload {
        Reload::Same if is_hangup => log.info("SIGHUP: nothing has changed"),
        Reload::StillRefused(mistakes) if is_hangup => {
            let list = mistakes.join("\n  - ");
            log.error(format_args!(
                "SIGHUP: the config is still not valid: the previous values stay in force\n  - {list}"
            ));
        }
        Reload::Same | Reload::StillRefused(_) | Reload::Unsettled => {}
        Reload::Taken { live, fixed, later, odd } => {
            shared.refused.set(Vec::new());
            set_refused(None);
            odd.iter().chain(&later).for_each(|odd| log.warn(odd));
            if !live.is_empty() {
                log.info(format_args!("the config has changed: `{}`", live.join("`, `")));
            }
            if !fixed.is_empty() {
                let names = fixed.join("`, `");
                log.warn(format_args!("the config of `{names}` has changed: a new start of the agent will see it"));
            }
        }
        Reload::Mended => {
            shared.refused.set(Vec::new());
            set_refused(None);
            log.info("the config is valid again, and as it was");
        }
        Reload::Refused(mistakes) => {
            let list = mistakes.join("\n  - ");
            log.error(format_args!(
                "the config has changed and is not valid: the previous values stay in force\n  - {list}"
            ));
            let first = mistakes.first().and_then(|text| text.lines().next()).unwrap_or_default();
            set_refused(Some(format!("its new config is not valid: {first}")));
            shared.refused.set(mistakes);
        }
    }
}

#[cfg(all(test, feature = "testing"))]
#[allow(clippy::unwrap_used, reason = "a test fails by it")]
mod tests {
    use super::*;
    use crate::{
        config::{Config, ConfigMeta, Live, Section, check_config},
        prelude::*,
        testing::log::Log,
    };
    use cninfra_testbed::{Folder, Silent};
    use serde::{Deserialize, Serialize};
    use std::{
        sync::atomic::{AtomicBool, Ordering::Relaxed},
        time::Instant,
    };

    #[derive(Default, Serialize, Deserialize)]
    #[serde(default)]
    struct Greeting {
        text: String,
    }
    #[plugin(no_lifecycle)]
    struct Greeter {
        #[config]
        config: Live<Greeting>,
    }
    #[derive(Flavor)]
    struct Greets {
        greeter: Dep<Greeter>,
    }

    /// An agent that looks at its files only after a hangup, and the hangup.
    async fn started(folder: &Folder, hangups_before: usize) -> (Agent<Greets>, Arc<Notify>) {
        folder.write("greeter.conf", "text: one");
        let config = Config::new().set("agent", "config-poll-interval", "0");
        let mut builder = Agent::<Greets>::builder().config(config).config_dir(folder.path());
        let hangup = Arc::new(Notify::new());
        builder.settings.hangup = Some(hangup.clone());
        (0..hangups_before).for_each(|_| hangup.notify_one());
        (builder.start().await.unwrap(), hangup)
    }

    #[tokio::test]
    async fn a_hangup_in_the_start_has_the_files_read_after_it() {
        let folder = Folder::new();
        let (agent, _) = started(&folder, 1).await;
        let mut changes = agent.greeter.config.changes();
        folder.write("greeter.conf", "text: two");
        let next = tokio::time::timeout(Duration::from_secs(20), changes.next()).await.unwrap().unwrap();
        assert_eq!(next.text, "two");
        agent.close().await.unwrap();
    }

    /// Waits until the log contains `said` that many times, and returns the log.
    async fn until(log: &Log, said: &str, times: usize) -> String {
        let began = Instant::now();
        while log.text().matches(said).count() < times {
            assert!(began.elapsed() < Duration::from_secs(20), "no `{said}` in {}", log.text());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        log.text()
    }

    #[test]
    fn a_hangup_tells_what_came_of_it() {
        let (folder, log) = (Folder::new(), Log::default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        log.during(|| {
            runtime.block_on(async {
                let (agent, hangup) = started(&folder, 0).await;
                hangup.notify_one();
                until(&log, "SIGHUP: nothing has changed", 1).await;
                folder.write("greeter.conf", "text: two");
                hangup.notify_one();
                until(&log, "the config has changed: `greeter`", 1).await;
                folder.write("greeter.conf", "text: [two]");
                hangup.notify_one();
                until(&log, "the config has changed and is not valid: the previous values stay in force", 1).await;
                hangup.notify_one();
                let text =
                    until(&log, "SIGHUP: the config is still not valid: the previous values stay in force", 1).await;
                assert_eq!(text.matches("greeter.conf:1:7: key `greeter.text` takes").count(), 2, "{text}");
                folder.write("greeter.conf", "text: two");
                hangup.notify_one();
                let text = until(&log, "the config is valid again", 1).await;
                assert_eq!(text.matches("nothing has changed").count(), 1, "{text}");
                agent.close().await.unwrap();
            });
        });
    }

    #[test]
    fn a_hangup_tells_of_a_file_that_does_not_answer() {
        let (folder, log) = (Folder::new(), Log::default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (agent, hangup) = log.during(|| runtime.block_on(started(&folder, 0)));
        folder.write("greeter.yaml", "");
        let unresponsive = ["conf", "yaml"].map(|end| Silent::file(folder.path().join(format!("greeter.{end}"))));
        let outcome = "SIGHUP: could not be read: ";
        log.during(|| {
            runtime.block_on(async {
                hangup.notify_one();
                let text = until(&log, outcome, 1).await;
                assert!(text.contains("greeter.conf did not answer within 5s: it is taken to be as it was"), "{text}");
                // The agent does not look at the files by itself.
                assert_eq!(text.matches("it is tried again after the next SIGHUP").count(), 2, "{text}");
                assert!(text.contains("greeter.yaml did not answer within 5s: it has not been read yet"), "{text}");
                hangup.notify_one();
                until(&log, outcome, 2).await;
                drop(unresponsive);
                folder.write("greeter.conf", "text: two");
                // The thread that waits for the file may need a moment.
                while !log.text().contains("greeter.conf answers again") {
                    hangup.notify_one();
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                until(&log, "the config has changed: `greeter`", 1).await;
                agent.close().await.unwrap();
            });
        });
        let text = log.text();
        assert_eq!(text.matches("it is taken to be as it was").count(), 1, "{text}");
        let dir = folder.path().display();
        assert!(text.contains(&format!("{outcome}{dir}/greeter.conf, {dir}/greeter.yaml did not answer")), "{text}");
    }

    #[tokio::test]
    async fn a_second_hangup_is_no_second_look() {
        let folder = Folder::new();
        let (agent, hangup) = started(&folder, 0).await;
        let mut changes = agent.greeter.config.changes();
        let began = Instant::now();
        folder.write("greeter.conf", "text: two");
        let often = async {
            loop {
                hangup.notify_one();
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            () = often => {}
            next = tokio::time::timeout(Duration::from_secs(20), changes.next()) => {
                assert_eq!(next.unwrap().unwrap().text, "two");
            }
        }
        assert!(began.elapsed() >= own::SETTLES, "it had not settled: {:?}", began.elapsed());
        agent.close().await.unwrap();
    }

    /// Its destructor panics if the text is "armed".
    #[derive(Default, Serialize, Deserialize)]
    struct Text(String);
    impl Drop for Text {
        fn drop(&mut self) {
            assert!(self.0 != "armed", "in pieces");
        }
    }
    #[derive(Default, Serialize, Deserialize)]
    #[serde(default)]
    struct Armed {
        text: Text,
    }
    #[plugin(no_lifecycle)]
    struct Carries {
        #[config]
        config: Live<Armed>,
    }
    #[derive(Flavor)]
    struct Lone {
        carries: Dep<Carries>,
    }

    #[test]
    fn what_panics_when_it_is_dropped_ends_no_following() {
        let (folder, log) = (Folder::new(), Log::default());
        folder.write("carries.conf", "text: one");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        log.during(|| {
            runtime.block_on(async {
                let config = Config::new().set("agent", "config-poll-interval", "100ms");
                let agent = Agent::<Lone>::builder().config(config).config_dir(folder.path()).start().await.unwrap();
                for (count, text) in ["armed", "two", "armed", "three"].into_iter().enumerate() {
                    folder.write("carries.conf", &format!("text: {text}"));
                    until(&log, "the config has changed: `carries`", count + 1).await;
                    assert_eq!(agent.carries.config.get().text.0, text);
                }
                agent.close().await.unwrap();
            });
        });
    }

    static FAILS: AtomicBool = AtomicBool::new(false);

    #[derive(Default, Serialize, Deserialize)]
    #[serde(default)]
    struct Plain {
        text: String,
    }

    /// A section whose check can be made to panic, as only a defect of generated code would.
    struct Failing(Live<Plain>);
    impl Section for Failing {
        const META: ConfigMeta = <Live<Plain>>::META.__checked(|section| {
            assert!(!FAILS.load(Relaxed), "in pieces");
            check_config::<Live<Plain>>(section, |_| Ok(()))
        });
        type __Plain = Plain;
        fn __read(config: &Config, section: &str) -> Result<Self> {
            <Live<Plain>>::__read(config, section).map(Failing)
        }
    }
    #[plugin(no_lifecycle)]
    struct Fails {
        #[config]
        config: Failing,
    }
    #[derive(Flavor)]
    struct OneThatFails {
        fails: Dep<Fails>,
    }

    #[test]
    fn a_look_that_fails_is_not_the_last_one() {
        let (folder, log) = (Folder::new(), Log::default());
        folder.write("fails.conf", "text: one");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        log.during(|| {
            runtime.block_on(async {
                let config = Config::new().set("agent", "config-poll-interval", "100ms");
                let agent = Agent::<OneThatFails>::builder().config(config).config_dir(folder.path());
                let agent = agent.start().await.unwrap();
                FAILS.store(true, Relaxed);
                folder.write("fails.conf", "text: two");
                let failed = "reading the config files panicked: in pieces";
                until(&log, failed, 1).await;
                tokio::time::sleep(Duration::from_millis(400)).await;
                FAILS.store(false, Relaxed);
                let text = until(&log, "the config has changed: `fails`", 1).await;
                assert_eq!(text.matches(failed).count(), 1, "told once: {text}");
                assert_eq!(agent.fails.config.0.get().text, "two");
                agent.close().await.unwrap();
            });
        });
    }
}

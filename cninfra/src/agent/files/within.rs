//! Reads the config with a time limit, since a file system may not answer.

use super::{
    reading::Reading,
    search::{ReadWithout, Search, UnresponsiveFile, tick},
};
use crate::{
    Error,
    agent::{
        setup::{
            prepare::{Prepared, StartCheckInputs},
            settings::Settings,
        },
        terms::{
            cause::Cause,
            failure::{PluginError, StartError},
            phase::Phase,
        },
    },
    boxed,
    config::At,
    foreign::Panic,
    graph::Graph,
};
use std::{
    io,
    path::PathBuf,
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    time::{Duration, Instant},
};
use tokio::task::spawn_blocking;

/// Why the config was not read; `S` is the result from the files that do answer.
#[derive(Debug)]
pub(in crate::agent) enum Unread<S> {
    /// The limit has passed, and threads still wait.
    Unresponsive(Unanswered<S>),
    /// There was no thread to read on, the runtime ended, or reading panicked.
    Failed(Error),
}

/// What is known about a reading whose limit has passed.
#[derive(Debug)]
pub(in crate::agent) struct Unanswered<S> {
    /// The files that do not answer. The first is the one that the reading looked at last.
    pub(super) unresponsive: Vec<UnresponsiveFile>,
    /// Whether the first file does not answer. If not, something other than a file takes this long.
    waits: bool,
    limit: Duration,
    /// The result from the files that answer, if it is known.
    result: Option<S>,
}

impl<S: Send + 'static> Unread<S> {
    /// For a reading that did not end within `limit`.
    pub(in crate::agent) fn of(reading: Reading, limit: Duration, search: Search<S>) -> Self {
        let (waits, path) = (reading.at.waits_for(), reading.at.path());
        let (others, result) = search.end(&path);
        let unresponsive = [UnresponsiveFile { path, reading }].into_iter().chain(others).collect();
        Unread::Unresponsive(Unanswered { unresponsive, waits: waits.is_some(), limit, result })
    }
}

impl<S> Unread<S> {
    pub(in crate::agent) fn panicked(panic: Panic) -> Self {
        Unread::Failed(panicked(&panic))
    }

    pub(in crate::agent) fn no_thread(error: io::Error) -> Self {
        Unread::Failed(Error::from(error).context("there is no thread to read the config files on"))
    }

    /// The runtime is shutting down.
    pub(super) fn given_up() -> Self {
        Unread::Failed(Error::msg("reading the config files was given up, since the runtime ends"))
    }

    /// The errors, and the result from the files that do answer.
    pub(in crate::agent) fn into_errors(self) -> (Vec<Error>, Option<S>) {
        let Unanswered { unresponsive, waits, limit, result } = match self {
            Unread::Unresponsive(unanswered) => unanswered,
            Unread::Failed(error) => return (vec![error], None),
        };
        let unresponsive = unresponsive.into_iter().skip(usize::from(!waits)).map(|unresponsive| unresponsive.path);
        (not_read(unresponsive, limit), result)
    }
}

/// An error for each file that does not answer; if there is none, an error that something else takes this long.
pub(in crate::agent) fn not_read(unresponsive: impl Iterator<Item = PathBuf>, limit: Duration) -> Vec<Error> {
    let error = |path: PathBuf| {
        Error::msg(format_args!("{} is not read within {limit:?}", path.display()))
            .with_help("look at the file system that it is on: it does not answer")
    };
    let mut errors: Vec<_> = unresponsive.map(error).collect();
    if errors.is_empty() {
        let what = format_args!("the config is not read within {limit:?}, though no file is waited for");
        let help = "look at what else takes so long: a type or a check of a plugin, or a machine that is busy";
        errors.push(Error::msg(what).with_help(help));
    }
    errors
}

/// The error for a panic while the files were read.
pub(in crate::agent) fn panicked(panic: &Panic) -> Error {
    Error::msg(format_args!("reading the config files panicked: {panic}")).with_help("it is a defect")
}

/// Reads the files, and prepares the start of the flavor with this graph.
///
/// # Errors
/// The files were not read within the limit of the start, or the agent was asked to stop meanwhile.
pub(in crate::agent) async fn read(settings: Box<Settings>, graph: &'static Graph) -> Result<Prepared, StartError> {
    // If the config has been checked, all its files have been read.
    if settings.is_checked || (settings.files.is_none() && !settings.config.may_name_files()) {
        return Ok(settings.prepare(graph));
    }
    let (began, stop) = (Instant::now(), settings.stop.clone());
    // The limit that the files may set is not known yet.
    let limit = settings.own.limits.unwrap_or_default().start;
    let (at, inputs) = (At::default(), StartCheckInputs::of(&settings, graph));
    let read_without: ReadWithout<Vec<PluginError>> = Box::new(move |without| {
        let inputs = inputs.clone();
        Some((At::without(without), Box::new(move || inputs.mistakes())))
    });
    // Boxed, since this future is large and rarely needed: so the future of a start without files has no room for it.
    let reading = boxed(move || within(limit, at, move || settings.prepare(graph), read_without));
    let failed = tokio::select! {
        read = reading => match read {
            Ok(prepared) => return Ok(prepared),
            Err(unread) => {
                let (errors, mistakes) = unread.into_errors();
                let error = |error| PluginError::of_flavor(graph, Phase::Create, Cause::Config(error));
                errors.into_iter().map(error).chain(mistakes.into_iter().flatten()).collect()
            }
        },
        () = stop.stopping() => Vec::new(),
    };
    Err(StartError::before_all(graph, failed, began))
}

/// Waits for `outcome` up to `limit`, and lets the search look at each tick.
pub(in crate::agent) fn wait<T, S: Send + 'static>(
    outcome: &Receiver<T>,
    limit: Duration,
    search: &mut Search<S>,
) -> Result<T, RecvTimeoutError> {
    let (began, tick) = (Instant::now(), tick(limit));
    loop {
        let left = limit.saturating_sub(began.elapsed());
        match outcome.recv_timeout(left.min(tick)) {
            Err(RecvTimeoutError::Timeout) if !left.is_zero() => search.look(),
            outcome => return outcome,
        }
    }
}

/// Calls `read` on another thread, and waits for it up to `limit` of real time.
///
/// # Cancel safety
/// Cancel safe: the result is then ignored.
pub(super) async fn within<T: Send + 'static, S: Send + 'static>(
    limit: Duration,
    at: At,
    read: impl FnOnce() -> T + Send + 'static,
    read_without: ReadWithout<S>,
) -> Result<T, Unread<S>> {
    let (sender, outcome) = sync_channel(2);
    let _given_up = GivenUp(sender.clone());
    let waits = move || {
        // The receiver may be gone.
        let done = move |read| drop(sender.send(Message::Read(read)));
        let mut search = Search::new(at.clone(), read_without);
        let reading = Reading::begin(at, read, done).map_err(Unread::no_thread)?;
        match wait(&outcome, limit, &mut search) {
            Ok(Message::Read(read)) => read.map_err(Unread::panicked),
            Err(RecvTimeoutError::Timeout) => Err(Unread::of(reading, limit, search)),
            Ok(Message::GivenUp) | Err(RecvTimeoutError::Disconnected) => Err(Unread::given_up()),
        }
    };
    // On a blocking thread: while it runs, tokio does not advance a paused clock.
    spawn_blocking(waits).await.unwrap_or_else(|_| Err(Unread::given_up()))
}

enum Message<T> {
    Read(Result<T, Panic>),
    GivenUp,
}

/// Ends the wait when it is dropped: otherwise a runtime that is dropped would block until the limit.
struct GivenUp<T>(SyncSender<Message<T>>);

impl<T> Drop for GivenUp<T> {
    fn drop(&mut self) {
        // The channel has room for both messages.
        let _ = self.0.try_send(Message::GivenUp);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use cninfra_testbed::Folder;
    use std::{
        fs,
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
            mpsc::channel,
        },
    };

    #[tokio::test(start_paused = true)]
    async fn a_file_that_is_not_read_in_time_is_named() {
        let folder = Folder::new();
        let path = folder.path().join("password");
        fs::write(&path, "hunter2").unwrap();
        let _silent = cninfra_testbed::Silent::file(&path);
        let config = Config::new().set("store", "password-file", path.display().to_string());
        let began = tokio::time::Instant::now();
        let read = within(
            Duration::from_millis(100),
            At::default(),
            move || drop(config.section::<Store>("store").map(|store| store.password)),
            nothing_else(),
        );
        let error = read.await.unwrap_err().into_errors().0.remove(0);
        assert_eq!(error.to_string(), format!("{} is not read within 100ms", path.display()));
        assert!(error.help().is_some_and(|help| help.contains("file system")) && began.elapsed().is_zero());
    }

    /// Nothing can be read again.
    fn nothing_else() -> ReadWithout<()> {
        Box::new(|_| None)
    }

    #[tokio::test]
    async fn no_file_is_blamed_for_what_takes_long_by_itself() {
        let (folder, is_again) = (Folder::new(), Arc::new(AtomicBool::new(false)));
        folder.write("store.conf", "");
        let (path, is_read_again) = (folder.path().join("store.conf"), is_again.clone());
        // So that a wait beyond the limit makes the test fail rather than hang.
        let (answer, answered) = channel::<()>();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_secs(20));
            drop(answer);
        });
        let config = Config::new().set("store", "password-file", path.display().to_string());
        let read = move || {
            let _ = config.section::<Store>("store").map(|store| store.password);
            let _ = answered.recv();
        };
        let read_without: ReadWithout<()> = Box::new(move |_| {
            is_read_again.store(true, Ordering::Relaxed);
            None
        });
        let (errors, _) =
            within(Duration::from_millis(300), At::default(), read, read_without).await.unwrap_err().into_errors();
        let told: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["the config is not read within 300ms, though no file is waited for"]);
        assert!(errors[0].help().is_some_and(|help| help.contains("a check of a plugin")));
        assert!(!is_again.load(Ordering::Relaxed), "there is no file to read without");
    }

    #[derive(Default, serde::Serialize, serde::Deserialize)]
    #[serde(default)]
    struct Store {
        password: crate::config::Secret,
    }

    #[tokio::test]
    async fn what_panics_is_told() {
        let read = within(Duration::from_secs(60), At::default(), || panic!("in pieces"), nothing_else());
        let told = read.await.err().unwrap().into_errors().0.remove(0).to_string();
        assert_eq!(told, "reading the config files panicked: in pieces");
    }

    #[test]
    fn a_runtime_that_is_dropped_does_not_wait_for_it() {
        use tokio::runtime::Builder;
        for mut builder in [Builder::new_current_thread(), Builder::new_multi_thread()] {
            let runtime = builder.enable_all().build().unwrap();
            let ((begins, begun), (_answer, answered)) = (channel(), channel::<()>());
            let read = move || {
                begins.send(()).unwrap();
                let _ = answered.recv();
            };
            runtime.spawn(within(Duration::from_secs(60), At::default(), read, nothing_else()));
            runtime.block_on(async {
                while begun.try_recv().is_err() {
                    tokio::task::yield_now().await
                }
            });
            let began = Instant::now();
            drop(runtime);
            assert!(began.elapsed() < Duration::from_secs(20), "it was waited for: {:?}", began.elapsed());
        }
    }
}

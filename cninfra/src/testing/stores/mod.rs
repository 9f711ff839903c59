//! [`StoreConformance`]: checks the contract of stores, as far as it can be seen from outside.

/// Fails the check unless the condition holds.
macro_rules! ensure {
    ($is:expr, $($what:tt)+) => {
        if !$is {
            return Err($crate::testing::stores::Broken(format!($($what)+)));
        }
    };
}

/// Fails the check.
macro_rules! fail {
    ($($what:tt)+) => {
        return Err($crate::testing::stores::Broken(format!($($what)+)))
    };
}

/// A list of checks: each with a short description and the function that runs it.
macro_rules! checks {
    ($($what:literal => $run:path,)+) => {
        vec![$($crate::testing::stores::Check { what: $what, run: |trial| Box::pin($run(trial)) }),+]
    };
}

mod coordination;
mod expiry;
mod leases;
mod listing;
mod picture;
mod puts;
mod refusals;
mod revisions;
mod slow;
mod txn;
mod values;
mod watch;

use crate::{
    Error, Result,
    keyval::{Bytes, Coordination, Expiry, Kv, Leases, Revisions, Store},
};
use futures_util::future::LocalBoxFuture;
use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, timeout};

/// A check that takes longer is considered stuck.
const LIMIT: Duration = Duration::from_secs(60);
/// Every change has to be visible within this time.
const SOON: Duration = Duration::from_secs(10);

/// A store to be checked: how to open and close it. It is opened again after it was closed.
pub trait Subject {
    /// The store.
    type Store: Store;

    /// Opens the store. Its data may be used by others, below other prefixes.
    fn open(&self) -> impl Future<Output = Result<Arc<Self::Store>>>;

    /// Closes the store, as its plugin does.
    fn close(&self, store: Arc<Self::Store>) -> impl Future<Output = Result<()>>;
}

/// Checks that a store keeps its contract, in real time: what [`cninfra::keyval`](crate::keyval) says about stores, and
/// what its own [`Capabilities`](crate::keyval::Capabilities) say.
///
/// Each store has to pass the level `core`: values, conditions, expiry, transactions, listings, watches with slow
/// subscribers, and that unsupported requests are refused before anything is done. A store that can do more is checked
/// for more: [`with_revisions`](Self::with_revisions), [`with_leases`](Self::with_leases),
/// [`with_coordination`](Self::with_coordination).
///
/// ```
/// use cninfra::{Result, keyval::Store, testing::{StoreConformance, Subject}};
/// use std::sync::Arc;
///
/// /// A store that is kept in memory: it is open from the start, and nothing is left of it when it is closed.
/// struct Opened<S>(Arc<S>);
///
/// impl<S: Store> Subject for Opened<S> {
///     type Store = S;
///     async fn open(&self) -> Result<Arc<S>> {
///         Ok(self.0.clone())
///     }
///     async fn close(&self, _: Arc<S>) -> Result<()> {
///         Ok(())
///     }
/// }
///
/// // in a test, on more than one thread
/// async fn check(store: impl Store) {
///     StoreConformance::of(Opened(Arc::new(store))).check().await;
/// }
/// ```
#[must_use = "it is `check` that checks"]
pub struct StoreConformance<S: Subject> {
    subject: S,
    checks: Vec<Check<S::Store>>,
    only: Option<String>,
}

impl<S: Subject> StoreConformance<S> {
    /// Checks the level `core`.
    pub fn of(subject: S) -> Self {
        let checks = [
            values::checks(),
            expiry::checks(),
            txn::checks(),
            puts::checks(),
            listing::checks(),
            refusals::checks(),
            watch::checks(),
            slow::checks(),
        ];
        StoreConformance { subject, checks: checks.into_iter().flatten().collect(), only: None }
    }

    /// Runs only the checks whose text contains this, for work on one of them.
    pub fn only(mut self, words: impl Into<String>) -> Self {
        self.only = Some(words.into());
        self
    }

    /// Runs the checks.
    ///
    /// # Panics
    /// The store violates the contract; the message lists all violations.
    pub async fn check(self) {
        let broken = self.violations().await;
        assert!(broken.is_empty(), "the store breaks its contract:\n{}", broken.join("\n"));
    }

    /// The violations, one line each.
    pub async fn violations(self) -> Vec<String> {
        let mut broken = Vec::new();
        let is_asked = |what: &str| self.only.as_ref().is_none_or(|words| what.contains(words));
        let store = match in_time(self.subject.open()).await {
            Ok(store) => store,
            Err(how) => return vec![format!("- it cannot be opened: {how}")],
        };
        for Check { what, run } in self.checks.iter().filter(|check| is_asked(check.what)) {
            let trial = Trial::new(store.clone());
            let clean = trial.clone();
            if let Err(how) = in_time(run(trial)).await {
                broken.push(format!("- {what}: {how}"));
            }
            if let Err(how) = in_time(clean.clean()).await {
                broken.push(format!("- {what}: what it wrote cannot be deleted: {how}"));
            }
        }
        if let Err(how) = in_time(self.subject.close(store)).await {
            broken.push(format!("- it cannot be closed: {how}"));
        }
        let what = "what ends with its client ends when that is closed";
        if is_asked(what)
            && let Err(how) = in_time(ends_with_its_client(&self.subject)).await
        {
            broken.push(format!("- {what}: {how}"));
        }
        broken
    }
}

impl<S: Subject<Store: Revisions>> StoreConformance<S> {
    /// Also checks revisions.
    pub fn with_revisions(mut self) -> Self {
        self.checks.extend(revisions::checks());
        self
    }
}

impl<S: Subject<Store: Leases>> StoreConformance<S> {
    /// Also checks leases.
    pub fn with_leases(mut self) -> Self {
        self.checks.extend(leases::checks());
        self.checks.extend(puts::checks_of_leases());
        self
    }
}

impl<S: Subject<Store: Coordination>> StoreConformance<S> {
    /// Also checks that agents can coordinate through the store.
    pub fn with_coordination(mut self) -> Self {
        self.checks.extend(coordination::checks());
        self
    }
}

/// One point of the contract.
struct Check<S> {
    what: &'static str,
    run: fn(Trial<S>) -> LocalBoxFuture<'static, Done>,
}

type Done = Result<(), Broken>;

/// How the contract is violated.
pub(super) struct Broken(String);

impl<E: StdError + 'static> From<E> for Broken {
    fn from(error: E) -> Self {
        let mut how = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            how.push_str(&format!(": {error}"));
            source = error.source();
        }
        Broken(how)
    }
}

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A store, and a key prefix that only one check uses.
struct Trial<S> {
    store: Arc<S>,
    name: u32,
}

impl<S> Clone for Trial<S> {
    fn clone(&self) -> Self {
        Trial { store: self.store.clone(), name: self.name }
    }
}

impl<S: Store> Trial<S> {
    fn new(store: Arc<S>) -> Self {
        Trial { store, name: fastrand::u32(..) }
    }

    /// Keys that may be in many slots of a cluster.
    fn kv(&self) -> Kv<S> {
        Kv::new(self.store.clone()).scoped(format!("conformance/{:08x}/", self.name))
    }

    /// Keys in one slot, so that a transaction may contain any of them.
    fn slot(&self) -> Kv<S> {
        Kv::new(self.store.clone()).scoped(format!("conformance/{{{:08x}}}/", self.name))
    }

    async fn clean(&self) -> Done {
        self.kv().delete_prefix("").await?;
        self.slot().delete_prefix("").await?;
        Ok(())
    }
}

/// The result of `work`, or how it failed, including that it did not end in time.
async fn in_time<T, E: fmt::Debug>(work: impl Future<Output = Result<T, E>>) -> Result<T, String> {
    match timeout(LIMIT, work).await {
        Ok(done) => done.map_err(|error| format!("{error:?}")),
        Err(_) => Err(format!("it does not end within {LIMIT:?}")),
    }
}

/// Polls until the condition holds or the time is over.
async fn eventually(what: &str, within: Duration, mut is_so: impl AsyncFnMut() -> Result<bool, Broken>) -> Done {
    let began = Instant::now();
    while !is_so().await? {
        ensure!(began.elapsed() < within, "{what} is not so within {within:?}");
        sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

async fn ends_with_its_client<S: Subject>(subject: &S) -> Done {
    let broken = |error: Error| Broken(format!("{error:?}"));
    let store = subject.open().await.map_err(broken)?;
    let trial = Trial::new(store.clone());
    let kv = trial.kv();
    kv.put_with("there", "I am", Expiry::WithClient).await?;
    let found = kv.get("there").await?.map(|entry| entry.value);
    ensure!(found == Some(Bytes::from_static(b"I am")), "it is not there before, but {found:?}");
    drop((kv, trial.store));
    subject.close(store).await.map_err(broken)?;
    let store = subject.open().await.map_err(broken)?;
    let kv = Trial { store: store.clone(), name: trial.name }.kv();
    let gone = eventually("it is gone", SOON, async || Ok(kv.get("there").await?.is_none())).await;
    drop(kv);
    subject.close(store).await.map_err(broken)?;
    gone
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyval::{
        At, Capabilities, Entry, KeyRange, Op, Page, PageRequest, Txn, TxnOutcome, Watch, WatchOptions, testing::Map,
    };
    use std::{cell::Cell, future::pending};

    /// A store that does not answer at this step of a run.
    struct Stuck(Arc<Map>, &'static str);

    impl Store for Stuck {
        fn capabilities(&self) -> Capabilities {
            self.0.capabilities()
        }
        async fn get(&self, key: Bytes, at: At) -> crate::keyval::Result<Option<Entry>> {
            self.0.get(key, at).await
        }
        async fn page(&self, request: PageRequest) -> crate::keyval::Result<Page> {
            self.0.page(request).await
        }
        async fn commit(&self, txn: Txn) -> crate::keyval::Result<TxnOutcome> {
            if self.1 == "clean" && txn.then.iter().any(|op| matches!(op, Op::Delete { .. })) {
                return pending().await;
            }
            self.0.commit(txn).await
        }
        async fn watch(&self, ranges: Vec<KeyRange>, options: WatchOptions) -> crate::keyval::Result<Watch> {
            self.0.watch(ranges, options).await
        }
    }

    /// The step at which the store hangs, and how often it was opened.
    struct Opens(&'static str, Cell<u32>);

    impl Subject for Opens {
        type Store = Stuck;
        async fn open(&self) -> Result<Arc<Stuck>> {
            self.1.set(self.1.get() + 1);
            match (self.0, self.1.get()) {
                ("open", _) | ("open again", 2) => pending().await,
                (step, _) => Ok(Arc::new(Stuck(Map::of([]), step))),
            }
        }
        async fn close(&self, _: Arc<Stuck>) -> Result<()> {
            if self.0 == "close" { pending().await } else { Ok(()) }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_does_not_answer_is_not_waited_for_for_ever() {
        for (step, words, told) in [
            ("open", "byte for byte", "- it cannot be opened: "),
            ("clean", "byte for byte", "what it wrote cannot be deleted: "),
            ("close", "byte for byte", "- it cannot be closed: "),
            ("open again", "ends with its client", "- what ends with its client ends when that is closed: "),
        ] {
            let checks = StoreConformance::of(Opens(step, Cell::default())).only(words).violations();
            let Ok(found) = timeout(60 * LIMIT, checks).await else { panic!("{step}: it does not end") };
            let is_told = |line: &String| line.contains(told) && line.ends_with("it does not end within 60s");
            assert!(found.iter().any(is_told), "{step}: {found:?}");
        }
    }
}

//! [`Election`]: one of many agents leads.

use super::{
    super::{Bytes, Coordination, Diffed, Entry, Kv, Result, Update, WatchOptions},
    claim::Claim,
    held::Held,
    session::Loss,
};
use std::{collections::BTreeMap, fmt, ops::Deref, time::Duration};

/// An election: one of many agents leads, the one that has been a candidate for the longest time.
///
/// ```
/// use cninfra::{keyval::{Coordination, Election, Kv}, prelude::*};
/// use std::time::Duration;
///
/// #[plugin]
/// struct Scheduler {
///     store: Dep<dyn Coordination>,
/// }
///
/// impl Lifecycle for Scheduler {
///     async fn init(&self, cx: &Context) -> Result<()> {
///         let all = Kv::of_all(&self.store); // not below the agent's prefix: it is about all agents
///         let election = Election::new(&all, "scheduler", Duration::from_secs(10));
///         let (log, me) = (cx.log(), cx.service_label().to_string());
///         cx.spawn_until_close("lead", async move {
///             loop {
///                 let leadership = match election.campaign(me.clone()).await {
///                     Ok(leadership) => leadership,
///                     Err(error) => return log.error(format_args!("no election: {error}")),
///                 };
///                 let ended = leadership.during(async { /* what the leader does, until it returns or is dropped */ }).await;
///                 if let Err(loss) = ended {
///                     log.warn(format_args!("leads no more: {loss}"));
///                 }
///             }
///         });
///         Ok(())
///     }
/// }
/// ```
pub struct Election {
    queue: Kv<dyn Coordination>,
    ttl: Duration,
}

impl Election {
    /// An election of this name, below the prefix of a view. A leader that dies is replaced after at most `ttl`, or the
    /// time that the store grants. A leader that cannot reach the store learns of its loss within that time, before
    /// another one leads.
    #[must_use]
    pub fn new(kv: &Kv<dyn Coordination>, name: impl AsRef<[u8]>, ttl: Duration) -> Self {
        Election { queue: Claim::queue(kv, name.as_ref()), ttl }
    }

    /// Becomes a candidate, and waits until it leads. While the store cannot be reached, it keeps trying.
    ///
    /// # Errors
    /// Those of the store, if it does not permit it, does not support it, or was closed.
    ///
    /// # Cancel safety
    /// If it is dropped, it is no longer a candidate.
    pub async fn campaign(&self, value: impl Into<Bytes>) -> Result<Leadership> {
        Held::wait(&self.queue, "campaign", value, self.ttl).await.map(Leadership)
    }

    /// The leader, with its value; `None` if there is none.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn leader(&self) -> Result<Option<Entry>> {
        let all = self.queue.list("").all().await?;
        Ok(all.into_iter().filter(|entry| Claim::is_place(&entry.key)).min_by_key(|entry| entry.created))
    }

    /// Watches the leader: reports who leads, and each change of the leader or its value.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn observe(&self) -> Result<Observed> {
        let updates = self.queue.watch([""], WatchOptions::default()).await?.diffed();
        Ok(Observed { updates, standing: BTreeMap::new(), told: None })
    }
}

/// The leadership, which lasts until it is [lost](Held::lost). Dropping it resigns in the background, and the close of
/// the store waits for that: so an agent that stops has resigned.
#[must_use = "dropped, it resigns"]
#[derive(Debug)]
pub struct Leadership(Held);

impl Deref for Leadership {
    type Target = Held;

    fn deref(&self) -> &Held {
        &self.0
    }
}

impl Leadership {
    /// Runs `work` as the leader. When the leadership is lost, `work` is dropped and this returns at once. Resigns
    /// afterwards.
    ///
    /// # Errors
    /// Why the leadership was lost.
    pub async fn during<T>(self, work: impl Future<Output = T>) -> std::result::Result<T, Loss> {
        let done = tokio::select! {
            biased;
            loss = self.lost() => Err(loss),
            done = work => Ok(done),
        };
        if done.is_ok() {
            // If the lease cannot be revoked, it expires by itself.
            let _ = self.0.end().await;
        }
        // After a loss, `self` is dropped and releases in the background: a store that does not answer must not delay
        // the caller, who has to know of the loss.
        done
    }

    /// Changes the value that others see. Returns whether it was changed, which it is not after the leadership was
    /// lost.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn proclaim(&self, value: impl Into<Bytes>) -> Result<bool> {
        self.0.put(value.into()).await
    }

    /// Resigns. The next candidate leads at once.
    ///
    /// # Errors
    /// Those of the store. The lease then ends by itself.
    pub async fn resign(self) -> Result<()> {
        self.0.end().await
    }
}

impl fmt::Debug for Election {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Election").field("queue", &self.queue).field("ttl", &self.ttl).finish()
    }
}

/// The changes of the leader: see [`Election::observe`].
pub struct Observed {
    updates: Diffed,
    /// The candidates, by key; the entry has the revision at which the key was created.
    standing: BTreeMap<Bytes, Entry>,
    /// The leader that was reported last; `None` before the first report.
    told: Option<Option<Entry>>,
}

impl Observed {
    /// The next leader, with its value; `Some(None)` if nobody leads, and `None` when the store was closed.
    ///
    /// # Cancel safety
    /// It may be dropped and called again.
    pub async fn next(&mut self) -> Option<Option<Entry>> {
        let mut is_known = self.told.is_some();
        loop {
            match self.updates.next().await? {
                Update::Put(entry) if !Claim::is_place(&entry.key) => continue,
                Update::Put(entry) => drop(self.standing.insert(entry.key.clone(), entry)),
                Update::Deleted { key, .. } => drop(self.standing.remove(&key)),
                Update::Synced(_) => is_known = true,
                Update::Removed(_) | Update::Link(_) => {}
            }
            // Until the first snapshot is complete, it is not known which candidate is the first.
            if !is_known {
                continue;
            }
            let leader = self.standing.values().min_by_key(|entry| entry.created).cloned();
            if self.told.as_ref() != Some(&leader) {
                self.told = Some(leader.clone());
                return Some(leader);
            }
        }
    }
}

impl fmt::Debug for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observed").field("updates", &self.updates).finish_non_exhaustive()
    }
}

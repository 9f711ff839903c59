//! [`Session`]: the keys that end with the client. Each has a life of its own, which is renewed until the store is closed.

use crate::{
    core::{Core, To},
    failure::Asked,
    script,
    wire::Command,
};
use bytes::Bytes;
use cninfra::keyval::{Expiry, KeyRange, Op, Reason, Result};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, sleep, timeout};

/// So many keys a client may have that end with it.
pub(crate) const MOST: usize = 10_000;
/// For the deletes at the close.
const RELEASING: Duration = Duration::from_secs(1);

/// The keys that end with the client, with their values.
#[derive(Default)]
pub(crate) struct Session(Mutex<HashMap<Bytes, Kept>>);

#[derive(Clone)]
struct Kept {
    value: Bytes,
    renewed: Instant,
}

impl Session {
    /// These operations were done.
    pub(crate) fn note(&self, ops: &[Op]) {
        let mut kept = self.lock();
        for op in ops {
            match op {
                Op::Put(put) if put.expiry == Expiry::WithClient => {
                    let now = Kept { value: put.value.clone(), renewed: Instant::now() };
                    kept.insert(put.key.clone(), now);
                }
                // with the life that it had
                Op::Put(put) if put.expiry == Expiry::Keep => {
                    if let Some(kept) = kept.get_mut(&put.key) {
                        kept.value = put.value.clone();
                    }
                }
                Op::Put(put) => {
                    kept.remove(&put.key);
                }
                Op::Delete { range, .. } => kept.retain(|key, _| !range.contains(key)),
                _ => {}
            }
        }
    }

    /// Would there be too many with these operations?
    pub(crate) fn is_full(&self, ops: &[Op]) -> bool {
        let with_client = |op: &&Op| matches!(op, Op::Put(put) if put.expiry == Expiry::WithClient);
        let more = ops.iter().filter(with_client).count();
        more > 0 && self.lock().len() + more > MOST
    }

    fn all(&self) -> Vec<(Bytes, Kept)> {
        self.lock().iter().map(|(key, kept)| (key.clone(), kept.clone())).collect()
    }

    /// Deletes them.
    pub(crate) async fn release(&self, core: &Core) {
        let releasing = async {
            for (key, kept) in self.all() {
                let asked = Asked::to_write("delete", Some(KeyRange::key(&key)));
                let release = script::of_key(script::RELEASE, &key).arg(kept.value);
                // one that can not be deleted ends by itself
                if core.call_own(&asked, &To::Key(key), release).await.is_err() {
                    return;
                }
            }
        };
        let _ = timeout(RELEASING, releasing).await;
    }

    async fn renew(&self, core: &Core, key: Bytes, kept: Kept) -> Result<()> {
        let (asked, to) = (Asked::to_write("renew", Some(KeyRange::key(&key))), To::Key(key.clone()));
        let ttl = *core.config.session_ttl;
        let renew = script::of_key(script::RENEW, &key).arg(kept.value.clone()).number(ttl.as_millis());
        let asked_at = Instant::now();
        let found = core.call_own(&asked, &to, renew).await?.number();
        // it has ended, since the store was away for longer than it lives: who has it is still there
        let has_ended = found == Some(-1) && kept.renewed.elapsed() >= ttl;
        if has_ended {
            let put =
                Command::new("SET", [key.clone(), kept.value.clone()]).arg("PX").number(ttl.as_millis()).arg("NX");
            core.call_own(&asked, &to, put).await?;
        }
        let mut all = self.lock();
        match all.get_mut(&key) {
            Some(now) if now.value != kept.value => {}
            Some(now) if found == Some(1) || has_ended => now.renewed = asked_at,
            // somebody else has written or deleted it: it is not ours
            _ => {
                all.remove(&key);
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Bytes, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Renews them until the store is closed.
pub(crate) async fn run(core: Arc<Core>, session: Arc<Session>) {
    let renewing = async {
        loop {
            sleep(*core.config.session_ttl / 3).await;
            for (key, kept) in session.all() {
                if let Err(error) = session.renew(&core, key, kept).await
                    && matches!(error.reason(), Reason::Unavailable | Reason::TimedOut(_))
                {
                    break;
                }
            }
        }
    };
    tokio::select! {
        () = core.closed() => {}
        () = renewing => {}
    }
}

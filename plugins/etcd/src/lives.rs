//! [`Lives`]: the leases of the puts of a transaction.

use crate::{
    EtcdStore,
    terms::Terms,
    txn::{self, Life},
};
use cninfra::keyval::{Expiry, KeyRange, KvError, LeaseId, Op, Reason, Result, Txn};
use std::time::Duration;

/// The lives of all puts of a transaction, with one lease for all that are to live equally long.
#[derive(Default)]
pub(crate) struct Lives {
    /// Of both branches, in their order.
    pub(crate) each: Vec<Life>,
    /// What was asked for, and what was granted.
    granted: Vec<(Duration, Life)>,
    /// What ends with the client has this one.
    of_client: Option<LeaseId>,
}

impl Lives {
    /// The leases that something is written with, each once.
    pub(crate) fn leases(&self) -> Vec<LeaseId> {
        let mut leases: Vec<LeaseId> = self.each.iter().filter_map(|life| life.lease).collect();
        leases.sort();
        leases.dedup();
        leases
    }

    /// A lease that the caller knows nothing of, so that another one does as well.
    pub(crate) fn is_own(&self, lease: LeaseId) -> bool {
        self.of_client == Some(lease) || self.granted.iter().any(|(_, life)| life.lease == Some(lease))
    }

    /// Those of the branch that was done.
    pub(crate) fn of(&self, txn: &Txn, succeeded: bool) -> &[Life] {
        let (then, otherwise) = self.each.split_at(txn::puts(&txn.then).min(self.each.len()));
        if succeeded { then } else { otherwise }
    }

    fn granted(&self, ttl: Duration) -> Option<Life> {
        self.granted.iter().find_map(|(asked, life)| (*asked == ttl).then_some(*life))
    }
}

/// Does something end by itself, so that there have to be leases? Where nothing does, all puts have the same life.
pub(crate) fn are_wanted(txn: &Txn) -> bool {
    let ends = |op: &Op| matches!(op, Op::Put(put) if !matches!(put.expiry, Expiry::Never | Expiry::Keep));
    txn.then.iter().chain(&txn.otherwise).any(ends)
}

impl EtcdStore {
    /// The lives of all puts.
    pub(crate) async fn lives(&self, terms: Terms, txn: &Txn) -> Result<Lives> {
        let mut lives = Lives::default();
        for op in txn.then.iter().chain(&txn.otherwise) {
            let Op::Put(put) = op else { continue };
            let life = match put.expiry {
                Expiry::After(ttl) => match lives.granted(ttl) {
                    Some(life) => Ok(life),
                    None => self.core.grant(terms, ttl).await.map(|(lease, granted)| {
                        let life = Life { lease: Some(lease), ttl: Some(granted) };
                        lives.granted.push((ttl, life));
                        life
                    }),
                },
                Expiry::Lease(lease) => Ok(Life { lease: Some(lease), ttl: None }),
                Expiry::WithClient => {
                    let lease = self.session.lease(terms, &self.core, &self.tasks).await;
                    lives.of_client = lease.as_ref().ok().copied();
                    lease.map(|lease| Life { lease: Some(lease), ttl: None })
                }
                _ => Ok(Life::default()),
            };
            match life {
                Ok(life) => lives.each.push(life),
                Err(error) => {
                    self.give_back(terms, &lives, &[]).await;
                    return Err(not_begun(error, op));
                }
            }
        }
        Ok(lives)
    }

    /// Gives back the leases that were granted for nothing: all but those that were used. What can not be revoked in time ends by itself.
    pub(crate) async fn give_back(&self, terms: Terms, lives: &Lives, used: &[Life]) {
        for (_, life) in lives.granted.iter().filter(|(_, life)| !used.contains(life)) {
            if let Some(lease) = life.lease {
                let _ = self.core.revoke(terms, lease).await;
            }
        }
    }

    /// Which of the leases is gone, where one is.
    pub(crate) async fn gone(&self, terms: Terms, lives: &Lives) -> Option<LeaseId> {
        let leases = lives.leases();
        if let [only] = &*leases {
            return Some(*only);
        }
        for lease in leases {
            if let Ok(None) = self.core.time_left(terms, lease).await {
                return Some(lease);
            }
        }
        None
    }
}

/// The put was not begun, whatever became of its lease.
fn not_begun(error: KvError, op: &Op) -> KvError {
    let range = if let Op::Put(put) = op { KeyRange::key(&put.key) } else { KeyRange::all() };
    let reason = match error.reason() {
        // of a lease that nobody has asked for
        Reason::NoLease(_) => Reason::Unavailable,
        reason => reason.clone(),
    };
    let (endpoint, help) = (error.endpoint().map(str::to_string), error.help().map(str::to_string));
    let mut about = KvError::new("put", reason).not_applied().on(range).because(error);
    if let Some(endpoint) = endpoint {
        about = about.at(endpoint);
    }
    match help {
        Some(help) => about.with_help(help),
        None => about,
    }
}

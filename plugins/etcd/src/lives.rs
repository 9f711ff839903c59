//! [`Lives`]: the leases of the puts of a transaction.

use crate::{
    EtcdStore,
    terms::Terms,
    txn::{self, Life},
};
use cninfra::keyval::{Expiry, KeyRange, KvError, LeaseId, Op, Reason, Result, Txn};
use std::time::Duration;

/// The leases of all puts of a transaction. Puts with the same time to live share one lease.
#[derive(Default)]
pub(crate) struct Lives {
    /// Those of both branches, in order.
    pub(crate) each: Vec<Life>,
    /// The requested time to live, and the granted lease.
    granted: Vec<(Duration, Life)>,
    /// The lease of puts that expire with the client.
    of_client: Option<LeaseId>,
}

impl Lives {
    /// All leases that are used, without duplicates.
    pub(crate) fn leases(&self) -> Vec<LeaseId> {
        let mut leases: Vec<LeaseId> = self.each.iter().filter_map(|life| life.lease).collect();
        leases.sort();
        leases.dedup();
        leases
    }

    /// Whether the caller does not know this lease, so that it may be replaced by another one.
    pub(crate) fn is_own(&self, lease: LeaseId) -> bool {
        self.of_client == Some(lease) || self.granted.iter().any(|(_, life)| life.lease == Some(lease))
    }

    /// Those of the branch that was executed.
    pub(crate) fn of_branch(&self, txn: &Txn, succeeded: bool) -> &[Life] {
        let (then, otherwise) = self.each.split_at(txn::puts(&txn.then).min(self.each.len()));
        if succeeded { then } else { otherwise }
    }

    fn granted_for(&self, ttl: Duration) -> Option<Life> {
        self.granted.iter().find_map(|(asked, life)| (*asked == ttl).then_some(*life))
    }
}

/// Whether any put expires, so that leases are needed. Otherwise all puts have the default `Life`.
pub(crate) fn needs_leases(txn: &Txn) -> bool {
    let ends = |op: &Op| matches!(op, Op::Put(put) if !matches!(put.expiry, Expiry::Never | Expiry::Keep));
    txn.then.iter().chain(&txn.otherwise).any(ends)
}

impl EtcdStore {
    /// Grants or looks up the leases of all puts.
    pub(crate) async fn obtain_leases(&self, terms: Terms, txn: &Txn) -> Result<Lives> {
        let mut lives = Lives::default();
        for op in txn.then.iter().chain(&txn.otherwise) {
            let Op::Put(put) = op else { continue };
            let life = match put.expiry {
                Expiry::After(ttl) => match lives.granted_for(ttl) {
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
                    self.revoke_unused(terms, &lives, &[]).await;
                    return Err(lease_error(error, op));
                }
            }
        }
        Ok(lives)
    }

    /// Revokes the leases that were granted but not used. A lease that cannot be revoked in time expires by itself.
    pub(crate) async fn revoke_unused(&self, terms: Terms, lives: &Lives, used: &[Life]) {
        for (_, life) in lives.granted.iter().filter(|(_, life)| !used.contains(life)) {
            if let Some(lease) = life.lease {
                let _ = self.core.revoke(terms, lease).await;
            }
        }
    }

    /// Finds out which of the leases is gone, if any.
    pub(crate) async fn find_gone(&self, terms: Terms, lives: &Lives) -> Option<LeaseId> {
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

/// The error of a put that was not sent, since its lease could not be obtained.
fn lease_error(error: KvError, op: &Op) -> KvError {
    let range = if let Op::Put(put) = op { KeyRange::key(&put.key) } else { KeyRange::all() };
    let reason = match error.reason() {
        // It names a lease that the caller has not asked for.
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

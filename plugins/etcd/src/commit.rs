//! Transactions: by the plain command where they are one operation, with leases for what ends by itself.

use crate::{
    EtcdStore,
    convert::{bounds, entry, revision, state},
    failure::Asked,
    store::capabilities,
    txn::{self, Life},
};
use cninfra::keyval::{Applied, Expiry, KeyRange, KvError, Op, OpResult, Reason, Result, Txn, TxnOutcome};
use etcd_client::GetOptions;

impl EtcdStore {
    /// Does a transaction: see [`cninfra::keyval::Store::commit`].
    pub(crate) async fn done(&self, txn: Txn) -> Result<TxnOutcome> {
        capabilities().refuse(&txn)?;
        let mut lives = self.lives(&txn).await?;
        let mut done = self.commit_with(&txn, &lives).await;
        // the lease of the client, which it does not know to be gone
        if let Err(error) = &done
            && error.applied() == Applied::No
            && is_of_client(&txn)
            && matches!(error.reason(), Reason::NoLease(_))
        {
            lives.iter().filter_map(|life| life.lease).for_each(|lease| self.session.lost(lease));
            self.give_back(&lives).await;
            lives = self.lives(&txn).await?;
            done = self.commit_with(&txn, &lives).await;
        }
        match &done {
            Ok(outcome) => {
                self.session.has_done(if outcome.succeeded { &txn.then } else { &txn.otherwise }, outcome.revision);
            }
            Err(error) if error.applied() == Applied::No => self.give_back(&lives).await,
            Err(_) => {}
        }
        done
    }

    /// What is asked, with the lease that it may fail of.
    fn asked_with(txn: &Txn, op: &'static str, lives: &[Life]) -> Asked {
        Asked::of_txn(op, txn).with_lease(lives.iter().find_map(|life| life.lease))
    }

    /// The lives of all puts: a lease of its own for each that ends by itself.
    async fn lives(&self, txn: &Txn) -> Result<Vec<Life>> {
        let mut lives = Vec::new();
        for op in txn.then.iter().chain(&txn.otherwise) {
            let Op::Put(put) = op else { continue };
            let life = match put.expiry {
                Expiry::After(ttl) => {
                    self.core.grant(ttl).await.map(|(lease, ttl)| Life { lease: Some(lease), ttl: Some(ttl) })
                }
                Expiry::Lease(lease) => Ok(Life { lease: Some(lease), ttl: None }),
                Expiry::WithClient => {
                    let lease = self.session.lease(&self.core, &self.tasks).await;
                    lease.map(|lease| Life { lease: Some(lease), ttl: None })
                }
                _ => Ok(Life::default()),
            };
            match life {
                Ok(life) => lives.push(life),
                Err(error) => {
                    self.give_back(&lives).await;
                    return Err(not_begun(error, op));
                }
            }
        }
        Ok(lives)
    }

    /// Leases of puts that were not done. Those that can not be revoked end by themselves.
    async fn give_back(&self, lives: &[Life]) {
        for life in lives.iter().filter(|life| life.ttl.is_some()) {
            if let Some(lease) = life.lease {
                let _ = self.core.revoke(lease).await;
            }
        }
    }

    async fn commit_with(&self, txn: &Txn, lives: &[Life]) -> Result<TxnOutcome> {
        if let ([only], [], []) = (&*txn.then, &*txn.otherwise, &*txn.conditions) {
            return self.plain(txn, only, lives).await;
        }
        let request = txn::request(txn, lives);
        let asked = Self::asked_with(txn, "transaction", lives);
        let done = self.core.call(&asked, |wire| {
            let request = request.clone();
            async move { wire.kv.clone().txn(request).await }
        });
        let done = done.await?;
        let (succeeded, state) = (done.succeeded(), state(done.header()));
        let (then, otherwise) = lives.split_at(txn::puts(&txn.then).min(lives.len()));
        let (of_branch, others) = if succeeded { (then, otherwise) } else { (otherwise, then) };
        let results = txn::results(done.0.responses, of_branch)?;
        self.give_back(others).await;
        Ok(TxnOutcome::new(succeeded, revision(state), results))
    }

    /// One operation without a condition, by its own command.
    async fn plain(&self, txn: &Txn, only: &Op, lives: &[Life]) -> Result<TxnOutcome> {
        let (state, result) = match only {
            Op::Put(put) => {
                let life = lives.first().copied().unwrap_or_default();
                let options = txn::put_options(&put.expiry, life);
                let asked = Self::asked_with(txn, "put", lives);
                let done = self.core.call(&asked, |wire| {
                    let (key, value, options) = (put.key.to_vec(), put.value.to_vec(), options.clone());
                    async move { wire.kv.clone().put(key, value, Some(options)).await }
                });
                (state(done.await?.header()), OpResult::put(life.ttl, life.lease))
            }
            Op::Delete { range, previous, .. } => {
                let (key, end) = bounds(range);
                let options = txn::delete_options(end, *previous);
                let asked = Asked::of_txn("delete", txn);
                let done = self.core.call(&asked, |wire| {
                    let (key, options) = (key.clone(), options.clone());
                    async move { wire.kv.clone().delete(key, Some(options)).await }
                });
                let mut done = done.await?;
                let previous = std::mem::take(&mut done.0.prev_kvs).into_iter().map(entry).collect();
                let count = u64::try_from(done.deleted()).unwrap_or_default();
                (state(done.header()), OpResult::deleted(count, previous))
            }
            Op::Get(range) => {
                let (entries, state, _) = self.core.range("get", range, None, GetOptions::new()).await?;
                (state, OpResult::Got(entries))
            }
            _ => {
                let error = Asked::of_txn("transaction", txn).error(Reason::Unsupported("such operation"), Applied::No);
                return Err(error.at(self.core.endpoints().clone()));
            }
        };
        Ok(TxnOutcome::new(true, revision(state), vec![result]))
    }
}

fn is_of_client(txn: &Txn) -> bool {
    let mut ops = txn.then.iter().chain(&txn.otherwise);
    ops.any(|op| matches!(op, Op::Put(put) if put.expiry == Expiry::WithClient))
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

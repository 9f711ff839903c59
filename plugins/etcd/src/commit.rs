//! Transactions: a single operation is sent as its plain command, and puts that expire get leases.

use crate::{
    EtcdStore,
    convert::{bounds, entry, revision, state},
    failure::Asked,
    lives::{self, Lives},
    terms::{Lane, Terms},
    txn::{self, Life},
};
use cninfra::keyval::{
    Applied, KeyRange, KvError, LeaseId, Op, OpResult, Put, Reason, Result, Txn, TxnOutcome, Written,
};
use etcd_client::GetOptions;
use futures_util::TryFutureExt as _;
use std::future::Future;

impl EtcdStore {
    /// Runs a transaction: see [`cninfra::keyval::Store::commit`]. All of its requests share the limit of one call.
    pub(crate) async fn done(&self, txn: Txn) -> Result<TxnOutcome> {
        self.core.config.capabilities().refuse(&txn)?;
        if !txn::is_known(&txn) {
            let asked = Asked::of_txn(txn.op(), &txn);
            let unsupported = Reason::Unsupported("such operation or condition");
            return Err(asked.error(unsupported, Applied::No).at(self.core.endpoints().clone()));
        }
        let (terms, began) = (self.core.terms(Lane::Callers), self.session.now());
        let _deleting = self.session.begin(terms, &txn).await;
        // Boxed, since this future is large, and most transactions need no leases.
        let done = match lives::are_wanted(&txn) {
            true => Box::pin(self.done_with_leases(terms, &txn)).await,
            false => self.commit_with(terms, &txn, &Lives::default()).await,
        };
        if let Ok(outcome) = &done {
            let ops = if outcome.succeeded { &txn.then } else { &txn.otherwise };
            self.session.has_done(ops, began, outcome.revision);
        }
        done.map_err(|error| match txn::has_puts(&txn) {
            true => too_large(error, txn::bytes(&txn)),
            // Without puts, only the answer can be too large.
            false => error,
        })
    }

    /// Writes a value that does not expire: like [`done`](Self::done), without the cost of transactions and leases.
    pub(crate) async fn put_for_ever(&self, put: &Put) -> Result<Written> {
        self.core.config.capabilities().refuse_put(put)?;
        let asked = || Asked::to_write("put", Some(KeyRange::key(&put.key)));
        let began = self.session.now();
        let written = self.write(self.core.terms(Lane::Callers), &asked, put, Life::default()).await;
        let written = written.map_err(|error| too_large(error, put.key.len() + put.value.len()))?;
        self.session.has_put(&put.key, began, written.revision);
        Ok(written)
    }

    /// Runs a transaction whose puts need leases.
    async fn done_with_leases(&self, terms: Terms, txn: &Txn) -> Result<TxnOutcome> {
        let mut lives = self.lives(terms, txn).await?;
        let mut done = self.commit_with(terms, txn, &lives).await;
        if let Err(error) = &done
            && let Reason::NoLease(named) = *error.reason()
            && let Some(gone) = self.gone(terms, &lives).await
        {
            // The client's lease is gone, and the session has not noticed yet.
            if lives.is_own(gone) {
                self.session.lost(gone);
                self.give_back(terms, &lives, &[]).await;
                lives = self.lives(terms, txn).await?;
                done = self.commit_with(terms, txn, &lives).await;
            } else if gone != named {
                let asked = Self::asked_with(txn, "transaction", Some(gone));
                let error = asked.error(Reason::NoLease(gone), Applied::No).at(self.core.endpoints().clone());
                done = done.map_err(|first| error.because(first));
            }
        }
        match &done {
            Ok(outcome) => self.give_back(terms, &lives, lives.of(txn, outcome.succeeded)).await,
            Err(error) if error.applied() == Applied::No => self.give_back(terms, &lives, &[]).await,
            Err(_) => {}
        }
        done
    }

    /// Describes the request, with a lease whose absence may make it fail.
    fn asked_with(txn: &Txn, op: &'static str, lease: Option<LeaseId>) -> Asked {
        Asked::of_txn(op, txn).with_lease(lease)
    }

    async fn commit_with(&self, terms: Terms, txn: &Txn, lives: &Lives) -> Result<TxnOutcome> {
        if let ([only], [], []) = (&*txn.then, &*txn.otherwise, &*txn.conditions) {
            return self.plain(terms, txn, only, lives).await;
        }
        let asked = || Self::asked_with(txn, "transaction", lives.leases().first().copied());
        let done = self.core.call(terms, &asked, |wire| {
            let request = txn::request(txn, &lives.each);
            wire.with_spare(async move |client| client.txn(request).await)
        });
        let done = done.await?;
        let (succeeded, state) = (done.succeeded(), state(done.header()));
        let results = txn::results(done.0.responses, lives.of(txn, succeeded))?;
        Ok(TxnOutcome::new(succeeded, revision(state), results))
    }

    /// Sends a single operation without a condition as its own command.
    async fn plain(&self, terms: Terms, txn: &Txn, only: &Op, lives: &Lives) -> Result<TxnOutcome> {
        let (state, result) = match only {
            Op::Put(put) => {
                let life = lives.each.first().copied().unwrap_or_default();
                let asked = || Self::asked_with(txn, "put", life.lease);
                let Written { revision, ttl, lease, .. } = self.write(terms, &asked, put, life).await?;
                return Ok(TxnOutcome::new(true, revision, vec![OpResult::put(ttl, lease)]));
            }
            Op::Delete { range, previous, .. } => {
                let asked = || Asked::of_txn("delete", txn);
                let done = self.core.call(terms, &asked, |wire| {
                    let (key, end) = bounds(range);
                    let options = txn::delete_options(end, *previous);
                    wire.with_spare(async move |client| client.delete(key, Some(options)).await)
                });
                let mut done = done.await?;
                let previous = std::mem::take(&mut done.0.prev_kvs).into_iter().map(entry).collect();
                let count = u64::try_from(done.deleted()).unwrap_or_default();
                (state(done.header()), OpResult::deleted(count, previous))
            }
            Op::Get(range) => {
                // Boxed, since this future is larger than the others, and rarely used.
                let read = Box::pin(self.core.range(terms, "get", range, None, GetOptions::new()));
                let (entries, state, _) = read.await?;
                (state, OpResult::Got(entries))
            }
            _ => {
                let error = Asked::of_txn("transaction", txn).error(Reason::Unsupported("such operation"), Applied::No);
                return Err(error.at(self.core.endpoints().clone()));
            }
        };
        Ok(TxnOutcome::new(true, revision(state), vec![result]))
    }

    // Not an `async fn`, whose future would hold its arguments twice.
    fn write<'w>(
        &'w self,
        terms: Terms,
        asked: &'w (dyn Fn() -> Asked + Sync),
        put: &'w Put,
        life: Life,
    ) -> impl Future<Output = Result<Written>> + Send {
        let Life { lease, ttl } = life;
        let done = self.core.call(terms, asked, move |wire| {
            let options = txn::put_options(&put.expiry, lease);
            self.core.seating.write(wire, put.key.to_vec(), put.value.to_vec(), options)
        });
        done.map_ok(move |done| Written::new(revision(state(done.header())), ttl, lease))
    }
}

/// Adds advice if the server refused a write as too large. If the write was applied, it is the answer that is too
/// large.
fn too_large(error: KvError, bytes: usize) -> KvError {
    match *error.reason() {
        Reason::TooLarge if error.applied() == Applied::No => error.with_help(fewer(bytes)),
        _ => error,
    }
}

/// Advice for a write that is larger than the server accepts.
fn fewer(bytes: usize) -> String {
    format!(
        "its keys and values have {bytes} bytes, and etcd takes 1.5 MiB (1572864) by default: make several transactions \
         of it, or raise `--max-request-bytes` of etcd, and `max-value` of `etcd.conf` with it"
    )
}

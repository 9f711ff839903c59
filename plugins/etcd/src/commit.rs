//! Transactions: a single operation is sent as its plain command, and puts that expire get leases.

use crate::{
    EtcdStore,
    convert::{bounds, entry, header_revision, revision},
    core::Core,
    failure::Asked,
    lives::{self, Lives},
    seats::KEPT,
    session::Session,
    terms::{Lane, Terms},
    txn::{self, Life},
};
use cninfra::client::Seats;
use cninfra::keyval::{
    Applied, KeyRange, KvError, LeaseId, Op, OpResult, Put, Reason, Result, Txn, TxnOutcome, Written,
};
use etcd_client::GetOptions;
use futures_util::TryFutureExt as _;
use std::{future::Future, sync::Arc};

/// What a put that does not expire needs, in its seat.
pub(crate) type PutCall = (Arc<Core>, Arc<Session>, Put);

/// Seats for whole puts, with their retries. What the caller of a put holds is small then, so that a box for it, as in
/// the injected form of the store, costs little.
pub(crate) fn put_seats() -> Seats<PutCall, Result<Written>> {
    let put = |(core, session, put): PutCall| async move { core.put_without_expiry(&session, &put).await };
    Seats::new(KEPT, put)
}

impl EtcdStore {
    /// Runs a transaction: see [`cninfra::keyval::Store::commit`]. All of its requests share the limit of one call.
    pub(crate) async fn run(&self, txn: Txn) -> Result<TxnOutcome> {
        self.core.config.capabilities().refuse(&txn)?;
        if !txn::is_known(&txn) {
            let asked = Asked::of_txn(txn.op(), &txn);
            let unsupported = Reason::Unsupported("such operation or condition");
            return Err(asked.error(unsupported, Applied::No).at(self.core.endpoints().clone()));
        }
        // To etcd, lease 0 means none, with which the key would live for ever.
        if let Some(put) = txn::put_of_no_lease(&txn) {
            let asked = Asked::to_write("put", Some(KeyRange::key(&put.key)));
            return Err(asked.error(Reason::NoLease(LeaseId(0)), Applied::No).at(self.core.endpoints().clone()));
        }
        let (terms, began) = (self.core.terms(Lane::Callers), self.session.now());
        let _deleting = self.session.begin(terms, &txn).await;
        // Boxed, since this future is large, and most transactions need no leases.
        let result = match lives::needs_leases(&txn) {
            true => Box::pin(self.run_with_leases(terms, &txn)).await,
            false => self.commit_with(terms, &txn, &Lives::default()).await,
        };
        if let Ok(outcome) = &result {
            let ops = if outcome.succeeded { &txn.then } else { &txn.otherwise };
            self.session.record_ops(ops, began, outcome.revision);
        }
        result.map_err(|error| match txn::has_puts(&txn) {
            true => with_advice_if_too_large(error, txn::bytes(&txn)),
            // Without puts, only the answer can be too large.
            false => error,
        })
    }

    /// Runs a transaction whose puts need leases.
    async fn run_with_leases(&self, terms: Terms, txn: &Txn) -> Result<TxnOutcome> {
        let mut lives = self.obtain_leases(terms, txn).await?;
        let mut result = self.commit_with(terms, txn, &lives).await;
        if let Err(error) = &result
            && let Reason::NoLease(named) = *error.reason()
            && let Some(gone) = self.find_gone(terms, &lives).await
        {
            // The client's lease is gone, and the session has not noticed yet.
            if lives.is_own(gone) {
                self.session.mark_lease_lost(gone);
                self.revoke_unused(terms, &lives, &[]).await;
                lives = self.obtain_leases(terms, txn).await?;
                result = self.commit_with(terms, txn, &lives).await;
            } else if gone != named {
                let asked = Self::asked_with(txn, "transaction", Some(gone));
                let error = asked.error(Reason::NoLease(gone), Applied::No).at(self.core.endpoints().clone());
                result = result.map_err(|first| error.because(first));
            }
        }
        match &result {
            Ok(outcome) => self.revoke_unused(terms, &lives, lives.of_branch(txn, outcome.succeeded)).await,
            Err(error) if error.applied() == Applied::No => self.revoke_unused(terms, &lives, &[]).await,
            Err(_) => {}
        }
        result
    }

    /// Describes the request, with a lease whose absence may make it fail.
    fn asked_with(txn: &Txn, op: &'static str, lease: Option<LeaseId>) -> Asked {
        Asked::of_txn(op, txn).with_lease(lease)
    }

    async fn commit_with(&self, terms: Terms, txn: &Txn, lives: &Lives) -> Result<TxnOutcome> {
        if let ([only], [], []) = (&*txn.then, &*txn.otherwise, &*txn.conditions) {
            return self.run_single(terms, txn, only, lives).await;
        }
        let asked = || Self::asked_with(txn, "transaction", lives.leases().first().copied());
        let response = self.core.call(terms, &asked, |wire| {
            let request = txn::request(txn, &lives.each);
            wire.with_spare(async move |client| client.txn(request).await)
        });
        let response = response.await?;
        let (succeeded, at) = (response.succeeded(), header_revision(response.header()));
        let results = txn::results(response.0.responses, lives.of_branch(txn, succeeded))?;
        Ok(TxnOutcome::new(succeeded, revision(at), results))
    }

    /// Sends a single operation without a condition as its own command.
    async fn run_single(&self, terms: Terms, txn: &Txn, only: &Op, lives: &Lives) -> Result<TxnOutcome> {
        let (at, result) = match only {
            Op::Put(put) => {
                let life = lives.each.first().copied().unwrap_or_default();
                let asked = || Self::asked_with(txn, "put", life.lease);
                let Written { revision, ttl, lease, .. } = self.core.write(terms, &asked, put, life).await?;
                return Ok(TxnOutcome::new(true, revision, vec![OpResult::put(ttl, lease)]));
            }
            Op::Delete { range, previous, .. } => {
                let asked = || Asked::of_txn("delete", txn);
                let response = self.core.call(terms, &asked, |wire| {
                    let (key, end) = bounds(range);
                    let options = txn::delete_options(end, *previous);
                    wire.with_spare(async move |client| client.delete(key, Some(options)).await)
                });
                let mut response = response.await?;
                let previous = std::mem::take(&mut response.0.prev_kvs).into_iter().map(entry).collect();
                let count = u64::try_from(response.deleted()).unwrap_or_default();
                (header_revision(response.header()), OpResult::deleted(count, previous))
            }
            Op::Get(range) => {
                // Boxed, since this future is larger than the others, and rarely used.
                let read = Box::pin(self.core.range(terms, "get", range, None, GetOptions::new()));
                let (entries, at, _) = read.await?;
                (at, OpResult::Got(entries))
            }
            _ => {
                let error = Asked::of_txn("transaction", txn).error(Reason::Unsupported("such operation"), Applied::No);
                return Err(error.at(self.core.endpoints().clone()));
            }
        };
        Ok(TxnOutcome::new(true, revision(at), vec![result]))
    }
}

impl Core {
    /// Writes a value that does not expire: like a transaction, without the cost of transactions and leases.
    async fn put_without_expiry(&self, session: &Session, put: &Put) -> Result<Written> {
        self.config.capabilities().refuse_put(put)?;
        let asked = || Asked::to_write("put", Some(KeyRange::key(&put.key)));
        let began = session.now();
        let written = self.write(self.terms(Lane::Callers), &asked, put, Life::default()).await;
        let written = written.map_err(|error| with_advice_if_too_large(error, put.key.len() + put.value.len()))?;
        session.record_put(&put.key, began, written.revision);
        Ok(written)
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
        let response = self.call(terms, asked, move |wire| {
            let options = txn::put_options(&put.expiry, lease);
            let (key, value) = (put.key.to_vec(), put.value.to_vec());
            wire.with_spare(async move |client| client.put(key, value, Some(options)).await)
        });
        response.map_ok(move |response| Written::new(revision(header_revision(response.header())), ttl, lease))
    }
}

/// Adds advice if the server refused a write as too large. If the write was applied, it is the answer that is too
/// large.
fn with_advice_if_too_large(error: KvError, bytes: usize) -> KvError {
    match *error.reason() {
        Reason::TooLarge if error.applied() == Applied::No => error.with_help(advice_for_large_write(bytes)),
        _ => error,
    }
}

/// Advice for a write that is larger than the server accepts.
fn advice_for_large_write(bytes: usize) -> String {
    format!(
        "its keys and values have {bytes} bytes, and etcd takes 1.5 MiB (1572864) by default: make several transactions \
         of it, or raise `--max-request-bytes` of etcd, and `max-value` of `etcd.conf` with it"
    )
}

//! Leases: granted, kept alive and revoked by single calls, so there is no stream that could be lost.

use crate::{
    convert::{header_revision, revision},
    core::Core,
    failure::Asked,
    terms::{Lane, Terms},
};
use cninfra::keyval::{Applied, LONGEST_LIFE, LeaseId, Reason, Result, Revision};
use etcd_client::{Error, LeaseTimeToLiveOptions};
use std::{collections::HashSet, time::Duration};

/// etcd counts whole seconds, and refuses a time to live that is much longer than `LONGEST_LIFE`.
fn seconds(ttl: Duration) -> i64 {
    let ttl = ttl.min(LONGEST_LIFE);
    let up = u64::from(ttl.subsec_nanos() > 0);
    i64::try_from(ttl.as_secs().saturating_add(up)).unwrap_or(i64::MAX).max(1)
}

fn ttl_of_seconds(seconds: i64) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
}

impl Core {
    pub(crate) async fn grant(&self, terms: Terms, ttl: Duration) -> Result<(LeaseId, Duration)> {
        // If the answer is lost, the granted lease expires by itself, so the call may be repeated.
        let asked = || Asked::to_repeat("grant", None);
        let granted =
            self.call(terms, &asked, |wire| async move { wire.lease.clone().grant(seconds(ttl), None).await });
        let granted = granted.await?;
        Ok((LeaseId(granted.id()), ttl_of_seconds(granted.ttl())))
    }

    /// Always in the lane `Own`, also for callers: a lease that is kept alive too late is gone.
    pub(crate) async fn keep_alive(&self, lease: LeaseId) -> Result<Duration> {
        let asked = || Asked::to_repeat("keep alive", None).with_lease(Some(lease));
        let left = self.call(self.terms(Lane::Own), &asked, |wire| async move {
            // A stream for each call, so none has to be resumed. Its first answer only confirms that the lease exists.
            let (mut keeper, mut answers) = wire.lease.clone().keep_alive(lease.0).await?;
            keeper.keep_alive().await?;
            match answers.message().await? {
                Some(answer) => Ok(answer.ttl()),
                None => Err(Error::LeaseKeepAliveError("the server has ended the stream".to_string())),
            }
        });
        match left.await? {
            left @ 1.. => Ok(ttl_of_seconds(left)),
            _ => Err(asked()
                .error(Reason::NoLease(lease), Applied::No)
                .at(self.endpoints().clone())
                .because("it has ended")),
        }
    }

    /// A lease that has already expired is not an error.
    pub(crate) async fn revoke(&self, terms: Terms, lease: LeaseId) -> Result<()> {
        // Revoking twice has the same effect as revoking once.
        let asked = || Asked::to_repeat("revoke", None).with_lease(Some(lease));
        let revoked = self.call(terms, &asked, |wire| async move { wire.lease.clone().revoke(lease.0).await });
        match revoked.await {
            Ok(_) => Ok(()),
            Err(error) if *error.reason() == Reason::NoLease(lease) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The keys attached to a lease, as the member that is asked knows them, and its revision.
    pub(crate) async fn keys_of(&self, lease: LeaseId) -> Result<(HashSet<Vec<u8>>, Option<Revision>)> {
        let asked = || Asked::to_read("keys of", None).with_lease(Some(lease));
        let found = self.call(self.terms(Lane::Own), &asked, |wire| async move {
            let options = LeaseTimeToLiveOptions::new().with_keys();
            wire.lease.clone().time_to_live(lease.0, Some(options)).await
        });
        let found = found.await?;
        Ok((found.keys().iter().cloned().collect(), revision(header_revision(found.header()))))
    }

    /// Whether the lease certainly exists, so that it still has all its keys that were not changed or deleted.
    pub(crate) async fn is_alive(&self, lease: LeaseId) -> Result<bool> {
        let left = self.time_left(self.terms(Lane::Own), lease).await?;
        // In its last second it may be about to expire.
        Ok(left.is_some_and(|left| !left.is_zero()))
    }

    pub(crate) async fn time_left(&self, terms: Terms, lease: LeaseId) -> Result<Option<Duration>> {
        let asked = || Asked::to_read("time left", None).with_lease(Some(lease));
        let left = self.call(terms, &asked, |wire| async move { wire.lease.clone().time_to_live(lease.0, None).await });
        match left.await {
            Ok(left) => Ok((left.ttl() >= 0).then(|| ttl_of_seconds(left.ttl()))),
            Err(error) if *error.reason() == Reason::NoLease(lease) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

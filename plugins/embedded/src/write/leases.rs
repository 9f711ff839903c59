//! Leases, and the keys that end with them.

use super::{LEAST_LIFE, Writer, millis, now};
use crate::{
    tables::{Kind, LeaseValue, OF_CLIENT, OF_KEY},
    work::LeaseChange,
};
use cninfra::keyval::{Bytes, KvError, LONGEST_LIFE, LeaseId, Reason};
use redb::ReadableTable;
use std::time::Duration;

/// The leases of a store.
pub(crate) struct LeasesFound {
    /// Those of keys that end with a client.
    pub(crate) of_clients: Vec<i64>,
    /// The others, with the time they have left.
    pub(crate) living: Vec<(i64, Duration)>,
}

impl LeasesFound {
    pub(crate) fn read(leases: &impl ReadableTable<i64, LeaseValue>) -> Result<Self, redb::Error> {
        let (mut found, now) = (LeasesFound { of_clients: Vec::new(), living: Vec::new() }, now());
        for lease in leases.iter()? {
            let (lease, value) = lease?;
            let (kind, life, ends) = value.value();
            match kind {
                OF_CLIENT => found.of_clients.push(lease.value()),
                // If the system clock was set back, no lease lives longer.
                _ => found.living.push((lease.value(), Duration::from_millis(ends.saturating_sub(now).min(life)))),
            }
        }
        Ok(found)
    }
}

impl Writer<'_> {
    /// Ends the leases that earlier clients have left. Returns the leases that continue, with the time they have left.
    pub(crate) fn resume(&mut self) -> Result<Vec<(i64, Duration)>, redb::Error> {
        let LeasesFound { of_clients, living } = LeasesFound::read(&self.leases)?;
        for lease in of_clients {
            self.end_lease(lease)?;
        }
        self.end_revision()?;
        Ok(living)
    }

    /// Detaches a key from a lease.
    pub(super) fn detach_key(&mut self, lease: i64, key: &[u8]) -> Result<(), redb::Error> {
        if lease == 0 {
            return Ok(());
        }
        self.owned.remove((lease, key))?;
        let is_of_key = self.leases.get(lease)?.is_some_and(|value| value.value().0 == OF_KEY);
        if is_of_key {
            self.forget(lease)?;
        }
        Ok(())
    }

    fn forget(&mut self, lease: i64) -> Result<(), redb::Error> {
        self.leases.remove(lease)?;
        if self.client == Some(lease) {
            // The next key that ends with the client needs a new lease.
            self.client = None;
        }
        self.changed.leases.push(LeaseChange::Ended(lease));
        self.changed.any = true;
        Ok(())
    }

    pub(super) fn client_lease(&mut self) -> Result<i64, redb::Error> {
        if let Some(client) = self.client {
            return Ok(client);
        }
        let lease = self.new_lease()?;
        self.leases.insert(lease, (OF_CLIENT, 0, 0))?;
        self.client = Some(lease);
        self.changed.any = true;
        Ok(lease)
    }

    fn new_lease(&self) -> Result<i64, redb::Error> {
        loop {
            let lease = fastrand::i64(1..);
            if self.leases.get(lease)?.is_none() {
                return Ok(lease);
            }
        }
    }

    pub(super) fn grant(&mut self, kind: u8, ttl: Duration) -> Result<(i64, Duration), redb::Error> {
        self.changed.grown = true;
        let lease = self.new_lease()?;
        // Rounded up to whole milliseconds, so never less than requested.
        let ttl = ttl.clamp(LEAST_LIFE, LONGEST_LIFE);
        let ttl = Duration::from_millis(millis(ttl + Duration::from_nanos(999_999)));
        self.start_lease(lease, kind, ttl)?;
        Ok((lease, ttl))
    }

    pub(super) fn keep_alive(&mut self, lease: LeaseId) -> Result<Result<Duration, KvError>, redb::Error> {
        let Some((kind, life, _)) = self.leases.get(lease.0)?.map(|value| value.value()) else {
            return Ok(Err(KvError::new("keep alive", Reason::NoLease(lease)).not_applied()));
        };
        if kind == OF_CLIENT {
            return Ok(Ok(LONGEST_LIFE));
        }
        let ttl = Duration::from_millis(life);
        self.start_lease(lease.0, kind, ttl)?;
        Ok(Ok(ttl))
    }

    /// Starts the time to live of a lease.
    fn start_lease(&mut self, lease: i64, kind: u8, ttl: Duration) -> Result<(), redb::Error> {
        self.leases.insert(lease, (kind, millis(ttl), now() + millis(ttl)))?;
        self.changed.leases.push(LeaseChange::Lives(lease, ttl));
        self.changed.any = true;
        Ok(())
    }

    /// Ends a lease, and its keys with it.
    pub(super) fn end_lease(&mut self, lease: i64) -> Result<(), redb::Error> {
        if self.leases.get(lease)?.is_none() {
            return Ok(());
        }
        let mut keys = Vec::new();
        for found in self.owned.range::<(i64, &[u8])>((lease, &[][..])..)? {
            let (key, _) = found?;
            match key.value() {
                (of, key) if of == lease => keys.push(Bytes::copy_from_slice(key)),
                _ => break,
            }
        }
        for key in keys {
            self.remove(&key, Kind::Expired)?;
        }
        self.forget(lease)
    }
}

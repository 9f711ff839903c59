//! [`Seating`]: reusable memory for the futures of the client's reads.

use crate::wire::Wire;
use cninfra::client::{Seated, Seats};
use etcd_client::{Error, GetOptions, GetResponse};
use std::sync::Arc;

/// How many seats of each kind are kept, at three or four kilobytes each: usually enough for all calls in flight at
/// once.
pub(crate) const KEPT: usize = 64;

type Read = (Arc<Wire>, Vec<u8>, GetOptions);

/// Holds the futures of the client's reads. It belongs to the store, and outlives its connections.
pub(crate) struct Seating {
    reads: Seats<Read, Result<GetResponse, Error>>,
}

impl Default for Seating {
    fn default() -> Self {
        Seating {
            reads: Seats::new(KEPT, |(wire, key, options): Read| {
                wire.with_spare(async move |client| client.get(key, Some(options)).await)
            }),
        }
    }
}

impl Seating {
    pub(crate) fn read(
        &self,
        wire: Arc<Wire>,
        key: Vec<u8>,
        options: GetOptions,
    ) -> Seated<'_, Read, Result<GetResponse, Error>> {
        self.reads.ask((wire, key, options))
    }
}

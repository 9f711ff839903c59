//! [`Seating`]: reusable memory for the futures of the most frequent calls.

use crate::wire::Wire;
use cninfra::client::{Seated, Seats};
use etcd_client::{Error, GetOptions, GetResponse, PutOptions, PutResponse};
use std::sync::Arc;

/// How many seats of each kind are kept, at about three kilobytes each: usually enough for all calls in flight at once.
const KEPT: usize = 64;

type Read = (Arc<Wire>, Vec<u8>, GetOptions);
type Write = (Arc<Wire>, Vec<u8>, Vec<u8>, PutOptions);

/// Holds the futures of the client's reads and writes. It belongs to the store, and outlives its connections.
pub(crate) struct Seating {
    reads: Seats<Read, Result<GetResponse, Error>>,
    writes: Seats<Write, Result<PutResponse, Error>>,
}

impl Default for Seating {
    fn default() -> Self {
        Seating {
            reads: Seats::new(KEPT, |(wire, key, options): Read| {
                wire.with_spare(async move |client| client.get(key, Some(options)).await)
            }),
            writes: Seats::new(KEPT, |(wire, key, value, options): Write| {
                wire.with_spare(async move |client| client.put(key, value, Some(options)).await)
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

    pub(crate) fn write(
        &self,
        wire: Arc<Wire>,
        key: Vec<u8>,
        value: Vec<u8>,
        options: PutOptions,
    ) -> Seated<'_, Write, Result<PutResponse, Error>> {
        self.writes.ask((wire, key, value, options))
    }
}

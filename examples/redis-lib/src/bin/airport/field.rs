//! [`Airfield`]: the parts of the airport, in Redis, and how a plane moves from one to the next.

use crate::flight::Flight;
use cninfra::{
    Error, Result,
    keyval::{Applied, Codec as _, Compare, Kv, Txn, Typed},
    logging::Logger,
};
use cninfra_proto::Protobuf;
use cninfra_redis::RedisStore;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{sync::watch, time::sleep};

/// The planes that arrive.
pub const ARRIVAL: &str = "arrival/";
/// The planes that land or take off.
pub const RUNWAY: &str = "runway/";
/// The planes that stay.
pub const HANGAR: &str = "hangar/";
/// The planes that depart.
pub const DEPARTURE: &str = "departure/";
/// A key for each plane in the hangar, which expires when its time there is over.
pub const STAY: &str = "stay/";

/// The pause after a call that has failed.
pub const PAUSE: Duration = Duration::from_millis(500);

/// What each module has: a connection, and nothing of the other modules. They share only what is in Redis.
#[derive(Clone)]
pub struct Airfield {
    pub kv: Kv<RedisStore>,
    pub counts: Arc<Counts>,
    pub log: Logger,
    pub closing: watch::Receiver<bool>,
}

/// How many planes have done what, for the status.
#[derive(Default)]
pub struct Counts {
    pub arrived: AtomicU64,
    pub landed: AtomicU64,
    pub departed: AtomicU64,
}

impl Airfield {
    /// The planes of a part.
    pub fn part(&self, part: &str) -> Typed<Flight, Protobuf, RedisStore> {
        self.kv.scoped(part).typed(Protobuf)
    }

    /// A transaction that puts a plane in a part.
    pub fn put(&self, part: &str, flight: &Flight) -> Result<Txn> {
        let mut bytes = Vec::new();
        Protobuf.encode(flight, &mut bytes).map_err(Error::msg)?;
        Ok(Txn::new().put(format!("{part}{flight}"), bytes))
    }

    /// A transaction that moves a plane, if it is still there: a plane is in one part at a time.
    pub fn put_from(&self, from: &str, to: &str, flight: &Flight) -> Result<Txn> {
        Ok(leave(self.put(to, flight)?, from, flight))
    }

    /// A transaction that lets a plane leave the airport.
    pub fn take_from(&self, from: &str, flight: &Flight) -> Txn {
        leave(Txn::new(), from, flight)
    }

    /// Executes a transaction, and retries until Redis answers or the airport closes. Returns whether it was executed.
    pub async fn commit(&self, txn: Txn) -> bool {
        let mut may_be_done = false;
        loop {
            match self.kv.commit(txn.clone()).await {
                // If the condition no longer holds, an earlier attempt of unknown outcome may be the reason, which
                // counts as executed.
                Ok(outcome) => return outcome.succeeded || may_be_done,
                Err(error) => {
                    may_be_done |= error.applied() == Applied::Unknown;
                    self.log.warn(&error);
                }
            }
            if self.pauses().await.is_none() {
                return false;
            }
        }
    }

    /// A pause. `None` if the airport closes meanwhile.
    pub async fn pauses(&self) -> Option<()> {
        tokio::select! {
            () = self.closed() => None,
            () = sleep(PAUSE) => Some(()),
        }
    }

    /// Waits until the airport closes.
    pub async fn closed(&self) {
        // An error means that the program ends.
        let _ = self.closing.clone().wait_for(|closing| *closing).await;
    }
}

fn leave(txn: Txn, from: &str, flight: &Flight) -> Txn {
    let key = format!("{from}{flight}");
    txn.when(key.clone(), Compare::Present).delete(key)
}

impl Counts {
    /// The counts, as they are shown.
    pub fn shown(&self) -> String {
        let [arrived, landed, departed] =
            [&self.arrived, &self.landed, &self.departed].map(|count| count.load(Relaxed));
        format!("arrived {arrived}, landed {landed}, departed {departed}")
    }
}

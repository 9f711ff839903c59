//! Runway: one plane at a time lands or takes off, the one with the highest priority first.

use crate::{
    field::{Airfield, HANGAR, RUNWAY, STAY},
    flight::{Flight, Status},
};
use cninfra::{
    Error, Result,
    keyval::{Expiry, TypedUpdate, WatchOptions},
};
use std::{collections::BTreeMap, sync::atomic::Ordering::Relaxed, time::Duration};
use tokio::time::{Instant, sleep_until};

/// Runs until the airport closes.
pub async fn run(field: Airfield) -> Result<()> {
    let mut watch = field.part(RUNWAY).watch([""], WatchOptions::default()).await?;
    let mut waiting: BTreeMap<String, Flight> = BTreeMap::new();
    let mut free = Instant::now();
    loop {
        let next = waiting.values().max_by_key(|flight| flight.priority).cloned();
        tokio::select! {
            () = field.closed() => return Ok(()),
            update = watch.next() => match update {
                Some(TypedUpdate::Put((_, Ok(flight)))) => drop(waiting.insert(flight.key(), flight)),
                Some(TypedUpdate::Deleted { key, .. }) => drop(waiting.remove(&*String::from_utf8_lossy(&key))),
                Some(TypedUpdate::Put((_, Err(error)))) => field.log.warn(error),
                Some(_) => {}
                None => return Err(Error::msg("the watch of the runway has ended")),
            },
            () = sleep_until(free), if next.is_some() => if let Some(flight) = next {
                serve(&field, &flight).await?;
                waiting.remove(&flight.key());
                free = Instant::now() + Duration::from_millis(fastrand::u64(300..600));
            },
        }
    }
}

async fn serve(field: &Airfield, flight: &Flight) -> Result<()> {
    let (txn, count, does) = match flight.status() {
        Status::Arrival => {
            let stay = Expiry::After(Duration::from_millis(fastrand::u64(2000..=6000)));
            let txn = field.put_from(RUNWAY, HANGAR, flight)?.put_with(format!("{STAY}{flight}"), "", stay);
            (txn, &field.counts.landed, "lands")
        }
        Status::Departure => (field.take_from(RUNWAY, flight), &field.counts.departed, "takes off"),
    };
    if field.commit(txn).await {
        count.fetch_add(1, Relaxed);
        field.log.debug(format_args!("{flight} {does}"));
    }
    Ok(())
}

//! Arrival: planes arrive, and queue up for the runway.

use crate::{
    field::{ARRIVAL, Airfield},
    flight::Flight,
    gate,
};
use cninfra::{Result, keyval::Compare};
use std::{sync::atomic::Ordering::Relaxed, time::Duration};
use tokio::time::sleep;

/// Runs until the airport closes.
pub async fn run(field: Airfield) -> Result<()> {
    tokio::select! {
        ended = gate::run(field.clone(), ARRIVAL) => ended,
        ended = arrive(field) => ended,
    }
}

async fn arrive(field: Airfield) -> Result<()> {
    for number in 100.. {
        let flight = Flight::arriving(number);
        let txn = field.put(ARRIVAL, &flight)?.when(format!("{ARRIVAL}{flight}"), Compare::Absent);
        if field.commit(txn).await {
            field.counts.arrived.fetch_add(1, Relaxed);
            field.log.debug(format_args!("{flight} arrives"));
        }
        tokio::select! {
            () = field.closed() => break,
            () = sleep(Duration::from_millis(fastrand::u64(500..1500))) => {}
        }
    }
    Ok(())
}

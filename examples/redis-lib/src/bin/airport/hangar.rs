//! Hangar: a plane stays as long as its key in `stay/` exists, and goes to departure when that has expired.

use crate::field::{Airfield, DEPARTURE, HANGAR, STAY};
use cninfra::{
    Error, Result,
    keyval::{KvError, Update, WatchOptions},
};

/// Runs until the airport closes.
pub async fn run(field: Airfield) -> Result<()> {
    let mut watch = field.kv.scoped(STAY).watch([""], WatchOptions::default()).await?.diffed();
    loop {
        let update = tokio::select! {
            () = field.closed() => return Ok(()),
            update = watch.next() => update,
        };
        match update {
            // While the connection was lost, stays may have ended without an event.
            Some(Update::Deleted { .. } | Update::Synced(_)) => {
                while let Err(error) = leave(&field).await? {
                    field.log.warn(error);
                    if field.pauses().await.is_none() {
                        return Ok(());
                    }
                }
            }
            Some(_) => {}
            None => return Err(Error::msg("the watch of the hangar has ended")),
        }
    }
}

/// Sends planes whose stay is over to departure.
async fn leave(field: &Airfield) -> Result<Result<(), KvError>> {
    let flights = match field.part(HANGAR).list("").await {
        Ok(flights) => flights,
        Err(error) => return Ok(Err(error)),
    };
    for (_, flight) in flights {
        match field.kv.get(format!("{STAY}{flight}")).await {
            Ok(None) => {
                let _ = field.commit(field.put_from(HANGAR, DEPARTURE, &flight.departing())?).await;
            }
            Ok(Some(_)) => {}
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(()))
}

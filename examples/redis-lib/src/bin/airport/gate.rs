//! Shared by arrival and departure: a plane that comes there goes on to the runway.

use crate::field::{Airfield, RUNWAY};
use cninfra::{
    Error, Result,
    keyval::{TypedUpdate, WatchOptions},
};

/// Runs until the airport closes.
pub async fn run(field: Airfield, part: &'static str) -> Result<()> {
    let mut watch = field.part(part).watch([""], WatchOptions::default()).await?;
    loop {
        let update = tokio::select! {
            () = field.closed() => return Ok(()),
            update = watch.next() => update,
        };
        match update {
            Some(TypedUpdate::Put((_, Ok(flight)))) => {
                let _ = field.commit(field.put_from(part, RUNWAY, &flight)?).await;
            }
            Some(TypedUpdate::Put((_, Err(error)))) => field.log.warn(error),
            Some(_) => {}
            None => return Err(Error::msg("the watch of a gate has ended")),
        }
    }
}

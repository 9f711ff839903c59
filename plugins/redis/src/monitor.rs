//! The state of the connection: checked regularly, and whenever a call finds the connection broken.

use crate::{
    call::{Origin, To, Turn},
    command::Command,
    core::{Core, PATIENCE},
    failure::Asked,
};
use cninfra::client::Pauses;
use cninfra::keyval::{KvError, Reason};
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

/// The interval between probes of servers that answer.
const EVERY: Duration = Duration::from_secs(1);
/// The shortest interval, whoever requests a probe.
const PAUSE: Duration = Duration::from_millis(20);

/// The state of a store's connection.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Connection {
    /// The servers have not answered yet.
    Connecting,
    /// All servers answer.
    Up,
    /// The servers answer calls, but do not report changes, so that watches receive nothing. The text says why, and how
    /// to fix it.
    Mute(String),
    /// A server does not answer. The text says why, with the endpoint.
    Down(String),
}

/// Checks whether all servers answer.
async fn probe(core: &Core, within: Duration) -> Result<(), KvError> {
    let asked = || Asked::to_read("probe", None);
    let turn = Turn::new(Origin::Own, within);
    if core.primaries().is_empty() {
        let mut slots = core.slots.subscribe();
        core.refresh_topology.notify_one();
        let known = slots.wait_for(|slots| slots.is_known());
        let is_known = tokio::time::timeout_at(turn.deadline, known).await.is_ok_and(|known| known.is_ok());
        if !is_known {
            let error = asked().error(Reason::Unavailable, cninfra::keyval::Applied::No).at(core.endpoints().clone());
            return Err(error.because(core.hub.last_trouble()).with_help(crate::failure::REACH));
        }
    }
    for primary in core.primaries() {
        core.call(turn.next_request(), &asked, &To::Node(primary), &Command::bare("PING")).await?;
    }
    Ok(())
}

/// Probes, and sets the state of the connection accordingly.
pub(crate) async fn check(core: &Core, within: Duration) -> Result<(), KvError> {
    let answer = probe(core, within).await;
    let now = match (&answer, core.hub.refusal()) {
        (Ok(()), None) => Connection::Up,
        (Ok(()), Some(refusal)) => Connection::Mute(refusal),
        (Err(error), _) => Connection::Down(format!("{error:#}")),
    };
    core.connection.send_if_modified(|before| {
        let is_new = *before != now;
        *before = now;
        is_new
    });
    answer
}

/// Maintains the state of the connection until the store is closed.
pub(crate) async fn run(core: Arc<Core>) {
    let looking = async {
        let mut pauses = Pauses::default();
        loop {
            match check(&core, PATIENCE.min(core.config.read_within())).await {
                Ok(()) => {
                    pauses.reset();
                    sleep(PAUSE).await;
                    tokio::select! {
                        () = sleep(EVERY) => {}
                        () = core.probe_now.notified() => {}
                    }
                }
                // Servers are known to be gone: further failures, also that of this probe, are no reason to probe more
                // often.
                Err(_) => sleep(pauses.next()).await,
            }
        }
    };
    tokio::select! {
        () = core.closed() => {}
        () = looking => {}
    }
}

//! The state of the connection: asked for from time to time, and whenever a call finds it broken.

use crate::{
    call::{To, Turn, Who},
    command::Command,
    core::{Core, PATIENCE},
    failure::Asked,
};
use cninfra::client::Pauses;
use cninfra::keyval::{KvError, Reason};
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

/// So often servers that answer are asked.
const EVERY: Duration = Duration::from_secs(1);
/// Not more often, whoever wants it.
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

/// Asks whether all servers are there.
async fn probe(core: &Core, within: Duration) -> Result<(), KvError> {
    let asked = || Asked::to_read("probe", None);
    let turn = Turn::new(Who::Own, within);
    if core.primaries().is_empty() {
        let mut slots = core.slots.subscribe();
        core.suspect.notify_one();
        let known = slots.wait_for(|slots| slots.is_known());
        let is_known = tokio::time::timeout_at(turn.deadline, known).await.is_ok_and(|known| known.is_ok());
        if !is_known {
            let error = asked().error(Reason::Unavailable, cninfra::keyval::Applied::No).at(core.endpoints().clone());
            return Err(error.because(core.hub.last_trouble()).with_help(crate::failure::REACH));
        }
    }
    for primary in core.primaries() {
        core.call(turn.again(), &asked, &To::Node(primary), &Command::bare("PING")).await?;
    }
    Ok(())
}

/// The same, and the state of the connection is what was found.
pub(crate) async fn look(core: &Core, within: Duration) -> Result<(), KvError> {
    let answer = probe(core, within).await;
    let now = match (&answer, core.hub.refusal()) {
        (Ok(()), None) => Connection::Up,
        (Ok(()), Some(refusal)) => Connection::Mute(refusal),
        (Err(error), _) => Connection::Down(with_cause(error)),
    };
    core.connection.send_if_modified(|before| {
        let is_new = *before != now;
        *before = now;
        is_new
    });
    answer
}

/// Keeps the state of the connection until the store is closed.
pub(crate) async fn run(core: Arc<Core>) {
    let looking = async {
        let mut pauses = Pauses::default();
        loop {
            let pause = match look(&core, PATIENCE.min(core.config.read_within())).await {
                Ok(()) => {
                    pauses.reset();
                    EVERY
                }
                Err(_) => pauses.next(),
            };
            sleep(PAUSE).await;
            tokio::select! {
                () = sleep(pause) => {}
                () = core.shaken.notified() => {}
            }
        }
    };
    tokio::select! {
        () = core.closed() => {}
        () = looking => {}
    }
}

pub(crate) fn with_cause(error: &KvError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}")
}

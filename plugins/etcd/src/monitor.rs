//! The state of the connection: checked regularly, and whenever a call or a watch finds the connection broken.

use crate::{
    core::Core,
    failure::{Asked, lacks_right},
    terms::{Lane, Terms},
};
use cninfra::keyval::{KeyRange, KvError};
use etcd_client::GetOptions;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

/// The key that the predecessor uses for probes. It need not exist.
pub(crate) const PROBE_KEY: &str = "/probe-etcd-connection";
/// The interval between probes of a server that answers.
const EVERY: Duration = Duration::from_secs(1);
/// The limit of a probe, if calls may take longer.
const WITHIN: Duration = Duration::from_secs(2);

/// Once on the existing connection, and once on a new one, for each member.
const ROUNDS: usize = 2;

/// The state of a store's connection.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Connection {
    /// The server has not answered yet.
    Connecting,
    /// The server answers.
    Up,
    /// The server does not answer; the text says why, with the endpoint and the cause.
    Down(String),
}

/// Checks whether a majority of the cluster is there, by a read that they have to agree on.
async fn probe(core: &Core, within: Duration) -> Result<(), KvError> {
    let asked = || Asked::to_read("probe", Some(KeyRange::key(PROBE_KEY)));
    let terms = Terms { rounds: ROUNDS, ..Terms::within(within.min(*core.config.operation_timeout), Lane::Own) };
    let asking =
        core.call(terms, &asked, |wire| core.seating.read(wire, PROBE_KEY.into(), GetOptions::new().with_count_only()));
    match asking.await {
        Ok(_) => Ok(()),
        // The server answers, but the user may not read this key.
        Err(error) if lacks_right(&error) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Probes, and sets the state of the connection accordingly.
pub(crate) async fn check(core: &Core, within: Duration) -> Result<(), KvError> {
    let answer = probe(core, within).await;
    let now = match &answer {
        Ok(()) => {
            core.probed.record_arrival(Instant::now());
            Connection::Up
        }
        Err(error) => Connection::Down(format!("{error:#}")),
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
    let checking = async {
        loop {
            let is_up = check(&core, WITHIN).await.is_ok();
            core.log_ended_outage();
            if is_up {
                tokio::select! {
                    () = sleep(EVERY) => {}
                    () = core.suspect.notified() => {}
                }
            } else {
                // The server is known to be gone: further failures are no reason to probe more often.
                sleep(*core.config.reconnect_interval).await;
            }
        }
    };
    tokio::select! {
        () = core.closed() => {}
        () = checking => {}
    }
}

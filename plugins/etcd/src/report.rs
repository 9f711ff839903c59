//! How the connection of a plugin's store is, told to its agent.

use crate::{Connection, EtcdStore};
use cninfra::{Context, keyval::StoreMetrics, status::State};

/// Reports it until the store is closed. It is a task of the store, and not of the attempt to start that opens it: where that fails, the store connects all the same, and the agent is told when it has.
pub(crate) fn begin(store: &EtcdStore, cx: Context, metrics: StoreMetrics) {
    let (core, mut connection) = (store.core.clone(), store.connection());
    // before it has answered once, the plugin's `init` says what is wrong; one that does not wait for it does not
    let mut is_told = core.config.allow_delayed_start;
    let counted = metrics.clone();
    let reporting = async move {
        loop {
            let now = connection.borrow_and_update().clone();
            counted.set_up(now == Connection::Up);
            match now {
                Connection::Up => {
                    is_told = true;
                    cx.status().report(State::Ok);
                    cx.status().recovered();
                }
                Connection::Down(why) if is_told => cx.status().report_because(State::Error, why),
                Connection::Down(_) | Connection::Connecting => {}
            }
            if connection.changed().await.is_err() {
                return;
            }
        }
    };
    store.tasks.spawn(async move {
        tokio::select! {
            () = core.closed() => {}
            () = reporting => {}
        }
        metrics.set_up(false);
    });
}

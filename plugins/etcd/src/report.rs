//! Reports the state of the connection to the agent.

use crate::{Connection, EtcdStore};
use cninfra::{Context, keyval::StoreMetrics, status::State};

/// Reports it until the store is closed. This is a task of the store, not of the attempt to start that opens the store:
/// if that attempt fails, the store still connects, and then reports that.
pub(crate) fn begin(store: &EtcdStore, cx: Context, metrics: StoreMetrics) {
    let (core, mut connection) = (store.core.clone(), store.connection());
    // Until the first answer, the error of `init` says what is wrong. With `allow-delayed-start`, `init` does not wait
    // for an answer, so failures are reported from the start.
    let mut reports_failures = core.config.allow_delayed_start;
    let counted = metrics.clone();
    let reporting = async move {
        loop {
            let now = connection.borrow_and_update().clone();
            counted.set_up(now == Connection::Up);
            match now {
                Connection::Up => {
                    reports_failures = true;
                    cx.status().report(State::Ok);
                    cx.status().recovered();
                }
                Connection::Down(why) if reports_failures => cx.status().report_because(State::Error, why),
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

//! Reports the state of the connection to the agent.

use crate::{Connection, RedisStore};
use cninfra::{Context, keyval::StoreMetrics, status::State};

/// Reports it until the store is closed. This is a task of the store, not of the attempt to start that opens the store:
/// if that attempt fails, the store still connects, and then reports that.
pub(crate) fn begin(store: &RedisStore, cx: Context, metrics: StoreMetrics) {
    let (mut connection, counted) = (store.connection(), metrics.clone());
    let reporting = async move {
        // Until all servers have answered once, the error of `init` says what is wrong.
        let mut is_told = false;
        loop {
            let now = connection.borrow_and_update().clone();
            let is_up = matches!(now, Connection::Up | Connection::Mute(_));
            counted.set_up(is_up);
            is_told |= is_up;
            match now {
                Connection::Up => cx.status().report(State::Ok),
                Connection::Mute(why) => cx.status().report_because(State::Degraded, why),
                Connection::Down(why) if is_told => cx.status().report_because(State::Error, why),
                Connection::Down(_) | Connection::Connecting => {}
            }
            if is_up {
                cx.status().recovered();
            }
            if connection.changed().await.is_err() {
                return;
            }
        }
    };
    store.until_closed(reporting, move || metrics.set_up(false));
}

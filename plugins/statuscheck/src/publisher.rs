//! [`Publisher`]: brings the store to what the status is.

use crate::record::{AgentRecord, PluginRecord};
use cninfra::{
    Context, Dep,
    keyval::{KeyVal, Kv, Reason, Result},
    status::{AgentStatus, State, StatusChanges},
};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};
use tokio::time::{Instant, sleep, sleep_until};

/// After a failure it is tried again so soon, and later each time, up to the second one.
const SOON: Duration = Duration::from_millis(200);
const LATE: Duration = Duration::from_secs(5);

/// Publishes the status, as one task: what is published is what is so now, so nothing waits for the store.
pub(crate) struct Publisher {
    cx: Context,
    kv: Kv,
    /// What the store has, as far as is known, without the times that change by themselves.
    published: BTreeMap<String, String>,
}

impl Publisher {
    pub(crate) fn new(cx: &Context, store: &Dep<dyn KeyVal>) -> Self {
        let kv = Kv::of_agent(store, cx.service_label()).scoped("check/status/v1/");
        Publisher { cx: cx.clone(), kv, published: BTreeMap::new() }
    }

    /// Until the agent stops.
    pub(crate) async fn run(mut self, mut changes: StatusChanges, interval: Duration) {
        let far = Duration::from_secs(365 * 24 * 3600);
        let interval = if interval.is_zero() { far } else { interval };
        let (mut anew, mut pause) = (Instant::now(), SOON);
        loop {
            let status = changes.current();
            if Instant::now() >= anew {
                self.published.clear();
                anew = Instant::now() + interval;
            }
            if let Err(error) = self.publish(&status).await {
                if *error.reason() == Reason::NOT_CONFIGURED {
                    self.cx.status().report_because(State::Disabled, "the store of the flavor is not configured");
                    return;
                }
                self.cx.status().report_because(State::Degraded, format!("the status is not published: {error}"));
                // changes meanwhile are no reason to try more often
                sleep(pause).await;
                pause = (pause * 2).min(LATE);
                continue;
            }
            self.cx.status().report(State::Ok);
            pause = SOON;
            tokio::select! {
                changed = changes.next() => if changed.is_none() { return },
                () = sleep_until(anew) => {}
            }
        }
    }

    /// Writes what the store does not have.
    async fn publish(&mut self, status: &AgentStatus) -> Result<()> {
        let now = SystemTime::now();
        let plugins = status.running().map(|plugin| {
            let record = PluginRecord::new(plugin, now);
            (format!("plugin/{}", plugin.name), json(&PluginRecord { last_update: 0, ..record.clone() }), json(&record))
        });
        let agent = AgentRecord::new(status, self.cx.build_info(), now);
        let agent = ("agent".to_string(), json(&AgentRecord { last_update: 0, ..agent.clone() }), json(&agent));
        for (key, is, value) in plugins.chain([agent]).collect::<Vec<_>>() {
            if self.published.get(&key) != Some(&is) {
                self.kv.put(&key, value).await?;
                self.published.insert(key, is);
            }
        }
        Ok(())
    }
}

/// A record can always be written: it has numbers, texts and lists.
fn json(record: &impl Serialize) -> String {
    serde_json::to_string(record).unwrap_or_default()
}

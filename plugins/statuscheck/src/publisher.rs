//! [`Publisher`]: keeps the records in the store equal to the status.

use crate::record::{AgentRecord, PluginRecord, json};
use cninfra::{
    Context, Dep,
    client::Pauses,
    keyval::{KeyVal, Kv, Reason, Result},
    status::{AgentStatus, State, StatusChanges},
};
use std::{
    collections::BTreeMap,
    future::pending,
    time::{Duration, SystemTime},
};
use tokio::time::{Instant, sleep, sleep_until};

/// Publishes the status, in one task. Only the latest status is published, so nothing piles up while the store is slow.
pub(crate) struct Publisher {
    cx: Context,
    kv: Kv,
    /// What the store contains, as far as is known, without the times that change by themselves.
    published: BTreeMap<String, String>,
}

impl Publisher {
    pub(crate) fn new(cx: &Context, store: &Dep<dyn KeyVal>) -> Self {
        let kv = Kv::of_agent(store, cx.service_label()).scoped("check/status/v1/");
        Publisher { cx: cx.clone(), kv, published: BTreeMap::new() }
    }

    /// Publishes until the agent stops.
    pub(crate) async fn run(mut self, mut changes: StatusChanges, interval: Duration) {
        // Zero means never, as does a time beyond the range of the clock.
        let next = || Instant::now().checked_add(interval).filter(|_| !interval.is_zero());
        let (mut anew, mut pauses) = (next(), Pauses::default());
        loop {
            let status = changes.current();
            if anew.is_some_and(|anew| Instant::now() >= anew) {
                self.published.clear();
                anew = next();
            }
            if let Err(error) = self.publish(&status).await {
                if *error.reason() == Reason::NOT_CONFIGURED {
                    self.cx.status().report_because(State::Disabled, "the store of the flavor is not configured");
                    return;
                }
                self.cx.status().report_because(State::Degraded, format!("the status is not published: {error}"));
                // Changes in the meantime are no reason to retry sooner.
                sleep(pauses.next()).await;
                continue;
            }
            self.cx.status().report(State::Ok);
            pauses.reset();
            tokio::select! {
                changed = changes.next() => if changed.is_none() { return },
                () = until(anew) => {}
            }
        }
    }

    /// Writes the records that the store does not have.
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
                // Until the call succeeds, neither the new nor the previous record is known to be there.
                self.published.remove(&key);
                self.kv.put(&key, value).await?;
                self.published.insert(key, is);
            }
        }
        Ok(())
    }
}

/// `None` means never.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}

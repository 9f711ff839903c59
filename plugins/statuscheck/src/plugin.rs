//! [`StatusCheck`]: the plugin that publishes the status.

use crate::{StatusCheckConfig, publisher::Publisher};
use cninfra::{keyval::KeyVal, prelude::*};

/// Publishes the status of the agent and of its plugins in the flavor's store, where others find it, below
/// `/vnf-agent/<label>/check/status/v1/`, as the predecessor did.
///
/// | key | value |
/// | --- | --- |
/// | `agent` | [`AgentRecord`](crate::AgentRecord), in JSON |
/// | `plugin/<instance name>` | [`PluginRecord`](crate::PluginRecord), in JSON |
///
/// A change is published at once, and everything every `publish-interval`, with a new `last_update`. While the store is
/// away, nothing piles up: when it is back, the status of that moment is published. The keys stay when the agent stops.
///
/// In a flavor without a store, or with one that is not configured, it does nothing.
///
/// | key | default | meaning |
/// | --- | --- | --- |
/// | `publish-interval` | `10s` | how often everything is published again; 0 for never |
///
/// ```
/// use cninfra::{keyval::KeyVal, prelude::*};
/// use cninfra_statuscheck::StatusCheck;
///
/// #[derive(Flavor)]
/// struct Watched {
///     status_check: Dep<StatusCheck>, // beside a field with `#[provides(dyn KeyVal)]`
/// }
/// ```
#[plugin(name = "statuscheck")]
pub struct StatusCheck {
    store: Option<Dep<dyn KeyVal>>,
    #[config]
    config: StatusCheckConfig,
}

impl Lifecycle for StatusCheck {
    async fn init(&self, cx: &Context) -> Result<()> {
        let Some(store) = &self.store else {
            cx.log().debug("the flavor has no store: the status is not published");
            return Ok(());
        };
        let publisher = Publisher::new(cx, store);
        let interval = *self.config.publish_interval;
        cx.spawn_until_close("publish the status", publisher.run(cx.status_changes(), interval));
        Ok(())
    }
}

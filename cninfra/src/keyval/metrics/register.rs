//! Adds the metrics of a store to those of its agent.

use super::StoreMetrics;
use crate::Context;

impl StoreMetrics {
    /// Registers them with the metrics of the agent, under the name of this plugin. They replace those that the plugin
    /// has registered before.
    pub fn register(&self, cx: &Context) {
        cx.stores().add(cx.name(), self.clone());
    }
}

//! What a store counts is told with the metrics of its agent.

use super::StoreMetrics;
use crate::Context;

impl StoreMetrics {
    /// From now on they are told with those of the agent, by the name of this plugin, and in the place of those that it has registered before.
    pub fn register(&self, cx: &Context) {
        cx.stores().add(cx.name(), self.clone());
    }
}

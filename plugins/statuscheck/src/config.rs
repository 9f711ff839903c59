//! [`StatusCheckConfig`]: the config section `statuscheck`.

use cninfra::config::Duration;
use serde::{Deserialize, Serialize};

/// The config section `statuscheck`, in the file `statuscheck.conf`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct StatusCheckConfig {
    /// How often everything is published again, even if unchanged, so that others see that the agent is alive; 0 for
    /// never. Default: 10 s.
    pub publish_interval: Duration,
}

impl Default for StatusCheckConfig {
    fn default() -> Self {
        StatusCheckConfig { publish_interval: Duration::from_secs(10) }
    }
}

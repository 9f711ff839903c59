//! [`PhaseLimits`]: how long a plugin may take, phase by phase, as config has it.

use super::Duration;
use serde::{Deserialize, Serialize};

/// How long a plugin may take in each phase; where nothing is said, other limits hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct PhaseLimits {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) create: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) init: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) after_init: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) drain: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) close: Option<Duration>,
}

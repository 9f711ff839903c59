//! [`PhaseLimits`]: how long a plugin may take, phase by phase, as config has it.

use super::duration::Duration;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

/// How long a plugin may take in each phase; where nothing is said, other limits hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct PhaseLimits {
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "limit")]
    pub(crate) create: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "limit")]
    pub(crate) init: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "limit")]
    pub(crate) after_init: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "limit")]
    pub(crate) drain: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "limit")]
    pub(crate) close: Option<Duration>,
}

/// A limit of at least a millisecond: no plugin could keep to a shorter one.
fn limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let limit: Option<Duration> = Option::deserialize(deserializer)?;
    match limit {
        Some(limit) if *limit < std::time::Duration::from_millis(1) => Err(D::Error::custom(format_args!(
            "{limit} is less than any plugin takes: it would be over its limit at once"
        ))),
        limit => Ok(limit),
    }
}

//! The keys of any plugin's section that are the agent's, by name.

/// Their names. Where a plugin's section has a key of that name, it is the plugin's.
pub(in crate::config) const AGENT_KEYS: &[&str] = &[ENABLED, START_POLICY, LIMITS];
/// Those of a plugin that can not be switched off.
pub(in crate::config) const AGENT_KEYS_OF_ALL: &[&str] = &[START_POLICY, LIMITS];
pub(in crate::config) const ENABLED: &str = "enabled";
pub(in crate::config) const START_POLICY: &str = "start-policy";
pub(in crate::config) const LIMITS: &str = "limits";

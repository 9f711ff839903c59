//! The keys in any plugin's section that belong to the agent.

/// All of them. If the type of a section has a field of that name, the key belongs to the plugin.
pub(in crate::config) const AGENT_KEYS: &[&str] = &[ENABLED, START_POLICY, LIMITS];
/// Those of a plugin that cannot be switched off.
pub(in crate::config) const AGENT_KEYS_OF_ALL: &[&str] = &[START_POLICY, LIMITS];
pub(in crate::config) const ENABLED: &str = "enabled";
pub(in crate::config) const START_POLICY: &str = "start-policy";
pub(in crate::config) const LIMITS: &str = "limits";

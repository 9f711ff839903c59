//! [`Named`]: a section's name, and the agent's keys in it.

/// The name of a section, and those keys in it that do not belong to its type.
#[derive(Clone, Copy)]
pub(in crate::config) struct Named<'a> {
    pub(in crate::config) name: &'a str,
    /// The keys that belong to the agent.
    pub(in crate::config) agent_keys: &'static [&'static str],
}

impl<'a> Named<'a> {
    /// A section in which no keys belong to the agent.
    pub(in crate::config) fn plain(name: &'a str) -> Self {
        Named { name, agent_keys: &[] }
    }
}

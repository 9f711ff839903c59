//! [`Named`]: the name of a section.

/// The name of a section, and what is a key in it without being one of its type.
#[derive(Clone, Copy)]
pub(in crate::config) struct Named<'a> {
    pub(in crate::config) name: &'a str,
    /// The keys that are the agent's.
    pub(in crate::config) agents: &'static [&'static str],
}

impl<'a> Named<'a> {
    /// With no more keys than those of its type.
    pub(in crate::config) fn plain(name: &'a str) -> Self {
        Named { name, agents: &[] }
    }
}

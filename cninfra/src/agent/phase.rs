//! [`Phase`]: where a plugin is in the life of its agent.

use std::fmt;

/// A phase in the life of a plugin.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Phase {
    /// It is built of its dependencies.
    Create,
    /// [`Lifecycle::init`](crate::Lifecycle::init)
    Init,
    /// [`Lifecycle::after_init`](crate::Lifecycle::after_init)
    AfterInit,
    /// [`Lifecycle::drain`](crate::Lifecycle::drain)
    Drain,
    /// [`Lifecycle::close`](crate::Lifecycle::close)
    Close,
}

impl Phase {
    /// The name, as the method is spelled.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Create => "create",
            Phase::Init => "init",
            Phase::AfterInit => "after_init",
            Phase::Drain => "drain",
            Phase::Close => "close",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

//! [`Phase`]: the phases in the life of a plugin.

use std::fmt;

/// A phase in the life of a plugin.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Phase {
    /// It is built from its dependencies.
    Create,
    /// [`Lifecycle::init`](crate::Lifecycle::init)
    Init,
    /// [`Lifecycle::after_init`](crate::Lifecycle::after_init)
    AfterInit,
    /// The agent has started, and its plugins do their work. It is not a step of a plugin; only failures of tasks have
    /// it.
    Run,
    /// [`Lifecycle::drain`](crate::Lifecycle::drain)
    Drain,
    /// [`Lifecycle::close`](crate::Lifecycle::close)
    Close,
}

impl Phase {
    /// The name, spelled as the method.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Create => "create",
            Phase::Init => "init",
            Phase::AfterInit => "after_init",
            Phase::Run => "run",
            Phase::Drain => "drain",
            Phase::Close => "close",
        }
    }

    /// Whether it is a phase of the agent's stop.
    pub(in crate::agent) const fn is_of_the_stop(self) -> bool {
        matches!(self, Phase::Drain | Phase::Close)
    }
}

impl std::str::FromStr for Phase {
    type Err = crate::Error;

    /// Parses the method's name, with dashes or underscores.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const STEPS: [Phase; 5] = [Phase::Create, Phase::Init, Phase::AfterInit, Phase::Drain, Phase::Close];
        let name = text.replace('-', "_");
        STEPS.into_iter().find(|phase| phase.name() == name).ok_or_else(|| {
            crate::Error::msg(format_args!("no phase `{text}`"))
                .with_help("the phases are create, init, after-init, drain and close")
        })
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

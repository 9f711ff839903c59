//! [`State`]: the state of a plugin or an agent.

/// The state of a plugin, or of an agent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum State {
    /// It is switched off.
    Disabled,
    /// It works as intended.
    Ok,
    /// It works, but not as it should.
    Degraded,
    /// It is starting.
    Init,
    /// It is stopping, or has stopped.
    Stopped,
    /// It does not work.
    Error,
}

impl State {
    /// How bad it is: the states are declared from best to worst.
    pub(super) fn severity(self) -> u8 {
        self as u8
    }

    /// The predecessor's number: 0 while it starts or stops, 1 if it works, 2 if it is in error.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            State::Ok | State::Degraded => 1,
            State::Error => 2,
            State::Disabled | State::Init | State::Stopped => 0,
        }
    }

    /// The name: `ok`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            State::Disabled => "disabled",
            State::Ok => "ok",
            State::Degraded => "degraded",
            State::Init => "init",
            State::Stopped => "stopped",
            State::Error => "error",
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

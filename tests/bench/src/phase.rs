//! [`Phase`]: the cargo builds that are measured.

/// One of the three builds whose instructions are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// `cargo check`
    Check,
    /// `cargo build`
    Debug,
    /// `cargo build --release`
    Release,
}

impl Phase {
    /// All phases, in the order of the table.
    pub const ALL: [Phase; 3] = [Phase::Check, Phase::Debug, Phase::Release];

    /// The name on the command line and in the table.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Check => "check",
            Phase::Debug => "debug",
            Phase::Release => "release",
        }
    }

    /// The arguments of cargo.
    pub fn arguments(self) -> &'static [&'static str] {
        match self {
            Phase::Check => &["check"],
            Phase::Debug => &["build"],
            Phase::Release => &["build", "--release"],
        }
    }
}

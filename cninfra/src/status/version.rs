//! [`Version`]: counts the changes of an agent's status.

/// How often the status has changed, and whether it never will again.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Version {
    pub(super) count: u64,
    pub(super) ended: bool,
}

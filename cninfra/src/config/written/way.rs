//! [`Way`]: how to get from the top of a source to a value in it.

/// A step from a mapping or a list to a value in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::config) enum Step {
    /// A key, as the source spells it.
    Key(String),
    /// An index in a list.
    Index(usize),
}

/// The way from the top of a source to a value.
pub(in crate::config) type Way = Vec<Step>;

/// The way, extended by a key.
pub(in crate::config) fn inner(way: &[Step], key: &str) -> Way {
    onward(way, Step::Key(key.to_string()))
}

/// The way, extended by an index.
pub(in crate::config) fn inner_at(way: &[Step], at: usize) -> Way {
    onward(way, Step::Index(at))
}

/// The way, extended by a step. It is a function of its own since each chain of iterators would be compiled separately.
pub(in crate::config) fn onward(way: &[Step], step: Step) -> Way {
    let mut onward = Way::with_capacity(way.len() + 1);
    onward.extend_from_slice(way);
    onward.push(step);
    onward
}

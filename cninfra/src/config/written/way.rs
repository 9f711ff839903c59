//! [`Way`]: from the top of a source to a value in it.

/// A step from a mapping or a list to what is in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::config) enum Step {
    /// A key, as it is written in the source.
    Key(String),
    /// A place in a list, from 0.
    Index(usize),
}

/// The way from the top of a source to a value.
pub(in crate::config) type Way = Vec<Step>;

/// The way to a key of what is there.
pub(in crate::config) fn inner(way: &[Step], key: &str) -> Way {
    onward(way, Step::Key(key.to_string()))
}

/// The way to an item of what is there.
pub(in crate::config) fn inner_at(way: &[Step], at: usize) -> Way {
    onward(way, Step::Index(at))
}

/// A way with one step more. Each chain of iterators would be code of its own.
pub(in crate::config) fn onward(way: &[Step], step: Step) -> Way {
    let mut onward = Way::with_capacity(way.len() + 1);
    onward.extend_from_slice(way);
    onward.push(step);
    onward
}

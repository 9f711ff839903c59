//! [`Unread`]: the keys of a range that could not be read although the server has answered.

use crate::{failure::Failure, glob::literal};
use cninfra::keyval::{KeyRange, KvError, Reason};
use std::error::Error as _;

/// The keys of a range that could not be read although the server has answered: some of them, or all. This does not
/// show whether they exist.
#[derive(Default)]
pub(super) struct Unread {
    first: Option<KvError>,
    keys: usize,
}

impl Unread {
    /// The keys of the range cannot be listed.
    pub(super) fn whole(error: KvError) -> Self {
        Unread { first: Some(error), keys: 0 }
    }

    /// Records that a key could not be read.
    pub(super) fn add(&mut self, error: KvError) {
        self.keys += 1;
        self.first.get_or_insert(error);
    }

    pub(super) fn is_none(&self) -> bool {
        self.first.is_none()
    }

    /// Whether the keys of the range cannot be listed.
    pub(super) fn is_whole(&self) -> bool {
        self.first.is_some() && self.keys == 0
    }

    /// The text for the log: which range, how much of it, why, and what to do for this user.
    pub(super) fn shown(&self, range: &KeyRange, user: &str) -> String {
        let Some(first) = &self.first else { return String::new() };
        let which = first.range().unwrap_or(range);
        let what = match self.keys {
            0 => "its keys cannot be asked for".to_string(),
            1 => format!("`{which}` cannot be read"),
            keys => format!("{keys} keys cannot be read, of them `{which}`"),
        };
        format!(
            "a watch of `{range}` is behind until all of it can be read: {what} ({first:#}); {}",
            mend(first, range, user)
        )
    }
}

fn mend(error: &KvError, range: &KeyRange, user: &str) -> String {
    if *error.reason() != Reason::Denied {
        return error.help().unwrap_or("look at the log of the server").to_string();
    }
    let failure = error.source().and_then(|source| source.downcast_ref::<Failure>());
    if failure.is_some_and(Failure::has_no_command) {
        return format!("give the user the right: `ACL SETUSER {user} +scan +get`");
    }
    let text = |key: &[u8]| literal(&String::from_utf8_lossy(key));
    let keys = match range.single() {
        Some(key) => text(key),
        None => format!("{}*", text(range.start())),
    };
    format!("give the user the keys: `ACL SETUSER {user} ~{keys}`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use cninfra::keyval::{Applied, Asked};

    fn denied(key: &'static str, said: &str) -> KvError {
        let asked = Asked::to_read("watch", Some(KeyRange::key(key)));
        let error = asked.error(Reason::Denied, Applied::No).at("a:1");
        error.because(Failure::answer(said))
    }

    #[test]
    fn what_can_not_be_read_is_told_with_the_right_that_is_missing() {
        let range = KeyRange::prefix("p[/");
        let mut unread = Unread::default();
        assert!(unread.is_none());
        unread.add(denied("p[/b", "NOPERM No permissions to access a key"));
        let one = unread.shown(&range, "agent");
        assert!(one.contains("a watch of `p[/*` is behind") && one.contains(": `p[/b` cannot be read ("), "{one}");
        assert!(one.ends_with(r"`ACL SETUSER agent ~p\[/*`"), "{one}");
        unread.add(denied("p[/c", "NOPERM No permissions to access a key"));
        let two = unread.shown(&range, "agent");
        assert!(two.contains("2 keys cannot be read, of them `p[/b`"), "{two}");
        let whole = Unread::whole(denied("k", "NOPERM this user has no permissions to run the 'scan' command"));
        let whole = whole.shown(&KeyRange::key("k"), "agent");
        assert!(whole.ends_with("`ACL SETUSER agent +scan +get`"), "{whole}");
    }
}

//! The error for a range that the user may not watch, with the permission that is missing.

use crate::{core::Core, failure::Asked};
use cninfra::keyval::{Applied, KeyRange, KvError, Reason};

/// The error of a watch whose range the user may not read. `server_text` is etcd's text.
pub(super) fn refused(core: &Core, range: &KeyRange, server_text: String) -> KvError {
    let asked = Asked::to_read("watch", Some(range.clone()));
    let error = asked.error(Reason::Denied, Applied::No).at(core.watches.endpoint());
    let user = core.config.username.as_deref().unwrap_or_default();
    error.because(server_text).with_help(format!(
        "the user `{user}` has no right to read it: give one to a role of his, `etcdctl role grant-permission ROLE read {}`",
        etcdctl_range(range)
    ))
}

/// A range in the syntax of `etcdctl`.
fn etcdctl_range(range: &KeyRange) -> String {
    let text = |key: &[u8]| format!("'{}'", String::from_utf8_lossy(key));
    let start = text(range.start());
    match (range.single(), range.as_prefix(), range.end()) {
        (Some(_), ..) => start,
        (_, Some(_), _) => format!("--prefix=true {start}"),
        (_, _, Some(end)) => format!("{start} {}", text(end)),
        (_, _, None) => format!("--from-key=true {start}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_told_as_etcdctl_takes_it() {
        let ranges = [KeyRange::key("a"), KeyRange::prefix("p/"), KeyRange::between("a", "c"), KeyRange::from("x")];
        assert_eq!(
            ranges.map(|range| etcdctl_range(&range)),
            ["'a'", "--prefix=true 'p/'", "'a' 'c'", "--from-key=true 'x'"]
        );
        assert_eq!(etcdctl_range(&KeyRange::all()), "--prefix=true ''");
    }
}

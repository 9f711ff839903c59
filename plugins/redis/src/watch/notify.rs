//! What a server has to tell for a watch.

use crate::{
    call::{To, Who},
    core::Core,
    failure::{Asked, Failure},
    wire::{Command, Reply},
};
use cninfra::keyval::{KvError, Reason, Result};
use std::{error::Error, sync::Arc};

/// Does a server tell of changes?
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Tells {
    Yes,
    /// It does not; why, with the mend.
    No(String),
    /// The user may not ask.
    Unknown,
}

/// Asks a server, and switches it on if that is wanted.
pub(crate) async fn ask(core: &Core, endpoint: &Arc<str>) -> Result<Tells> {
    let (turn, asked) = (|| core.to_read(Who::Own), || Asked::to_read("notifications", None));
    let to = To::Node(endpoint.clone());
    let get = Command::new("CONFIG", ["GET", "notify-keyspace-events"]);
    let flags = match core.call(turn(), &asked, &to, &get).await {
        Ok(reply) => reply.list().into_iter().nth(1).and_then(Reply::text).unwrap_or_default(),
        Err(error) if is_not_ours(&error) => return Ok(Tells::Unknown),
        Err(error) => return Err(error),
    };
    if is_enough(&flags) {
        return Ok(Tells::Yes);
    }
    if !core.config.enable_notifications {
        return Ok(Tells::No(format!(
            "redis at {endpoint} does not tell of changes (`notify-keyspace-events` is \"{flags}\"): set it to \"KA\" there, or `enable-notifications: true` in redis.conf"
        )));
    }
    let set = Command::new("CONFIG", ["SET".to_string(), "notify-keyspace-events".to_string(), format!("{flags}KA")]);
    match core.call(turn(), &asked, &to, &set).await {
        Ok(_) => Ok(Tells::Yes),
        Err(error) if is_not_ours(&error) => Ok(Tells::No(format!(
            "redis at {endpoint} does not tell of changes, and does not let this user switch it on: set `notify-keyspace-events` to \"KA\" there"
        ))),
        Err(error) => Err(error),
    }
}

/// Which server does not tell, if one does not.
pub(crate) async fn mute(core: &Core) -> Result<Option<String>> {
    for primary in core.primaries() {
        if let Tells::No(why) = ask(core, &primary).await? {
            return Ok(Some(why));
        }
    }
    Ok(None)
}

/// The user may not do this, or the server, of somebody who hosts it, does not know it.
fn is_not_ours(error: &KvError) -> bool {
    let unknown = || error.source().is_some_and(|source| source.to_string().contains("unknown command"));
    *error.reason() == Reason::Denied || unknown()
}

/// Do these flags have all that changes a value, or ends a key?
fn is_enough(flags: &str) -> bool {
    let has = |flag| flags.contains(flag);
    has('K') && (has('A') || ['g', '$', 'x', 'e'].into_iter().all(has))
}

/// The server has refused to tell: what can be done.
pub(crate) fn refused(endpoint: &Arc<str>, failure: &Failure) -> String {
    format!(
        "redis at {endpoint} does not let this user hear of changes ({failure}): give it the channels, such as `ACL SETUSER name allchannels +psubscribe +punsubscribe +ping`"
    )
}

/// It was tried, and nothing was heard.
pub(crate) fn unheard(endpoint: &Arc<str>) -> String {
    format!(
        "redis at {endpoint} does not tell of changes: a key was written there, and nothing was heard of it; set `notify-keyspace-events` to \"KA\" there"
    )
}

/// It can not be tried.
pub(crate) fn unproved(endpoint: &Arc<str>, error: &KvError) -> String {
    format!(
        "whether redis at {endpoint} tells of changes can not be known ({error}): give the user `+config|get`, or `+eval` and keys to write"
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_enough_has_all_that_changes_a_value() {
        for (flags, is) in
            [("AK", true), ("KA", true), ("g$xeK", true), ("", false), ("A", false), ("EA", false), ("Kg$x", false)]
        {
            assert_eq!(super::is_enough(flags), is, "{flags}");
        }
    }
}

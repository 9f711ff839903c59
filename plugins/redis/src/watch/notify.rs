//! Whether a server notifies about changes, as watches need, and what to do if it does not.

use super::hub::channel;
use crate::{
    call::{Origin, To},
    command::{Command, Reply},
    core::Core,
    failure::{Asked, Failure},
    wire::Wire,
};
use cninfra::keyval::{Applied, KvError, Reason, Result};
use std::{error::Error, sync::Arc};
use tokio::time::timeout;

/// Whether a server notifies about changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Notifies {
    Yes,
    /// It does not. The text says why, and how to fix it.
    No(String),
    /// The user may not read the server's config.
    Unknown,
}

/// Checks a server, and switches its notifications on if the config says so.
pub(crate) async fn check_server(core: &Core, endpoint: &Arc<str>) -> Result<Notifies> {
    let (turn, asked) = (|| core.to_read(Origin::Own), || Asked::to_read("notifications", None));
    let to = To::Node(endpoint.clone());
    let get = Command::new("CONFIG", ["GET", "notify-keyspace-events"]);
    let flags = match core.call(turn(), &asked, &to, &get).await {
        Ok(reply) => reply.list().into_iter().nth(1).and_then(Reply::text).unwrap_or_default(),
        Err(error) if is_not_permitted(&error) => return Ok(Notifies::Unknown),
        Err(error) => return Err(error),
    };
    if is_enough(&flags) {
        return Ok(Notifies::Yes);
    }
    if !core.config.enable_notifications {
        return Ok(Notifies::No(format!(
            "redis at {endpoint} does not notify of changes (`notify-keyspace-events` is \"{flags}\"): set it to \"KA\" there, or `enable-notifications: true` in redis.conf"
        )));
    }
    let set = Command::new("CONFIG", ["SET".to_string(), "notify-keyspace-events".to_string(), format!("{flags}KA")]);
    match core.call(turn(), &asked, &to, &set).await {
        Ok(_) => Ok(Notifies::Yes),
        Err(error) if is_not_permitted(&error) => Ok(Notifies::No(format!(
            "redis at {endpoint} does not notify of changes (`notify-keyspace-events` is \"{flags}\"), and refused to switch it on, as `enable-notifications` asks ({}): set `notify-keyspace-events` to \"KA\" there, or give the user the right: `ACL SETUSER {} +config|set`",
            cause(&error),
            core.config.user()
        ))),
        Err(error) => Err(error),
    }
}

/// Why watches will be refused, as far as that can be known before there is one: a server does not notify, or the user
/// may not receive notifications.
pub(crate) async fn mute(core: &Core) -> Result<Option<String>> {
    for primary in core.primaries() {
        let why = match check_server(core, &primary).await? {
            Notifies::No(why) => Some(why),
            Notifies::Yes => None,
            Notifies::Unknown => check_provable(core, &primary).await?,
        };
        let why = if why.is_none() { check_subscription(core, &primary).await? } else { why };
        if why.is_some() {
            return Ok(why);
        }
    }
    Ok(None)
}

/// Whether a user who may not read the config may prove that the server notifies. Whether that is possible for certain
/// keys is found out when they are watched.
async fn check_provable(core: &Core, endpoint: &Arc<str>) -> Result<Option<String>> {
    let asked = || Asked::to_read("notifications", None);
    let nothing = Command::new("EVAL", ["return 1", "0"]);
    match core.call(core.to_read(Origin::Own), &asked, &To::Node(endpoint.clone()), &nothing).await {
        Ok(_) => {
            tracing::info!(
                "whether redis at {endpoint} notifies of changes is found out when something is watched: this user may not ask (`ACL SETUSER {} +config|get`)",
                core.config.user()
            );
            Ok(None)
        }
        Err(error) if is_not_permitted(&error) => Ok(Some(advice_if_unproved(core, endpoint, &error))),
        Err(error) => Err(error),
    }
}

/// Whether the user may receive notifications. This is tried on a connection of its own, since a connection for calls
/// must not be subscribed to anything.
async fn check_subscription(core: &Core, endpoint: &Arc<str>) -> Result<Option<String>> {
    let trying = async {
        let (wire, _hints) = Wire::dial_for_hints(&core.dial, endpoint).await?;
        let heard = wire.subscribe(vec![format!("{}*", channel(core.config.db))], true).await;
        wire.close().await;
        heard
    };
    let (asked, limit) = (Asked::to_read("notifications", None), core.config.read_within());
    match timeout(limit, trying).await {
        Ok(Ok(())) => Ok(None),
        Ok(Err(failure)) if failure.is_denied() => Ok(Some(advice_if_refused(core, endpoint, &failure))),
        Ok(Err(failure)) => Err(failure.into_error(&asked, endpoint)),
        Err(_) => Err(core.timeout_error(limit, &asked, endpoint, Applied::No)),
    }
}

/// The user may not use this command, or the server (a hosted one) does not have it.
fn is_not_permitted(error: &KvError) -> bool {
    let unknown = || error.source().is_some_and(|source| source.to_string().contains("unknown command"));
    *error.reason() == Reason::Denied || unknown()
}

/// Whether these flags cover everything that changes a value or ends a key.
fn is_enough(flags: &str) -> bool {
    let has = |flag| flags.contains(flag);
    has('K') && (has('A') || ['g', '$', 'x', 'e'].into_iter().all(has))
}

fn cause(error: &KvError) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

/// What to do about a server that has refused a subscription.
pub(crate) fn advice_if_refused(core: &Core, endpoint: &Arc<str>, failure: &Failure) -> String {
    let (user, channel) = (core.config.user(), channel(core.config.db));
    if failure.has_no_command() {
        return format!(
            "redis at {endpoint} does not let this user hear of changes ({failure}): `ACL SETUSER {user} +psubscribe +punsubscribe +ping`"
        );
    }
    format!(
        "redis at {endpoint} does not let this user hear of changes ({failure}), unless it has the channels of what is watched by their very pattern, such as `&{channel}PREFIX*`: `ACL SETUSER {user} allchannels`"
    )
}

/// What to do if the proof was tried, and no hint arrived.
pub(crate) fn advice_if_unheard(core: &Core, endpoint: &Arc<str>) -> String {
    let not_set = match core.config.enable_notifications {
        true => format!(
            " (`enable-notifications` needs the right to: `ACL SETUSER {} +config|get +config|set`)",
            core.config.user()
        ),
        false => String::new(),
    };
    format!(
        "redis at {endpoint} does not notify of changes: a key was written there, and nothing was heard of it; set `notify-keyspace-events` to \"KA\" there{not_set}"
    )
}

/// What to do if the proof cannot be tried.
pub(crate) fn advice_if_unproved(core: &Core, endpoint: &Arc<str>, error: &KvError) -> String {
    format!(
        "whether redis at {endpoint} notifies of changes cannot be known ({}): `ACL SETUSER {} +config|get`, or `+eval` and keys to write",
        cause(error),
        core.config.user()
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

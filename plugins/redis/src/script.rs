//! Scripts, which the server runs in one step.

use crate::{
    call::{Origin, To},
    command::{Command, Reply},
    core::Core,
    failure::{Asked, Failure},
};
use bytes::Bytes;
use cninfra::keyval::Result;
use std::error::Error as _;

/// A transaction: conditions, and the operations for either outcome. See `txn` for its arguments. The server rolls
/// nothing back: the text of an error after something was written begins with [`PARTLY`](crate::failure::PARTLY).
pub(crate) const TXN: &str = include_str!("txn.lua");
/// The hash by which the server knows it, once it has run it.
const TXN_SHA1: &str = "2c7a0b5edfdf261dbfe66df60b66d4f4e4da1682";

/// Renews the time to live of a key, if it has one of these values and expires. Returns the number of that value, from
/// 1; 0 if the key has another value, -1 if it does not exist. A key that does not expire, or not as soon, or that
/// holds no string, was put by somebody else.
pub(crate) const RENEW: &str = "local found = redis.pcall('GET', KEYS[1])
if type(found) == 'table' then return string.find(found.err, 'WRONGTYPE', 1, true) and 0 or found end
local left = redis.call('PTTL', KEYS[1])
for place = 2, #ARGV do
  if found == ARGV[place] and left >= 0 and left <= tonumber(ARGV[1]) then
    redis.call('PEXPIRE', KEYS[1], ARGV[1])
    return place - 1
  end
end
return found and 0 or -1";

/// Deletes a key, if it has one of these values and expires as soon.
pub(crate) const RELEASE: &str = "local found = redis.pcall('GET', KEYS[1])
if type(found) == 'table' then return string.find(found.err, 'WRONGTYPE', 1, true) and 0 or found end
local left = redis.call('PTTL', KEYS[1])
for place = 2, #ARGV do
  if found == ARGV[place] and left >= 0 and left <= tonumber(ARGV[1]) then return redis.call('DEL', KEYS[1]) end
end
return 0";

/// Deletes a key, and returns its value.
pub(crate) const TAKE: &str = "local found = redis.call('GET', KEYS[1]) redis.call('DEL', KEYS[1]) return found";

/// Makes a key and deletes it, so that nobody can read it, but listeners are notified.
pub(crate) const ECHO: &str = "redis.call('SET', KEYS[1], '', 'PX', 1000) return redis.call('DEL', KEYS[1])";

/// A call of a script with one key.
pub(crate) fn of_key(script: &'static str, key: &Bytes) -> Command<'static> {
    Command::new("EVAL", [Bytes::from_static(script.as_bytes()), Bytes::from_static(b"1"), key.clone()])
}

pub(crate) async fn txn(core: &Core, asked: &Asked, to: &To<'_>, keys: &[Bytes], args: &[Bytes]) -> Result<Reply> {
    let limit = || if asked.writes { core.to_write(Origin::Caller) } else { core.to_read(Origin::Caller) };
    let command = |name, script: &'static str| {
        let command = Command::bare(name).arg(script).number(keys.len());
        keys.iter().chain(args).fold(command, |command, arg| command.arg(arg.clone()))
    };
    match core.call(limit(), &|| asked.clone(), to, &command("EVALSHA", TXN_SHA1)).await {
        // The server was restarted, or is another one: it does not know the script, and has not run it.
        Err(error) if is_unknown(&error) => core.call(limit(), &|| asked.clone(), to, &command("EVAL", TXN)).await,
        answer => answer,
    }
}

fn is_unknown(error: &cninfra::keyval::KvError) -> bool {
    error.source().and_then(|source| source.downcast_ref::<Failure>()).is_some_and(Failure::is_no_script)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_known_by_its_hash() {
        let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, TXN.as_bytes());
        let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, TXN_SHA1, "each call would send the whole script");
    }
}

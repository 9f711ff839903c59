//! The calls of a store on Redis, one by one, and what a watch reports for them.
//!
//! ```sh
//! cargo run -p redis-lib --bin simple -- --redis-config examples/redis-lib/node-client.yaml
//! ```

use clap::{Arg, ArgAction};
use cninfra::{
    Error, Result,
    keyval::{Diffed, Entry, Expiry, KeyRange, Kv, PageRequest, Txn, Update, WatchOptions},
};
use cninfra_redis::RedisStore;
use redis_lib::{arguments, command, connect, logger, say};
use std::time::Duration;
use tokio::time::timeout;

/// The prefix that is watched.
const KEY: &str = "key";
/// The keys of the listings.
const ITERATED: &str = "iterator-";
const COUNT: usize = 100;
/// Events of a watch come within this time.
const SOON: Duration = Duration::from_secs(10);

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn shown(entry: &Entry) -> String {
    format!("{}={}", text(&entry.key), text(&entry.value))
}

/// The calls, each announced before it is made.
struct Calls(Kv<RedisStore>);

impl Calls {
    async fn put(&self, key: &str, value: &str) -> Result<()> {
        say(format_args!("Putting  {key}={value}"))?;
        self.0.put(key, value.to_string()).await?;
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<()> {
        match self.0.get(key).await? {
            Some(entry) => say(format_args!("Got  {}", shown(&entry)))?,
            None => say(format_args!("There is no  {key}"))?,
        };
        Ok(())
    }

    /// Redis has no order of keys, so they are sorted here.
    async fn list(&self, prefix: &str) -> Result<()> {
        let mut keys: Vec<String> =
            self.0.list_keys(prefix).all().await?.iter().map(|entry| text(&entry.key)).collect();
        keys.sort();
        say(format_args!("Keys with  {prefix}: {}", keys.join(", ")))?;
        let mut values: Vec<String> = self.0.list(prefix).all().await?.iter().map(shown).collect();
        values.sort();
        say(format_args!("Values with  {prefix}: {}", values.join(", ")))?;
        Ok(())
    }

    /// Takes the entries one by one, though they are read page by page.
    async fn iterate(&self, keys_only: bool, debug: bool) -> Result<()> {
        let mut request = PageRequest::new(KeyRange::prefix(ITERATED));
        (request.keys_only, request.max_items) = (keys_only, COUNT / 10);
        let mut listing = self.0.list_with(request);
        let mut count = 0;
        while let Some(entry) = listing.next().await? {
            count += 1;
            if debug {
                let line = if keys_only { text(&entry.key) } else { shown(&entry) };
                say(format_args!("\t{line}"))?;
            }
        }
        say(format_args!("Iterated over {count} {} with  {ITERATED}", if keys_only { "keys" } else { "values" }))?;
        Ok(())
    }

    async fn delete(&self, prefix: &str) -> Result<()> {
        let count = self.0.delete_prefix(prefix).await?;
        say(format_args!("Deleted {count} keys with  {prefix}"))?;
        Ok(())
    }
}

/// Prints this many changes of the watched keys.
async fn tell(watch: &mut Diffed, count: usize) -> Result<()> {
    let mut told = Vec::new();
    while told.len() < count {
        let Ok(update) = timeout(SOON, watch.next()).await else {
            return Err(Error::msg(format!("the watch has told {} of {count} changes in {SOON:?}", told.len())));
        };
        match update {
            Some(Update::Put(entry)) => told.push(format!("Watch:  put {}", shown(&entry))),
            Some(Update::Deleted { key, .. }) => told.push(format!("Watch:  deleted {}", text(&key))),
            Some(Update::Link(link)) => eprintln!("the connection: {link:?}"),
            Some(_) => {}
            None => return Err(Error::msg("the watch has ended")),
        }
    }
    // Changes of different keys come in any order.
    told.sort();
    for line in told {
        say(line)?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let iterator = Arg::new("debug-iterator").long("debug-iterator").action(ArgAction::SetTrue);
    let command = command("simple", "does the calls of a store on Redis, one by one", "{simple}/");
    let arguments = arguments(command.arg(iterator.help("prints all that is iterated over")));
    let log = logger(&arguments)?;
    let kv = connect(&arguments).await?;
    log.debug(format_args!("is connected to {}", kv.store().endpoints()));
    let calls = Calls(kv.clone());
    // Removes what an interrupted run has left.
    for prefix in [KEY, ITERATED] {
        kv.delete_prefix(prefix).await?;
    }
    say(format_args!("Watching  {}{KEY}", text(kv.prefix())))?;
    let mut watch = kv.watch([KEY], WatchOptions::default()).await?.diffed();

    for (key, value) in [("key1", "val 1"), ("key2", "val 2")] {
        calls.put(key, value).await?;
        tell(&mut watch, 1).await?;
    }
    let life = Duration::from_secs(1);
    say(format_args!("Putting  key3=val 3, for {life:?}"))?;
    kv.put_with("key3", "val 3", Expiry::After(life)).await?;
    tell(&mut watch, 1).await?;
    say("Waiting for the end of  key3")?;
    tell(&mut watch, 1).await?;
    for key in ["key1", "key2", "key3"] {
        calls.get(key).await?;
    }
    // A `get` reads only the exact key, and there is none with this name.
    calls.get(KEY).await?;
    calls.list(KEY).await?;

    say(format_args!("Putting  {ITERATED}1 to {ITERATED}{COUNT}"))?;
    for i in 1..=COUNT {
        kv.put(format!("{ITERATED}{i}"), format!("val {i}")).await?;
    }
    for keys_only in [true, false] {
        calls.iterate(keys_only, arguments.get_flag("debug-iterator")).await?;
    }

    calls.delete(KEY).await?;
    tell(&mut watch, 2).await?;
    calls.delete(ITERATED).await?;
    calls.list(KEY).await?;

    calls.put("key100", "val 100").await?;
    tell(&mut watch, 1).await?;
    let mut txn = Txn::new().delete("key100");
    for i in 101..=104 {
        txn = txn.put(format!("key{i}"), format!("val {i}"));
    }
    say("Putting  key101 to key104, and deleting  key100, in one transaction")?;
    kv.commit(txn).await?;
    tell(&mut watch, 5).await?;
    calls.list(KEY).await?;
    calls.delete(KEY).await?;
    tell(&mut watch, 4).await?;

    say("Closing the connection")?;
    kv.store().close().await?;
    while let Ok(Some(_)) = timeout(SOON, watch.next()).await {}
    say("The watch has ended")?;
    match kv.get("key1").await {
        Ok(_) => Err(Error::msg("a call on a closed connection has gone well")),
        Err(error) => {
            say(format_args!("A call fails:  {error}"))?;
            Ok(())
        }
    }
}

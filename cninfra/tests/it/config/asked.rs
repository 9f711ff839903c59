//! Live sections that are read again with `Context::config`.

use super::live::{Pair, next, start};
use cninfra::{
    config::{Config, Live},
    prelude::*,
};
use cninfra_testbed::Folder;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::timeout;

/// The context that `Curious` uses while it is deserialized.
static CURIOUS: Mutex<Option<Context>> = Mutex::new(None);

/// Reads its own section while it is deserialized.
#[derive(Debug, Default, Serialize)]
pub struct Curious {
    a: u32,
}

impl<'de> Deserialize<'de> for Curious {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let asks = CURIOUS.lock().unwrap().clone();
        if let Some(cx) = asks {
            drop(cx.config::<Live<Pair>>());
        }
        Pair::deserialize(deserializer).map(|Pair { a, .. }| Curious { a })
    }
}
#[plugin(name = "asker")]
pub struct Asker {
    #[config]
    config: Live<Curious>,
    #[context]
    cx: Context,
}

#[derive(Flavor)]
struct Asks {
    asker: Dep<Asker>,
}

async fn reads_what_asks_again() {
    let folder = Folder::new();
    folder.write("asker.conf", "a: 1");
    let config = Config::new().set("agent", "config-poll-interval", "100ms");
    let agent = Agent::<Asks>::builder().config(config).config_dir(folder.path()).start().await.unwrap();
    let mut changes = agent.asker.config.changes();
    *CURIOUS.lock().unwrap() = Some(agent.asker.cx.clone());
    folder.write("asker.conf", "a: 2");
    assert_eq!(changes.next().await.unwrap().a, 2);
    agent.close().await.unwrap();
}

#[test]
fn no_lock_is_held_while_a_section_is_read() {
    let (done, is_done) = std::sync::mpsc::channel();
    // On a separate thread, since a runtime that is dropped waits for its blocked threads.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(reads_what_asks_again());
        done.send(()).unwrap();
    });
    is_done.recv_timeout(Duration::from_secs(30)).expect("it is taken in");
}

#[tokio::test]
async fn who_asks_later_gets_what_holds_then() {
    let folder = Folder::new();
    folder.write("follower.conf", "a: 1\nb: 2");
    let agent = start(folder.path()).await;
    let mut changes = agent.follower.config.changes();
    folder.write("follower.conf", "a: 2\nb: 4");
    let seen = next(&mut changes).await;
    for _ in 0..3 {
        let asked = agent.follower.cx.config::<Live<Pair>>().unwrap();
        assert!(Arc::ptr_eq(&asked.get(), &seen), "it is the same section");
    }
    // A section of another type is separate, and has the current values too.
    let other = agent.follower.cx.config::<Live<BTreeMap<String, u32>>>().unwrap();
    assert_eq!(other.get().get("a"), Some(&2));
    let mut others = other.changes();
    folder.write("follower.conf", "a: 3\nb: 6");
    let other = timeout(Duration::from_secs(20), others.next()).await.expect("a change in time").unwrap();
    assert_eq!((other.get("a"), next(&mut changes).await.a), (Some(&3), 3));
    agent.close().await.unwrap();
}

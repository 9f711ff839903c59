//! Live sections that are asked for again.

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
use tokio::time::{sleep, timeout};

/// Asked once by a type that is read.
static CURIOUS: Mutex<Option<Context>> = Mutex::new(None);

/// While it is read, it asks for the section itself.
#[derive(Debug, Default, Serialize)]
pub struct Curious {
    a: u32,
}

impl<'de> Deserialize<'de> for Curious {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let asks = CURIOUS.lock().unwrap().take();
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

#[tokio::test]
async fn no_lock_is_held_while_a_section_is_read() {
    let folder = Folder::new();
    folder.write("asker.conf", "a: 1");
    let config = Config::new().set("agent", "config-poll-interval", "10ms");
    let agent = Agent::<Asks>::builder().config(config).config_dir(folder.path()).start().await.unwrap();
    let mut changes = agent.asker.config.changes();
    for a in 2..6 {
        folder.write("asker.conf", &format!("a: {a}"));
        // the reading that is told may be the second or the third one
        let armed = async {
            loop {
                *CURIOUS.lock().unwrap() = Some(agent.asker.cx.clone());
                sleep(Duration::from_millis(1)).await;
            }
        };
        let next = tokio::select! {
            () = armed => None,
            next = timeout(Duration::from_secs(20), changes.next()) => next.expect("a change in time"),
        };
        assert_eq!(next.unwrap().a, a);
    }
    agent.close().await.unwrap();
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
    // one of another type is its own, and not that of the start either
    let other = agent.follower.cx.config::<Live<BTreeMap<String, u32>>>().unwrap();
    assert_eq!(other.get().get("a"), Some(&2));
    let mut others = other.changes();
    folder.write("follower.conf", "a: 3\nb: 6");
    let other = timeout(Duration::from_secs(20), others.next()).await.expect("a change in time").unwrap();
    assert_eq!((other.get("a"), next(&mut changes).await.a), (Some(&3), 3));
    agent.close().await.unwrap();
}

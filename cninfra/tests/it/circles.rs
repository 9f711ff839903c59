//! Plugins with fields whose types lead back to the plugin: checking such a type must not recurse.

#![allow(clippy::type_complexity, reason = "that a type is long is what is tried")]

use cninfra::prelude::*;
use std::{
    any::Any,
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, Weak},
};

struct Client {
    #[expect(dead_code, reason = "it leads back")]
    server: Weak<Server>,
}

type Answer = Box<dyn FnOnce(u8) + Send>;

#[plugin]
struct Server {
    pending: Mutex<HashMap<u64, (Arc<Client>, Answer)>>,
    // These lead back without another type's name in between.
    waiting: Mutex<Vec<(Weak<Self>, Box<dyn FnOnce() + Send>)>>,
    any: Mutex<Option<(Weak<Self>, Box<dyn Any + Send>)>>,
}

#[plugin]
struct Front {
    calls: Mutex<Vec<(Box<dyn FnOnce() + Send>, Dep<Back>)>>,
    server: Dep<Server>,
}

#[plugin]
struct Back {
    front: OnceLock<Dep<Front>>,
    one: Cell,
    sessions: [Mutex<Option<Session>>; 2 * 4],
}

/// This is not std's `Cell`.
#[derive(Default)]
struct Cell {
    of: OnceLock<Dep<Back>>,
}

struct Session {
    #[expect(dead_code, reason = "it leads back")]
    of: Dep<Back>,
}

#[derive(Flavor)]
struct All {
    front: Dep<Front>,
    back: Dep<Back>,
    server: Dep<Server>,
}

#[tokio::test]
async fn plugins_that_hold_what_leads_back_are_right() {
    let agent = Agent::<All>::builder().label("circles").start().await.unwrap();
    let (front, back, server) = (&agent.front, &agent.back, &agent.server);
    assert!(std::ptr::eq(&*front.server, &**server));
    assert!(server.pending.lock().unwrap().is_empty() && server.waiting.lock().unwrap().is_empty());
    assert!(server.any.lock().unwrap().is_none() && front.calls.lock().unwrap().is_empty());
    assert!(back.front.get().is_none() && back.one.of.get().is_none());
    assert!(back.sessions.iter().all(|session| session.lock().unwrap().is_none()));
    agent.close().await.unwrap();
}

//! Destructors that panic or take long.

use crate::owner::*;
use cninfra::{Phase, prelude::*};
use std::{future::pending, sync::Mutex, time::Duration};

/// Panics when it is dropped.
struct Grenade;
impl Drop for Grenade {
    fn drop(&mut self) {
        panic!("in pieces")
    }
}

#[tokio::test]
async fn a_task_whose_destructor_panics_is_told() {
    let agent = started().await;
    agent.owner.cx.spawn("armed", async {
        let _grenade = Grenade;
        pending::<()>().await;
    });
    tokio::task::yield_now().await;
    let error = soon(agent.close()).await.unwrap_err();
    assert_eq!(error.run[0].to_string(), "plugin `Owner` panicked in task `armed`: in pieces");
}

#[plugin]
pub struct Armed {
    grenades: Mutex<Vec<Grenade>>,
    after: Dep<Owner>,
}
impl Lifecycle for Armed {
    async fn init(&self, _: &Context) -> Result<()> {
        self.grenades.lock().unwrap().push(Grenade);
        Ok(())
    }
}
/// The future of its `init` panics when it is dropped.
#[plugin]
pub struct ArmedInit {
    fails: Dep<Owner>,
}
impl Lifecycle for ArmedInit {
    async fn init(&self, _: &Context) -> Result<()> {
        let _ = &self.fails;
        let _grenade = Grenade;
        pending().await
    }
}

#[tokio::test]
async fn a_plugin_whose_destructor_panics_is_told_and_the_others_are_dropped() {
    #[derive(Flavor)]
    struct Explosive {
        armed: Dep<Armed>,
        owner: Dep<Owner>,
    }
    let agent = Agent::<Explosive>::start().await.unwrap();
    let error = soon(agent.close()).await.unwrap_err();
    let told: Vec<_> = error.errors.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["plugin `Armed` panicked in a destructor after close: in pieces"]);
    assert_eq!(error.exit_code(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_step_whose_destructor_panics_is_a_failure() {
    #[derive(Flavor)]
    struct Explosive {
        init: Dep<ArmedInit>,
        owner: Dep<Owner>,
    }
    let builder = Agent::<Explosive>::builder();
    let stop = builder.stop_handle();
    let starting = tokio::spawn(builder.start());
    tokio::task::yield_now().await;
    stop.stop();
    let error = soon(starting).await.unwrap().unwrap_err();
    assert_eq!(error.errors[0].to_string(), "plugin `ArmedInit` panicked in init: in pieces");
    assert_eq!(error.exit_code(), 1);
}

/// Its destructor blocks its thread for a while, or panics.
#[plugin(no_lifecycle)]
#[derive(Default)]
struct Handle {
    armed: bool,
}
impl Drop for Handle {
    fn drop(&mut self) {
        assert!(!self.armed, "armed");
    }
}
#[plugin]
#[derive(Default)]
struct Heavy {
    weight: Duration,
}
impl Drop for Heavy {
    fn drop(&mut self) {
        std::thread::sleep(self.weight);
    }
}
impl Lifecycle for Heavy {}
#[derive(Flavor)]
struct Loaded {
    handle: Dep<Handle>,
    heavy: Dep<Heavy>,
}

#[tokio::test]
async fn destructors_have_a_limit_and_a_time_and_what_is_nobodys_is_the_flavors() {
    let weight = Duration::from_millis(30);
    let builder = Agent::<Loaded>::builder().limit("heavy", Phase::Close, Duration::from_millis(20));
    let agent = builder.with_new(Heavy { weight }).start().await.unwrap();
    let error = agent.close().await.unwrap_err();
    let text = error.errors[0].to_string();
    assert!(text.starts_with("plugin `Heavy` blocked its thread in a destructor after close for "), "{text}");
    assert!(text.ends_with(", over its limit of 20ms") && error.errors[0].elapsed >= weight, "{text}");
    assert_eq!((error.errors.len(), error.exit_code()), (1, 3));

    let agent = Agent::<Loaded>::builder().with(Handle { armed: true }).start().await.unwrap();
    let error = agent.close().await.unwrap_err();
    assert_eq!(error.errors[0].to_string(), "agent `Loaded` panicked in a destructor after close: armed");
    assert!(error.errors.len() == 1 && error.exit_code() == 3 && !error.errors[0].elapsed.is_zero());
}

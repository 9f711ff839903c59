//! Fields behind `#[cfg(..)]`, and attributes behind `#[cfg_attr(..)]`: in plugins of both styles, and in flavors.

#![allow(clippy::non_minimal_cfg, reason = "conditions that hold, and that do not, on every machine")]

use cninfra::{config::Config, prelude::*};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Size {
    size: u8,
}

#[plugin]
#[derive(Default)]
pub struct Store;

#[plugin]
pub struct Absent;

#[plugin(name = "cond")]
pub struct Conditional {
    #[cfg(any())]
    absent: Dep<Absent>,
    #[cfg(all())]
    store: Dep<Store>,
    #[cfg(any())]
    never: NoSuchType,
    #[cfg_attr(all(), default(3))]
    three: u8,
    #[cfg_attr(any(), default(nonsense))]
    zero: u8,
    #[cfg(all())]
    #[config]
    config: Size,
    #[cfg(all())]
    #[context]
    cx: Context,
}

impl Lifecycle for Conditional {
    async fn init(&self, cx: &Context) -> Result<()> {
        assert_eq!(cx.name(), "cond");
        Ok(())
    }
}

#[plugin(deps = (Store,))]
pub struct Listed {
    #[cfg(any())]
    absent: Dep<Absent>,
    #[cfg(all())]
    store: Dep<Store>,
}

impl Create for Listed {
    async fn create((store,): Self::Deps, _: &Context) -> Result<Self> {
        Ok(Listed { store })
    }
}

#[derive(Flavor)]
struct App {
    #[cfg(any())]
    absent: Dep<Absent>,
    store: Dep<Store>,
    #[cfg(all())]
    conditional: Dep<Conditional>,
    listed: Dep<Listed>,
}

const _: () = assert!(App::GRAPH.len() == 3 && App::GRAPH.before("Store", "Conditional"));

#[tokio::test]
async fn fields_that_are_not_there_are_not_injected() {
    let agent = Agent::<App>::builder().config(Config::new().set("cond", "size", 7)).start().await.unwrap();
    let plugin = &agent.conditional;
    assert!(Dep::ptr_eq(&plugin.store, &agent.listed.store));
    assert_eq!((plugin.three, plugin.zero, plugin.config.size, plugin.cx.name()), (3, 0, 7, "cond"));
    agent.close().await.unwrap();
}

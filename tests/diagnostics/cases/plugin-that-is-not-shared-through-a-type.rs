//! Whether a type of one's own is shared is not seen by its name: told on the field, and not again of each method that borrows the plugin.

use cninfra::prelude::*;

struct Local(*mut u8);
impl Default for Local {
    fn default() -> Self {
        Local(std::ptr::null_mut())
    }
}
#[derive(Default)]
struct Counter {
    hits: std::rc::Rc<u32>,
}

#[plugin]
struct Cache {
    local: Local,     //~ CN029
    counter: Counter, //~ CN029
}
impl Lifecycle for Cache {
    async fn init(&self, _: &Context) -> Result<()> {
        self.later().await
    }
    async fn after_init(&self, _: &Context) -> Result<()> {
        self.later().await?;
        drop(self.counter.hits.clone());
        Ok(())
    }
    async fn drain(&self, cx: &Context) -> Result<()> {
        cx.log().info("drain");
        Ok(())
    }
    async fn close(&self, _: &Context) -> Result<()> {
        Ok(())
    }
}
impl Cache {
    async fn later(&self) -> Result<()> {
        Ok(())
    }
}

#[plugin(deps = (Cache))]
struct Listed {
    local: Local, //~ CN029
}
impl Create for Listed {
    async fn create((_cache,): Self::Deps, _: &Context) -> Result<Self> {
        Ok(Listed { local: Local::default() })
    }
}
impl Lifecycle for Listed {
    async fn init(&self, _: &Context) -> Result<()> {
        Ok(())
    }
}

#[derive(Flavor)]
struct App {
    cache: Dep<Cache>,
    listed: Dep<Listed>,
}

fn main() -> std::process::ExitCode {
    Agent::<App>::main()
}

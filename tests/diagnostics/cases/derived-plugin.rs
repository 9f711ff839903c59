//! `#[derive(Plugin)]` is guessed: it says what to write, and nothing else errs for it.

use cninfra::prelude::*;

#[derive(Debug, Plugin)]
struct Cache { //~ CN010
    #[config]
    size: u32,
    #[context]
    log: Logger,
}
impl Lifecycle for Cache {
    async fn init(&self, _: &Context) -> Result<()> {
        self.log.info("here");
        Ok(())
    }
}

/// Both: the attribute holds.
#[derive(Plugin)]
#[plugin]
struct Clock { //~ CN010
    cache: Dep<Cache>,
}

/// In whatever order.
#[plugin]
#[derive(Clone, Plugin)]
struct Watch<T> { //~ CN010
    cache: Dep<Cache>,
    of: Option<Dep<T>>,
}
impl<T: Key + Send + Sync> Lifecycle for Watch<T> {}
#[plugin]
#[derive(Plugin)]
struct Later { //~ CN010
    #[cfg(all())]
    cache: Dep<Cache>,
}

/// Of the trait nothing is said.
fn any<P: Plugin>(_: Dep<P>) {}

#[derive(Flavor)]
struct App {
    cache: Dep<Cache>,
    clock: Dep<Clock>,
    watch: Dep<Watch<Clock>>,
    later: Dep<Later>,
}

async fn start(clock: Dep<Clock>) {
    any(clock);
    drop(Agent::<App>::start().await);
}

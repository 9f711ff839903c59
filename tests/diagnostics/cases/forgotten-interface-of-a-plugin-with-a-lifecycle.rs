//! The lifecycle's futures borrow a plugin that is not shared then. Of that nothing is said.
//@ repeated because the struct asks for the interface, as the plugin's constant does, in the same words

use cninfra::prelude::*;

trait Store {
    fn get(&self) -> u32;
}

#[plugin]
struct Reader {
    store: Dep<dyn Store>, //~ CN015
}
impl Lifecycle for Reader {
    async fn init(&self, _: &Context) -> Result<()> {
        let _ = self.store.get();
        Ok(())
    }
}

#[plugin]
struct All {
    maybe: Option<Dep<dyn Store>>, //~ CN015
    stores: Vec<Dep<dyn Store>>, //~ CN012
}
impl Lifecycle for All {
    async fn init(&self, _: &Context) -> Result<()> {
        let _ = self.maybe.as_ref().map(|store| store.get());
        Ok(())
    }
    async fn close(&self, _: &Context) -> Result<()> {
        let _ = self.stores.iter().map(|store| store.get()).sum::<u32>();
        Ok(())
    }
}

//! The two errors about the future are rustc's own: an `async fn` that borrows the plugin is `Send` only if the trait is `Sync`.
//@ lines: 17 because rustc tells of the borrow and of the bound of `Lifecycle::init`

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
        //~^ none none
        let _ = self.store.get();
        Ok(())
    }
}

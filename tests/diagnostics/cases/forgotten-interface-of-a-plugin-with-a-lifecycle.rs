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

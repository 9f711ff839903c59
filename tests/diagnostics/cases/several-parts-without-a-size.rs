//! Several in one field: each is told of, once.

use cninfra::prelude::*;
use std::marker::PhantomData;

#[interface]
trait Store {
    fn get(&self) -> u32;
}
#[derive(Qualifier)]
struct Backup;

#[plugin]
struct Reader {
    stores: (
        Vec<dyn Store>, //~ CN036
        Vec<str>, //~ CN036
    ),
    plain: (
        u8,
        str, //~ CN036
        dyn Store, //~ CN036
    ),
    both: (
        Option<dyn Store>, //~ CN036
        str, //~ CN036
    ),
}
impl Lifecycle for Reader {
    async fn init(&self, _: &Context) -> Result<()> {
        let _ = (&self.stores, &self.plain, &self.both);
        Ok(())
    }
}
#[plugin(no_lifecycle)]
struct Generic<T> {
    of: PhantomData<T>,
    stores: (
        Vec<dyn Store>, //~ CN036
        Vec<str>, //~ CN036
    ),
}
#[plugin]
struct Maybe {
    #[cfg(all())]
    stores: (
        Vec<dyn Store>, //~ CN036
        Vec<str>, //~ CN036
    ),
}

#[derive(Flavor)]
struct App {
    reader: Dep<Reader>,
    generic: Dep<Generic<Backup>>,
    maybe: Dep<Maybe>,
}
async fn start() {
    drop(Agent::<App>::start().await);
}

//! None of them hides another one.

use cninfra::prelude::*;
use std::{collections::HashMap, rc::Rc};

#[interface]
trait Store {
    fn get(&self) -> u32;
}
#[plugin]
#[derive(Default)]
struct Cache;
struct Other;
#[derive(Default, serde::Deserialize)]
struct ManyConfig {}

#[plugin(name = "Many", flag = 7)] //~ CN021 CN010
struct Many {
    cache: Cache,                       //~ CN033
    caches: HashMap<String, Dep<Cache>>, //~ CN033
    lent: &Cache,                       //~ CN010
    name: &'a str,                      //~ CN014
    stores: Vec<dyn Store>,             //~ CN036
    store: dyn Store,                   //~ CN036
    itself: Self,                       //~ CN033
    none: Dep<Other>,                   //~ CN006
    two: Dep<Cache, Cache>,             //~ CN010
    other: Other,                       //~ CN013
    shared: Rc<u8>,                     //~ CN029
    config: ManyConfig,                 //~ CN031
    #[defaul(7)] //~ CN010
    number: u32,
    #[default()] //~ CN010
    given: Other,
    #[context]
    context: u32, //~ CN027
}
impl Lifecycle for Many {
    async fn init(&self, _: &Context) -> Result<()> {
        let _ = (self.store.get(), &self.stores, &self.itself, self.lent);
        Ok(())
    }
}

/// Its section is known, though the field is refused.
#[plugin(flags = &[])]
struct Marked {
    #[config]
    config: &ManyConfig, //~ CN010
    other: Other, //~ CN013
}

#[derive(Flavor)]
struct App {
    many: Dep<Many>,
    marked: Dep<Marked>,
    cache: Dep<Cache>,
}
async fn start() {
    drop(Agent::<App>::start().await);
}

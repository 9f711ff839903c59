//! Types that rustc tells of wherever they are written: what a plugin's fields hold is written in one place.

use cninfra::prelude::*;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

trait Plain {}

#[plugin]
struct Reader {
    bare: Plain,                              //~ E0782
    boxed: Box<Plain>,                        //~ E0782
    pub shared: Arc<Plain>,                   //~ E0782
    within: Mutex<Option<Box<Plain>>>,        //~ E0782
    maybe: Option<Plain>,                     //~ E0782
    none: Option,                             //~ E0107
    several: Vec,                             //~ E0107
    map: HashMap<u8>,                         //~ E0107
    text: String<u8>,                         //~ E0107
    bytes: [u8; _],                           //~ E0121
    hook: Option<fn(_)>,                      //~ E0121
    made: Option<Box<dyn Fn() -> _ + Send>>,  //~ E0121
    given: Option<fn(impl Plain)>,            //~ E0562
    all: [impl Plain; 2],                     //~ E0562
    #[config]
    section: Plain,                           //~ E0782
    #[default(None)]
    other: Option<Plain>,                     //~ E0782
}
impl Lifecycle for Reader {
    async fn init(&self, _: &Context) -> Result<()> {
        let _ = (&self.bare, &self.boxed, &self.several, self.section.x);
        Ok(())
    }
}

#[plugin]
struct Maybe {
    #[cfg(all())]
    bare: Plain,           //~ E0782
    pub boxed: Box<Plain>, //~ E0782
    maybe: Option<Plain>,  //~ E0782
    none: Vec,             //~ E0107
    bytes: [u8; _],        //~ E0121
    #[cfg(any())]
    never: Box<Nothing>,
}
impl Lifecycle for Maybe {
    async fn init(&self, _: &Context) -> Result<()> {
        let _ = (&self.bare, &self.boxed);
        Ok(())
    }
}

#[plugin]
struct Of<T> {
    boxed: Box<Plain>, //~ E0782
    none: Option,      //~ E0107
    #[default(None)]
    one: Option<T>,
}
impl<T: Key + Send + Sync> Lifecycle for Of<T> {}

#[plugin(deps = (Reader,))]
struct Listed {
    boxed: Box<Plain>, //~ E0782
}
impl Create for Listed {
    async fn create((reader,): Self::Deps, _: &Context) -> Result<Self> {
        Ok(Listed { boxed: reader.boxed })
    }
}

#[derive(Flavor)]
struct App {
    reader: Dep<Reader>,
    maybe: Dep<Maybe>,
    of: Dep<Of<Reader>>,
    listed: Dep<Listed>,
}

async fn start() {
    drop(Agent::<App>::start().await);
}

//! What has no size can not be held: told once, and nothing of what follows from it.
//@ repeated because what derives write names the field's type, and rustc tells of it there in the same words

use cninfra::prelude::*;
use std::{
    collections::HashMap,
    ffi::CString,
    marker::PhantomData,
    path::Path,
    sync::{Arc, Mutex},
};

#[interface]
trait Store {
    fn get(&self) -> u32;
}

#[derive(Qualifier)]
struct Backup;

/// The only one of its fields: rustc would tell of it in each impl.
#[plugin]
struct Reader {
    store: dyn Store, //~ CN036
}
impl Lifecycle for Reader {
    async fn init(&self, _: &Context) -> Result<()> {
        let _ = self.store.get();
        Ok(())
    }
}

#[plugin]
struct Writer {
    stores: Vec<dyn Store>,        //~ CN036
    maybe: Option<dyn Store>,      //~ CN036
    hooks: Vec<dyn Fn() -> u8>,    //~ CN036
    locked: Mutex<dyn Store>,      //~ CN036
    name: str,                     //~ CN036
    names: HashMap<str, [u8]>,     //~ CN036
    #[config]
    section: str,                  //~ CN036
    #[default([1])]
    bytes: [u8],                   //~ CN036
    both: Dep<Vec<dyn Store>>,     //~ CN036
    #[dep]
    marked: Option<dyn Store>,     //~ CN036
    #[default(Arc::new(Mutex::new(7)))]
    right: Arc<Mutex<dyn std::any::Any + Send>>,
    right_too: (PhantomData<str>, PhantomData<dyn Store>, &'static str, Box<[u8]>, Vec<Box<dyn Store>>),
}

/// Others may be called so: which one it is, is asked.
#[plugin]
struct Files {
    path: Path,           //~ CN036
    name: std::ffi::OsStr, //~ CN036
    #[default(CString::default())]
    text: CString,
}
impl Lifecycle for Files {
    async fn init(&self, _: &Context) -> Result<()> {
        let _ = self.path.exists();
        Ok(())
    }
}

/// A derive could not take it out of the struct.
#[plugin]
struct Maybe {
    #[default(7)]
    other: u32,
    #[cfg(all())]
    store: dyn Store, //~ CN036
    #[cfg(all())]
    stores: Vec<dyn Store>, //~ CN036
    #[cfg(all())]
    both: Dep<Vec<dyn Store>>, //~ CN036
    #[cfg(all())]
    path: Path, //~ CN036
    #[cfg(any())]
    never: str,
}
#[plugin(no_lifecycle)]
struct Generic<T> {
    of: PhantomData<T>,
    #[cfg(all())]
    store: dyn Store, //~ CN036
    #[cfg(all())]
    stores: Vec<dyn Store>, //~ CN036
    #[cfg(all())]
    path: Path, //~ CN036
}
impl Lifecycle for Maybe {
    async fn init(&self, _: &Context) -> Result<()> {
        let _ = (self.other, self.store.get());
        Ok(())
    }
}

#[plugin(deps = (dyn Store))]
struct Listed {
    store: dyn Store, //~ CN036
}
impl Create for Listed {
    async fn create((store,): Self::Deps, _: &Context) -> Result<Self> {
        Ok(Listed { store })
    }
}

#[derive(Deps)]
struct Needs {
    reader: Dep<Reader>,
    store: dyn Store, //~ CN036
}
#[plugin(deps = Needs)]
struct Needing {
    store: Dep<dyn Store>,
}
impl Create for Needing {
    async fn create(needs: Self::Deps, _: &Context) -> Result<Self> {
        Ok(Needing { store: needs.store })
    }
}

/// Whether they have one is known to the compiler alone.
#[derive(Deps)]
struct Paths {
    reader: Dep<Reader>,
    path: Path, //~ CN010
}
#[derive(Deps)]
struct Locks {
    reader: Dep<Reader>,
    lock: Mutex<dyn Store>, //~ CN010
}
#[plugin(deps = Paths)]
struct WithPaths {
    reader: Dep<Reader>,
}
impl Create for WithPaths {
    async fn create(paths: Self::Deps, _: &Context) -> Result<Self> {
        Ok(WithPaths { reader: paths.reader })
    }
}

/// Not the last one: rustc tells of the struct, once.
#[derive(Deps)]
struct Others {
    stores: Vec<dyn Store>, //~ E0277
    reader: Dep<Reader>,
    other: Dep<Vec<str>>, //~ E0277
}

#[derive(Flavor)]
struct Bare {
    reader: Dep<Reader>,
    store: dyn Store, //~ CN007
}
#[derive(Flavor)]
struct Several {
    stores: Vec<dyn Store>, //~ E0277
    reader: Dep<Reader>,
}

#[derive(Flavor)]
struct App {
    reader: Dep<Reader>,
    writer: Dep<Writer>,
    listed: Dep<Listed>,
    needing: Dep<Needing>,
    files: Dep<Files>,
    maybe: Dep<Maybe>,
    generic: Dep<Generic<Backup>>,
    paths: Dep<WithPaths>,
}

async fn start() {
    drop(Agent::<App>::start().await);
}

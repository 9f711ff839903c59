//! What has no size can not be held: told once, and nothing of what follows from it.

use cninfra::prelude::*;
use std::{
    collections::HashMap,
    ffi::{CString, OsStr},
    marker::PhantomData,
    path::Path,
    sync::{Arc, Mutex},
};

#[interface]
trait Store {
    fn get(&self) -> u32;
}

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
    names: HashMap<str, [u8]>,     //~ CN036 CN036
    #[config]
    section: str,                  //~ CN036
    #[default([1])]
    bytes: [u8],                   //~ CN036
    right: Arc<Mutex<dyn Store>>,
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

/// In whatever they stand.
#[plugin]
pub struct Within {
    pub path: Path,                        //~ CN036
    maybe: Option<Path>,                   //~ CN036
    locked: std::sync::Mutex<Path>,        //~ CN036
    several: (u8, Vec<OsStr>),             //~ CN036
    #[config]
    section: Mutex<OsStr>,                 //~ CN036
    #[context]
    log: Path,                             //~ CN036
    #[dep]
    other: Option<Mutex<str>>,             //~ CN036
}
impl Lifecycle for Within {
    async fn init(&self, _: &Context) -> Result<()> {
        let _ = (self.path.exists(), self.maybe.is_some(), self.locked.lock());
        Ok(())
    }
}

/// Whatever the parameters are.
#[plugin]
struct Of<T> {
    path: Mutex<Path>,       //~ CN036
    hook: Vec<dyn Fn(T)>,    //~ CN036
    #[default(None)]
    one: Option<T>,
}
impl<T: Key + Send + Sync> Lifecycle for Of<T> {
    async fn init(&self, _: &Context) -> Result<()> {
        let _ = (self.path.lock(), self.hook.len());
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
    #[cfg(any())]
    never: str,
    #[cfg(all())]
    path: Path, //~ CN036
    locked: Mutex<Path>, //~ CN036
    #[cfg(any())]
    nowhere: Vec<Path>,
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

#[derive(Deps)]
struct Locks {
    reader: Dep<Reader>,
    path: Mutex<Path>, //~ CN036
}
#[plugin(deps = Locks)]
struct Locking {
    reader: Dep<Reader>,
}
impl Create for Locking {
    async fn create(locks: Self::Deps, _: &Context) -> Result<Self> {
        Ok(Locking { reader: locks.reader.clone() })
    }
}

/// Not the last one: rustc tells of the struct, once.
#[derive(Deps)]
struct Others {
    stores: Vec<dyn Store>, //~ E0277
    reader: Dep<Reader>,
}

#[derive(Flavor)]
struct Bare {
    reader: Dep<Reader>,
    store: dyn Store, //~ CN007
}

#[derive(Flavor)]
struct App {
    reader: Dep<Reader>,
    writer: Dep<Writer>,
    listed: Dep<Listed>,
    needing: Dep<Needing>,
    locking: Dep<Locking>,
    files: Dep<Files>,
    within: Dep<Within>,
    of: Dep<Of<Files>>,
    maybe: Dep<Maybe>,
}

async fn start() {
    drop(Agent::<App>::start().await);
}

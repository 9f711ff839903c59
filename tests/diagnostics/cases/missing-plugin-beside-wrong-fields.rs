//! What is wrong with a plugin's fields hides nothing of what its flavor lacks.

use cninfra::prelude::*;
use std::{collections::HashMap, path::Path, rc::Rc};

#[interface]
trait Store {
    fn get(&self) -> u32;
}
#[plugin]
struct Missing;
#[plugin]
#[derive(Default)]
struct Cache;

#[plugin]
struct Sizes {
    stores: Vec<dyn Store>, //~ CN036
    store: dyn Store,       //~ CN036
    path: Path,             //~ CN036
    missing: Dep<Missing>,
}
#[derive(Flavor)]
struct Sized {
    sizes: Dep<Sizes>, //~ CN001
}

#[plugin]
struct Holding {
    cache: Cache,                        //~ CN033
    boxed: Option<Box<Cache>>,           //~ CN033
    caches: HashMap<String, Dep<Cache>>, //~ CN033
    itself: Option<Self>,                //~ CN033
    deep: Option<Box<Self>>,             //~ CN033
    missing: Dep<Missing>,
}
#[derive(Flavor)]
struct Held {
    holding: Dep<Holding>, //~ CN001
}

#[plugin]
struct Local {
    counted: Rc<u8>, //~ CN029
    missing: Dep<Missing>,
}
#[derive(Flavor)]
struct Locals {
    local: Dep<Local>, //~ CN001
}

/// Not of the usual kind.
#[plugin(no_lifecycle)]
struct Unnamed(HashMap<u8, Dep<Cache>>, Dep<Missing>); //~ CN033
#[derive(Flavor)]
struct Others {
    unnamed: Dep<Unnamed>, //~ CN001
}

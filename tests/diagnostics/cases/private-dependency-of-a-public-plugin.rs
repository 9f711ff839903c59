//! rustc's to tell: on the dependency, or on the plugin, where it has several.

use cninfra::prelude::*;
use std::marker::PhantomData;

#[plugin]
struct Secret;
#[plugin]
pub struct Known;
#[interface]
trait Hidden {
    fn hide(&self);
}

#[plugin]
pub struct One {
    hits: u32,
    secret: Dep<Secret>, //~ E0446
}
#[plugin]
pub struct Several { //~ E0446 E0446
    known: Dep<Known>,
    secret: Dep<Secret>,
    hidden: Option<Dep<dyn Hidden>>,
}
#[plugin(no_lifecycle)]
pub struct Generic<T> {
    secret: Dep<Secret>, //~ E0446
    of: PhantomData<T>,
}
#[plugin(deps = (Secret))] //~ E0446
pub struct Listed;
impl Create for Listed {
    async fn create(_: Self::Deps, _: &Context) -> Result<Self> {
        Ok(Listed)
    }
}
#[plugin(deps = Needs)] //~ E0446
pub struct Needing;
impl Create for Needing {
    async fn create(_: Self::Deps, _: &Context) -> Result<Self> {
        Ok(Needing)
    }
}
#[derive(Deps)]
struct Needs {
    secret: Dep<Secret>,
}
#[derive(Deps)]
pub struct Set {
    secret: Dep<Secret>, //~ E0446
}
#[derive(Flavor)]
pub struct App {
    secret: Dep<Secret>, //~ E0446
}
/// The plugin is as private as what it depends on.
#[plugin]
pub(crate) struct Right {
    known: Dep<Known>,
    secret: Dep<Secret>,
}

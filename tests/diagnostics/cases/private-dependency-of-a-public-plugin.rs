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

/// Nothing of what is asked of types that are called as std's is in the way of any of this.
mod named {
    use super::{Dep, Hidden, Secret};
    use cninfra::prelude::*;
    use own::{Vec, VecDeque};

    mod own {
        use cninfra::prelude::*;
        use std::marker::PhantomData;

        pub struct Vec<T: ?Sized>(PhantomData<fn(&T)>);
        impl<T: ?Sized> Default for Vec<T> {
            fn default() -> Self {
                Vec(PhantomData)
            }
        }
        #[plugin(no_lifecycle)]
        pub struct VecDeque<T: ?Sized> {
            of: PhantomData<fn(&T)>,
        }
    }
    #[interface]
    pub trait Shown {
        fn show(&self);
    }

    #[plugin]
    pub struct Open {
        hidden: Vec<dyn Hidden>,
        secrets: Vec<[Secret]>,
        queue: Dep<VecDeque<dyn Shown>>,
    }
    #[derive(Deps)]
    pub struct Set {
        queue: Dep<VecDeque<dyn Shown>>,
    }
    #[derive(Flavor)]
    pub struct Queues {
        queue: Dep<VecDeque<dyn Shown>>,
    }
    #[plugin]
    pub(super) struct Closed {
        queue: Dep<VecDeque<dyn Hidden>>,
    }
}

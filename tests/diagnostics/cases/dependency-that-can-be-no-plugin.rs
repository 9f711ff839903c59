//! What is no struct of the user's is not to get `#[plugin]`: it is held, or asked for, in another way.
use cninfra::prelude::*;

#[plugin]
struct Clock;
#[derive(Flavor)]
struct Base {
    clock: Dep<Clock>,
}

/// No view, but called so.
struct Kv;

#[plugin]
struct Api {
    name: Dep<String>, //~ CN006
    names: Option<Dep<Vec<String>>>, //~ CN006
    keys: Dep<Kv>, //~ CN006
    log: Dep<Logger>, //~ CN006
    base: Dep<Base>, //~ CN006
}
#[plugin(deps = (u16, cninfra::Context, Base))] //~ CN006 CN006 CN006
struct Web;
impl Create for Web {
    async fn create(_: Self::Deps, _: &Context) -> Result<Self> {
        Ok(Web)
    }
}
#[derive(Flavor)]
struct App {
    name: Dep<String>, //~ CN006
    base: Dep<Base>, //~ CN006
}

/// A plugin may be called so.
mod own {
    use cninfra::prelude::*;

    #[plugin]
    pub struct Kv;
    #[plugin]
    pub struct Mutex<T> {
        of: std::marker::PhantomData<T>,
    }
    impl<T: Key> Lifecycle for Mutex<T> {}
    #[plugin]
    pub struct Users {
        kv: Dep<Kv>,
        mutex: Dep<Mutex<Kv>>,
        both: Dep<Mutex<String>>, //~ CN006
    }
}

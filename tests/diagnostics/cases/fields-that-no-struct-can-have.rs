//! rustc's to tell, of the struct alone.
use cninfra::prelude::*;

#[plugin]
struct Clock {
    hits: u32,
    hits: u32, //~ E0124
}

#[plugin]
struct Store {
    clock: Dep<Clock>,
    of: Box<impl Send>, //~ E0562
}

#[plugin]
struct Unknown {
    clock: Dep<_>, //~ E0121
    other: _,      //~ E0121
}

/// rustc would say so in four ways: ours to tell.
#[plugin]
struct Itself {
    itself: Itself, //~ CN033
    again: Self,    //~ CN033
}
impl Lifecycle for Itself {
    async fn init(&self, _: &Context) -> Result<()> {
        let _ = &self.itself;
        Ok(())
    }
}

#[derive(Deps)]
struct Needs {
    clock: Dep<Clock>,
    clock: Dep<Clock>, //~ E0124
}

#[plugin(deps = (impl Send, Clock))] //~ CN010
struct Listed;
impl Create for Listed {
    async fn create(_: Self::Deps, _: &Context) -> Result<Self> {
        Ok(Listed)
    }
}

#[derive(Flavor)]
struct App {
    clock: Dep<Clock>,
    clock: Dep<Clock>, //~ E0124
    store: Dep<Store>,
    unknown: Dep<Unknown>,
    itself: Dep<Itself>,
}

#[derive(Flavor)]
struct Other {
    clock: Dep<Clock>,
    any: impl Send, //~ E0562
}

fn main() -> std::process::ExitCode {
    Agent::<App>::main()
}

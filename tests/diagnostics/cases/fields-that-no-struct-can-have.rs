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
}

#[derive(Flavor)]
struct Other {
    clock: Dep<Clock>,
    any: impl Send, //~ E0562
}

fn main() -> std::process::ExitCode {
    Agent::<App>::main()
}

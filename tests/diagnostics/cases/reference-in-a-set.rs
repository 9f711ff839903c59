//! rustc's to tell, of the struct alone.
//@ lines: 13 because rustc shows where to declare the lifetime

use cninfra::prelude::*;

#[plugin]
struct Clock;

#[derive(Deps)]
struct Needs {
    clock: &Clock,              //~ E0106
    other: Dep<&Clock>,         //~ E0106
    last: Option<Dep<&Clock>>,  //~ E0106
}
#[plugin(deps = Needs)]
struct Reader {
    #[cfg(all())]
    clock: &Clock,              //~ CN010
    #[cfg(any())]
    other: &Clock,
}
impl Create for Reader {
    async fn create(needs: Self::Deps, _: &Context) -> Result<Self> {
        Ok(Reader { clock: needs.clock })
    }
}

#[derive(Flavor)]
struct App {
    clock: Dep<Clock>,
    reader: Dep<Reader>,
}

async fn start() {
    drop(Agent::<App>::start().await);
}

//! rustc's to tell, as of any struct, once where it is written.
//@ lines: 15 because rustc shows the struct, and what to write
//@ repeated because rustc tells of it in each item that it is written in: cargo and rust-analyzer show what is word for word the same once
use cninfra::prelude::*;
use std::marker::PhantomData;

#[derive(Qualifier)]
struct Role;

#[plugin(no_lifecycle)]
struct Store<R> {
    role: PhantomData<R>,
}

#[plugin]
struct Plain;

#[plugin]
struct Reader {
    store: Dep<Store>, //~ E0107
    plain: Option<Dep<Plain<u8>>>, //~ E0107
}

#[plugin(deps = (Store, Plain<Role>))] //~ E0107 E0107
struct Listed;
impl Create for Listed {
    async fn create(_: Self::Deps, _: &Context) -> Result<Self> {
        Ok(Listed)
    }
}

#[derive(Flavor)]
struct App {
    store: Dep<Store>, //~ E0107
    plain: Dep<Plain<Role>>, //~ E0107
    reader: Dep<Reader>,
    listed: Dep<Listed>,
}

fn main() -> std::process::ExitCode {
    Agent::<App>::main()
}

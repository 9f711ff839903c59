//! rustc's to tell, as of any struct, once where it is written: also where a plugin is filled in, listed, or made of a set, and where others depend on it.
//@ lines: 21 because rustc shows what has the trait, what has it not, and the bound
//@ repeated because rustc tells of it in each item that it is written in: cargo and rust-analyzer show what is word for word the same once
use cninfra::prelude::*;
use std::marker::PhantomData;

trait Codec {}

#[derive(Qualifier)]
struct Json;
impl Codec for Json {}

#[derive(Qualifier)]
struct Plain;

#[plugin(no_lifecycle)]
struct Topic<C: Codec> {
    codec: PhantomData<C>,
}

#[plugin]
struct Reader {
    json: Dep<Topic<Json>>,
    topic: Dep<Topic<Plain>>, //~ E0277
}

#[plugin(no_lifecycle)]
struct Maybe(Option<Dep<Topic<Plain>>>); //~ E0277

#[derive(Deps)]
struct Needs {
    topic: Dep<Topic<Plain>>, //~ E0277
}

#[plugin(deps = Needs)]
struct Made;
impl Create for Made {
    async fn create(_: Self::Deps, _: &Context) -> Result<Self> {
        Ok(Made)
    }
}

#[plugin(deps = (Topic<Plain>))] //~ E0277
struct Listed;
impl Create for Listed {
    async fn create(_: Self::Deps, _: &Context) -> Result<Self> {
        Ok(Listed)
    }
}

#[plugin]
struct Above {
    reader: Dep<Reader>,
    maybe: Dep<Maybe>,
    made: Dep<Made>,
    listed: Dep<Listed>,
}
impl Lifecycle for Above {
    async fn init(&self, _: &Context) -> Result<()> {
        drop((&self.reader, &self.maybe));
        Ok(())
    }
}

#[derive(Flavor)]
struct Topics {
    json: Dep<Topic<Json>>,
    plain: Dep<Topic<Plain>>, //~ E0277
}

#[derive(Flavor)]
struct App {
    topics: Topics,
    reader: Dep<Reader>,
    maybe: Dep<Maybe>,
    made: Dep<Made>,
    listed: Dep<Listed>,
    above: Dep<Above>,
}

fn main() -> std::process::ExitCode {
    Agent::<App>::main()
}

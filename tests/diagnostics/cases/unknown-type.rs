//! A name that is not there is rustc's to tell, and once, though what is generated names it too.

use cninfra::prelude::*;
use std::marker::PhantomData;

mod parts {
    use cninfra::prelude::*;

    #[plugin]
    pub struct Clock;
}

#[plugin]
struct Field {
    plugin: Dep<Misspelled>,           //~ E0425
    optional: Option<Dep<Misspelled>>, //~ E0425
    interface: Dep<dyn Misspelled>,    //~ E0405
    all: Vec<Dep<dyn Misspelled>>,     //~ E0405
    generic: Dep<Misspelled<u8>>,      //~ E0425
    forgotten: Dep<Clock>,             //~ E0425
    module: Dep<prats::Clock>,         //~ E0433
    value: Misspelled,                 //~ E0425
}

#[plugin]
struct Unnamed(Dep<Misspelled>); //~ E0425

#[plugin]
struct Conditional {
    #[cfg(not(test))]
    plugin: Dep<Misspelled>, //~ E0425
}

#[plugin(no_lifecycle)]
struct Generic<R> {
    plugin: Dep<Misspelled>, //~ E0425
    role: PhantomData<R>,
}

#[plugin(deps = (Misspelled, Option<Misspelled>, dyn Misspelled), no_lifecycle)] //~ E0425 E0425 E0405
struct Listed;
impl Create for Listed {
    async fn create(_: Self::Deps, _: &Context) -> Result<Self> {
        Ok(Listed)
    }
}

#[derive(Deps)]
struct Named {
    plugin: Dep<Misspelled>,           //~ E0425
    optional: Option<Dep<Misspelled>>, //~ E0425
}
#[plugin(deps = Named)]
struct OfNamed;
impl Create for OfNamed {
    async fn create(_: Self::Deps, _: &Context) -> Result<Self> {
        Ok(OfNamed)
    }
}

#[derive(Flavor)]
struct App {
    plugin: Dep<Misspelled>,           //~ E0425
    optional: Option<Dep<Misspelled>>, //~ E0425
    flavor: Misspelled,                //~ E0425
    letter: R,                         //~ E0425
    forgotten: Dep<Clock>,             //~ E0425
    role: Dep<Generic<Misspelled>>,    //~ E0425
    #[provides(dyn Misspelled)] //~ E0405
    provider: Dep<Misspelled>,         //~ E0425
    field: Dep<Field>,
}

#[derive(Flavor)]
struct OfRole<R> {
    plugin: Dep<Misspelled>, //~ E0425
    flavor: Misspelled<R>,   //~ E0425
    role: Dep<Generic<R>>,
}

#[derive(Flavor)]
struct Wide {
    a: Dep<Misspelled>, //~ E0425
    b: Misspelled,      //~ E0425
    c: Dep<parts::Clock>,
    d: Dep<Field>,
    e: Dep<Unnamed>,
    f: Dep<Conditional>,
    g: Dep<Listed>,
    h: Dep<OfNamed>,
    i: Dep<Generic<parts::Clock>>,
    j: Dep<Generic<Field>>,
    k: Dep<Generic<Listed>>,
    l: Dep<Generic<OfNamed>>,
    m: Dep<Misspelled>, //~ E0425
}

fn main() -> std::process::ExitCode {
    Agent::<App>::main()
}

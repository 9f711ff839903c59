//! A plugin that says it has no lifecycle, and has one for some of its parameters. Which it has in a flavor is not known here, but that it would never run.
use cninfra::prelude::*;
use std::marker::PhantomData;

#[derive(Clone, Qualifier)]
pub struct Primary;
pub trait Role {}

#[plugin(no_lifecycle)] //~ E0119
pub struct One<T> {
    of: PhantomData<T>,
}
impl Lifecycle for One<Primary> {
    async fn init(&self, _: &Context) -> Result<()> {
        Ok(())
    }
}

#[plugin(no_lifecycle)] //~ E0119
pub struct Bounded<T> {
    of: PhantomData<T>,
}
impl<T: Role + Key> Lifecycle for Bounded<T> {}

#[plugin(no_lifecycle)] //~ E0119
pub struct Where<T, U = Primary>
where
    U: Clone,
{
    of: PhantomData<(T, U)>,
}
impl<T, U: Clone> Lifecycle for Where<T, U> where T: Role {}

#[plugin(deps = (), no_lifecycle)] //~ E0119
pub struct Listed<T>(PhantomData<T>);
impl<T: Key> Create for Listed<T> {
    async fn create((): Self::Deps, _: &Context) -> Result<Self> {
        Ok(Listed(PhantomData))
    }
}
impl Lifecycle for Listed<One<Primary>> {}

/// Of all parameters it is told in our words, and once.
#[plugin(no_lifecycle)] //~ CN034
pub struct All<T> {
    of: PhantomData<T>,
}
impl<T: Key> Lifecycle for All<T> {}

/// It has none, whatever its parameter has.
#[plugin(no_lifecycle)]
pub struct None<T> {
    of: PhantomData<T>,
}

#[derive(Flavor)]
pub struct App {
    one: Dep<One<Primary>>,
    bounded: Dep<Bounded<Primary>>,
    listed: Dep<Listed<Primary>>,
    all: Dep<All<Primary>>,
    none: Dep<None<One<Primary>>>,
}

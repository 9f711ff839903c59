//! A plugin that has a lifecycle, and says that it has none.
use cninfra::prelude::*;

#[plugin(no_lifecycle)] //~ CN034
pub struct Idle;
impl Lifecycle for Idle {
    async fn init(&self, _: &Context) -> Result<()> {
        Ok(())
    }
}

/// It is not needed here, but true.
#[plugin(no_lifecycle)]
pub struct Bare;

#[plugin(no_lifecycle)] //~ CN034
pub struct Generic<T> {
    of: std::marker::PhantomData<T>,
}
impl<T: Key + Send + Sync> Lifecycle for Generic<T> {}

/// Its lifecycle is there for some parameters only.
#[plugin(no_lifecycle)] //~ E0119
pub struct Some<T> {
    of: std::marker::PhantomData<T>,
}
pub trait Role {}
impl<T: Role + Key + Send + Sync> Lifecycle for Some<T> {}

#[derive(Flavor)]
pub struct App {
    idle: Dep<Idle>,
    bare: Dep<Bare>,
    generic: Dep<Generic<Bare>>,
    some: Dep<Some<Bare>>,
}

fn main() -> std::process::ExitCode {
    Agent::<App>::main()
}

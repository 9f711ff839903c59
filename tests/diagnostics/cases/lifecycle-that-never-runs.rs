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

#[derive(Flavor)]
pub struct App {
    idle: Dep<Idle>,
    bare: Dep<Bare>,
}

fn main() -> std::process::ExitCode {
    Agent::<App>::main()
}

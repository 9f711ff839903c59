use cninfra::prelude::*;

#[plugin(deps(fixture_base::Journal))] //~ CN010
struct Base;
impl Create for Base {
    async fn create((journal,): Self::Deps, _: &Context) -> Result<Self> {
        let _ = journal;
        Ok(Base)
    }
}
#[plugin]
struct A {
    base: Dep<Base>,
}
#[plugin]
struct B {
    base: Dep<Base>,
}

#[derive(Flavor)]
struct All {
    local: fixture_base::Local,
    base: Dep<Base>,
    a: Dep<A>,
    b: Dep<B>,
}

async fn go() {
    let _ = Agent::<All>::start().await;
}

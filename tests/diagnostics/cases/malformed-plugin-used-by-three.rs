use cninfra::prelude::*;

#[plugin(nme = "base")] //~ CN010
struct Base {
    journal: Dep<fixture_base::Journal>,
}
#[plugin]
struct A {
    base: Dep<Base>,
}
#[plugin]
struct B {
    base: Option<Dep<Base>>,
}
#[plugin(deps = (Base))]
struct C;
impl Create for C {
    async fn create(_: Self::Deps, _: &Context) -> Result<Self> {
        Ok(C)
    }
}

#[derive(Flavor)]
struct All {
    local: fixture_base::Local,
    base: Dep<Base>,
    a: Dep<A>,
    b: Dep<B>,
    c: Dep<C>,
}

async fn go() {
    let _ = Agent::<All>::start().await;
}

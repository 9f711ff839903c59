use cninfra::prelude::*;

#[derive(Deps)]
#[deps(crat = cninfra)] //~ CN010
struct Needs {
    journal: Dep<fixture_base::Journal>,
}
#[plugin(deps = Needs)]
struct A;
#[plugin(deps = Needs)]
struct B;
#[plugin(deps = Needs)]
struct C;
impl Create for A {
    async fn create(_: Self::Deps, _: &Context) -> Result<Self> {
        Ok(A)
    }
}
impl Create for B {
    async fn create(_: Self::Deps, _: &Context) -> Result<Self> {
        Ok(B)
    }
}
impl Create for C {
    async fn create(_: Self::Deps, _: &Context) -> Result<Self> {
        Ok(C)
    }
}

#[derive(Flavor)]
struct All {
    a: Dep<A>,
    b: Dep<B>,
    c: Dep<C>,
    local: fixture_base::Local,
}

async fn go() {
    let _ = Agent::<All>::start().await;
}

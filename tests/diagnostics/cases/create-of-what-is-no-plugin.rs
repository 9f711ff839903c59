use cninfra::prelude::*;

#[plugin]
struct Store;

struct A {
    store: Dep<Store>,
}
impl Create for A {
    async fn create((store,): Self::Deps, _: &Context) -> Result<Self> { //~ CN006
        Ok(A { store })
    }
}

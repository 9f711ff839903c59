//! What `create` takes is compared to what is listed by rustc, also where nothing is.
//@ lines: 13 because rustc suggests another type for the argument
use cninfra::prelude::*;

#[plugin]
struct Store;

#[plugin(deps = (Store))]
struct Listed {
    store: Dep<Store>,
}
impl Create for Listed {
    async fn create(store: Dep<Store>, _: &Context) -> Result<Self> { //~ E0053
        Ok(Listed { store })
    }
}

struct Nothing;
impl Create for Nothing {
    async fn create(_: (), _: &Context) -> Result<Self> { //~ E0053
        Ok(Nothing)
    }
}

//! `Create` would never be called: the attribute fills the fields.
//@ lines: 17 because `Create: Lists` is a supertrait, for `Self::Deps` in its impls: rustc shows the bound
//@ elsewhere: CN006 because rustc reads `Self::Deps` in the trait's own signature, too
use cninfra::prelude::*;

#[plugin]
struct Counter {
    from: u32,
}
impl Create for Counter { //~ CN006
    async fn create(_: (), _: &Context) -> Result<Self> { //~ CN006
        Ok(Counter { from: 1 })
    }
}

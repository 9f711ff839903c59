//! `Create` would never be called: the attribute fills the fields.
use cninfra::prelude::*;

#[plugin]
struct Counter {
    from: u32,
}
impl Create for Counter {
    async fn create(_: Self::Deps, _: &Context) -> Result<Self> { //~ CN006
        Ok(Counter { from: 1 })
    }
}

use cninfra::prelude::*;

struct Needs {
    journal: Dep<fixture_base::Journal>,
}
#[plugin(deps = Needs)] //~ CN010
struct A;
impl Create for A {
    async fn create(_: Self::Deps, _: &Context) -> Result<Self> {
        Ok(A)
    }
}

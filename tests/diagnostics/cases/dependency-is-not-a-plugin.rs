use cninfra::prelude::*;

struct Settings;

#[plugin]
struct A {
    journal: Dep<fixture_base::Journal>,
    settings: Dep<Settings>, //~ CN006
}
#[plugin(deps = (fixture_base::Journal, Settings))] //~ CN006
struct B;
impl Create for B {
    async fn create(_: Self::Deps, _: &Context) -> Result<Self> {
        Ok(B)
    }
}

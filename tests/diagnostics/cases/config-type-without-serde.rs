use cninfra::prelude::*;

#[derive(Default)]
struct Settings {
    port: u16,
}

#[plugin]
struct A {
    #[config]
    settings: Settings, //~ CN026
}
#[plugin(deps = (), config = Settings)] //~ CN026
struct B;
impl Create for B {
    async fn create(_: Self::Deps, _: &Context) -> Result<Self> {
        Ok(B)
    }
}

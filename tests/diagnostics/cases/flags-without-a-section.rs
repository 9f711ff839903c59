use cninfra::prelude::*;

const FLAGS: &[Flag] = &[Flag::new("port", "port").env("PORT").help("the port")];

#[plugin(flags = FLAGS)] //~ CN030
struct Http {
    port: u16,
}
#[plugin(deps = (Http), flags = FLAGS)] //~ CN030
struct Listed;
impl Create for Listed {
    async fn create(_: Self::Deps, _: &Context) -> Result<Self> {
        Ok(Listed)
    }
}
#[derive(Flavor)]
struct App { //~ CN025
    http: Dep<Http>,
    listed: Dep<Listed>,
}
async fn start() {
    drop(Agent::<App>::start().await);
}

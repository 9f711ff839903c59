use cninfra::prelude::*;

struct Settings;
trait Store {}
#[plugin]
struct Api;
#[derive(Flavor)]
struct App {
    api: Dep<Api>,
}

async fn find(agent: Agent<App>) {
    drop(agent.find::<Settings>()); //~ CN006
    drop(agent.find::<dyn Store>()); //~ CN006
    drop(agent.find::<Dep<Api>>()); //~ CN006
    let _: Option<Dep<Api>> = agent.find();
}

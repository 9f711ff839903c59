use cninfra::prelude::*;

#[plugin]
struct A;

struct App {
    a: Dep<A>,
}

async fn start() {
    drop(Agent::<App>::start().await); //~ CN019
}
fn of_a_plugin() -> std::process::ExitCode {
    Agent::<A>::main() //~ CN019
}

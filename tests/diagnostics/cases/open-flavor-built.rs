use cninfra::prelude::*;

#[plugin]
struct A {
    journal: Dep<fixture_base::Journal>,
}

#[derive(Flavor)]
#[flavor(open)]
struct Part {
    a: Dep<A>,
}

async fn go() {
    let _ = Agent::<Part>::builder().label("a").start().await; //~ CN019
}
fn run() -> std::process::ExitCode {
    Agent::<Part>::main() //~ CN019
}

use cninfra::prelude::*;

#[plugin]
struct Clock;

#[derive(Flavor)]
#[derive(Flavor)] //~ CN010
struct App {
    clock: Dep<Clock>,
}

fn main() -> std::process::ExitCode {
    Agent::<App>::main()
}

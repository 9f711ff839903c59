//! In any order: who comes first sees the other.
use cninfra::prelude::*;

#[plugin]
struct Clock;

#[plugin]
#[derive(Flavor)] //~ CN010
struct App {
    clock: Dep<Clock>,
}

#[derive(Flavor)]
#[plugin]
struct Other { //~ CN010
    clock: Dep<Clock>,
}

fn main() -> std::process::ExitCode {
    drop(Agent::<Other>::builder());
    Agent::<App>::main()
}

//! One mistake, told where it is seen: see ARCHITECTURE.
use cninfra::prelude::*;

struct Store;

#[plugin]
struct Api {
    store: Dep<Store>, //~ CN006
}
#[plugin]
struct Web {
    store: Dep<Store>, //~ CN006
}
#[derive(Flavor)]
struct App {
    api: Dep<Api>,
    web: Dep<Web>,
}

fn main() -> std::process::ExitCode {
    Agent::<App>::main()
}

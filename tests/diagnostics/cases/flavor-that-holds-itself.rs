//! A flavor that contains itself is rustc's to tell, where it stands: nothing more is said of it, nor of what asks for it.
use cninfra::prelude::*;

#[plugin]
struct Log {}

#[derive(Flavor)]
struct App { //~ E0072
    app: App,
    log: Dep<Log>,
}
const _: () = assert!(App::GRAPH.names().is_empty());

#[derive(Flavor)]
struct Last { //~ E0072
    last: Last,
}

fn of_itself() -> std::process::ExitCode {
    Agent::<App>::main()
}
fn of_itself_at_its_end() -> std::process::ExitCode {
    Agent::<Last>::main()
}

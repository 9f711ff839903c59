//! Where a field is there by condition, all are asked all the same.
use cninfra::prelude::*;

#[derive(Default)]
struct Hidden(std::cell::Cell<u8>);

#[plugin]
struct Counter {
    #[cfg(all())]
    hits: u32,
    held: std::rc::Rc<u32>, //~ CN029
    hidden: Hidden,         //~ CN029
}

#[derive(Flavor)]
struct App {
    counter: Dep<Counter>,
}

fn main() -> std::process::ExitCode {
    Agent::<App>::main()
}

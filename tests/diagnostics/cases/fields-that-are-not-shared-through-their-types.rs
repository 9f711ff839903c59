//! Whether a type of one's own is shared is not seen by its name. Each such field is told of.
use cninfra::prelude::*;

struct Local(*mut u8);
impl Default for Local {
    fn default() -> Self {
        Local(std::ptr::null_mut())
    }
}
#[derive(Default)]
struct Counter {
    hits: std::rc::Rc<u32>,
}

#[plugin]
struct Cache {
    local: Local,     //~ CN029
    counter: Counter, //~ CN029
}

#[derive(Flavor)]
struct App {
    cache: Dep<Cache>,
}

fn main() -> std::process::ExitCode {
    Agent::<App>::main()
}

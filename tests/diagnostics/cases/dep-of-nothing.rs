use cninfra::prelude::*;

#[plugin]
struct Clock;

#[interface]
trait Store {
    fn get(&self) -> u32;
}

#[plugin]
struct Reader {
    nothing: Dep,            //~ CN010
    empty: Dep<>,            //~ CN010
    two: Dep<Clock, Clock>,  //~ CN010
    optional: Option<Dep>,   //~ CN010
    several: Vec<Dep>,       //~ CN010
    some: Dep<impl Store>,   //~ CN010
}
impl Reader {
    fn read(&self) -> u32 {
        self.some.get() + self.nothing.get()
    }
}

#[derive(Flavor)]
struct App {
    reader: Dep<Reader>,
}

fn main() -> std::process::ExitCode {
    Agent::<App>::main()
}

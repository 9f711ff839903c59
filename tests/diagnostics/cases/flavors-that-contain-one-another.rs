//! rustc tells of the structs, and we of the mend, once. Of what uses them nothing is said. (Where the last field leads round, rustc says beside that it finds no end, as it
//! does of any trait of such a struct.)
//@ lines: 30 because rustc shows each of the structs, and what it would write
use cninfra::prelude::*;

#[plugin]
struct Log;

#[derive(Flavor)]
struct App { //~ E0072
    inner: Inner, //~ CN007
    log: Dep<Log>,
}
#[derive(Flavor)]
struct Inner {
    app: App,
    log: Dep<Log>,
}
const _: () = assert!(App::GRAPH.names().len() == 1);
const _: () = assert!(Inner::GRAPH.names().len() == 1);

fn app() -> std::process::ExitCode {
    Agent::<App>::main()
}
fn inner() -> std::process::ExitCode {
    Agent::<Inner>::main()
}

mod three {
    use cninfra::prelude::*;

    #[plugin]
    struct Log;

    #[derive(Flavor)]
    struct A { //~ E0072
        b: B,
        log: Dep<Log>,
    }
    #[derive(Flavor)]
    struct B {
        c: C, //~ CN007
        log: Dep<Log>,
    }
    #[derive(Flavor)]
    struct C {
        a: A,
        log: Dep<Log>,
    }
    #[derive(Flavor)]
    struct Around {
        a: A,
        b: B,
        log: Dep<Log>,
    }
    fn around() -> std::process::ExitCode {
        Agent::<Around>::main()
    }
}

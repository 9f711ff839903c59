//! rustc's to tell, and once.
use cninfra::prelude::*;

#[plugin]
struct Clock;

#[derive(Flavor, Flavor)] //~ E0119
struct App {
    clock: Dep<Clock>,
}

#[plugin(no_lifecycle)]
struct Role<R>(std::marker::PhantomData<R>);
#[derive(Flavor, Clone, Flavor)] //~ E0119
struct Of<R> {
    role: Dep<Role<R>>,
}

#[derive(Flavor, Flavor)] //~ E0119
#[flavor(open)]
struct Open {
    clock: Dep<Clock>,
}

#[derive(Qualifier, Qualifier)] //~ E0119
struct Backup;

#[derive(Deps, Deps)] //~ E0119
struct Needs {
    clock: Dep<Clock>,
}

fn main() -> std::process::ExitCode {
    Agent::<App>::main()
}

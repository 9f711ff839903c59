use cninfra::prelude::*;
use fixture_base::Routes;

#[plugin]
struct A;
#[plugin]
struct B;
#[plugin]
struct App {
    routes: Dep<dyn Routes>,
}
impl Routes for A {
    fn routes(&self) -> Vec<String> {
        vec![]
    }
}
impl Routes for B {
    fn routes(&self) -> Vec<String> {
        vec![]
    }
}

#[derive(Flavor)]
struct All {
    #[provides(dyn Routes)]
    a: Dep<A>,
    #[provides(dyn Routes)]
    b: Dep<B>,
    app: Dep<App>, //~ CN017
}

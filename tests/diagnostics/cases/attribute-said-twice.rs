use cninfra::prelude::*;

#[plugin]
#[plugin(name = "a")] //~ CN010
struct A;

#[interface]
#[cninfra::interface(many)] //~ CN010
trait B {
    fn b(&self);
}

#[derive(Flavor)]
struct App {
    a: Dep<A>,
}

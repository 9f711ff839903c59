//! What stands for a parameter of a flavor is a part of its identity: a flavor that does is to have one.
use cninfra::prelude::*;

#[plugin]
struct Clock;
#[derive(Flavor)]
struct Base {
    clock: Dep<Clock>,
}
#[derive(Flavor)]
struct Around<F> {
    inner: F,
}
cninfra::check_flavor!(Around<Base>); //~ CN019

#[derive(Flavor)]
struct App {
    around: Around<Base>, //~ CN007
}
async fn start() {
    drop(Agent::<Around<Base>>::start().await); //~ CN019
}

/// As it should be.
#[derive(Flavor, Qualifier)]
struct Marked {
    clock: Dep<Clock>,
}
#[derive(Flavor)]
struct Right {
    around: Around<Marked>,
}
cninfra::check_flavor!(Around<Marked>);
async fn start_right() {
    drop(Agent::<Right>::start().await);
}

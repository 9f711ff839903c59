use cninfra::prelude::*;

#[plugin]
struct A {
    journal: Dep<fixture_base::Journal>,
}

#[derive(Flavor)]
#[flavor(open)]
struct Part {
    a: Dep<A>,
}

async fn go() {
    let _ = Agent::<Part>::start().await; //~ CN019
}

use cninfra::prelude::*;

mod one {
    #[cninfra::plugin(id = "one", name = "one")]
    pub struct A;
}
mod two {
    #[cninfra::plugin(id = "two", name = "two")]
    pub struct A;
}

#[derive(Flavor)]
struct All {
    one: Dep<one::A>,
    two: Dep<two::A>,
}

const _: usize = All::GRAPH.position("A"); //~ CN024

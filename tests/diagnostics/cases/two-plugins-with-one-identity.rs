use cninfra::prelude::*;

mod one {
    #[cninfra::plugin]
    pub struct A;
}
mod two {
    #[cninfra::plugin]
    pub struct A;
}

#[derive(Flavor)]
struct All {
    one: Dep<one::A>,
    two: Dep<two::A>, //~ CN016
}

use cninfra::prelude::*;

// by itself no mistake: a plugin's parts may be lifecycles too
struct A;
impl Lifecycle for A {}

#[derive(Flavor)]
struct All {
    a: Dep<A>, //~ CN006
}

use cninfra::prelude::*;

struct Settings;

#[plugin(dep = (A), name = "A B", alias = 7, no_lifecycle())] //~ CN010 CN021 CN010 CN010
struct A<'a> { //~ CN014
    #[config] //~ CN010
    settings: Dep<Settings>,
    #[default] //~ CN010
    name: &'a str,
}

use cninfra::prelude::*;

#[plugin]
struct A<'a> { //~ CN014
    name: &'a str,
}
#[plugin(no_lifecycle)]
struct B<const N: usize>; //~ CN014
#[derive(Qualifier)]
struct Q<const N: usize>; //~ CN014
#[derive(Flavor)]
struct F<'a> { //~ CN014
    name: &'a str,
}
#[interface]
trait I<'a> {} //~ CN014
#[derive(Deps)]
struct D<const N: usize> { //~ CN014
    journal: Dep<fixture_base::Journal>,
}

use cninfra::prelude::*;

#[derive(Flavor)]
#[flavor] //~ CN010
struct A {}
#[derive(Flavor)]
#[flavor = "open"] //~ CN010
struct B {}
#[derive(Flavor)]
#[flavor(open = true)] //~ CN010
struct C {}
#[derive(Flavor)]
#[flavor(crate)] //~ CN010
struct D {}
#[derive(Flavor)]
#[flavor("open")] //~ CN010
struct E {}
#[derive(Flavor)]
struct F {
    #[provides()] //~ CN010
    a: Dep<fixture_base::Journal>,
    #[provides = "Store"] //~ CN010
    b: Dep<fixture_base::Journal>,
    #[provides(&str)] //~ CN010
    c: Dep<fixture_base::Journal>,
    #[provides(dyn A; dyn B)] //~ CN010
    d: Dep<fixture_base::Journal>,
    #[provides(Option<dyn A>)] //~ CN010
    e: Dep<fixture_base::Journal>,
    #[provides(Dep<dyn A>)] //~ CN010
    f: Dep<fixture_base::Journal>,
}
#[derive(Flavor)]
#[provides(fixture_base::Journal)] //~ CN010
struct G {
    a: Dep<fixture_base::Journal>,
}

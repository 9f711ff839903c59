use cninfra::prelude::*;

#[derive(Deps)]
#[deps] //~ CN010
struct A {}
#[derive(Deps)]
#[deps(krate = cninfra)] //~ CN010
struct B {}
#[derive(Deps)]
#[deps(crate = 7)] //~ CN010
struct C {}
#[derive(Qualifier)]
#[qualifier] //~ CN010
struct D;
#[derive(Qualifier)]
#[qualifier(name)] //~ CN010
struct E;
#[derive(Qualifier)]
#[qualifier(name = backup)] //~ CN010
struct F;
#[derive(Qualifier)]
#[qualifier(crate = 7, nam = "x")] //~ CN010 CN010
struct G;

use cninfra::prelude::*;

#[plugin(name = "Http")] //~ CN021
struct A;
#[plugin(name = "")] //~ CN021
struct B;
#[plugin(alias = "a/b")] //~ CN021
struct C;
#[plugin]
struct Été; //~ CN021
#[derive(Qualifier)]
struct Größe; //~ CN021
#[derive(Qualifier)]
#[qualifier(name = "-a")] //~ CN021
struct Q;

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
#[plugin(name = "agent")] //~ CN021
struct D;
#[plugin(alias = "agent")] //~ CN021
struct E;
#[plugin]
struct Agent; //~ CN021
#[plugin(name = "logs")] //~ CN021
struct F;
#[plugin(alias = "log-s")] //~ CN021
struct G;
#[plugin]
struct Logs; //~ CN021

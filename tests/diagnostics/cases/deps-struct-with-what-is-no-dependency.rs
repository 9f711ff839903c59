use cninfra::prelude::*;

#[derive(Deps)]
struct Needs {
    journal: Dep<fixture_base::Journal>,
    port: u16, //~ CN010
}

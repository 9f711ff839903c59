use cninfra::prelude::*;

struct Settings;
#[derive(Deps)]
struct Needs {
    settings: Dep<Settings>, //~ CN006
}

use cninfra::prelude::*;
use fixture_connectors::KvStore;

struct Memory;
impl KvStore for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }
}

#[derive(Flavor)]
struct All {
    #[provides(dyn KvStore)]
    memory: Dep<Memory>, //~ CN006
}

use cninfra::prelude::*;

trait Store: Send + Sync {}

#[plugin]
struct A {
    store: Dep<dyn Store>, //~ CN015
}

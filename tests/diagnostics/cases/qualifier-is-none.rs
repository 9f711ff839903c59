use cninfra::prelude::*;
use std::marker::PhantomData;

struct Backup;
#[plugin(no_lifecycle)]
struct Store<R> {
    role: PhantomData<R>,
}
#[plugin]
struct A {
    store: Dep<Store<Backup>>, //~ CN006
}

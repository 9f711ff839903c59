use cninfra::prelude::*;
use std::marker::PhantomData;

#[plugin(no_lifecycle)]
struct Cache<R> {
    role: PhantomData<R>,
}
struct Backup;

#[derive(Flavor)]
struct App {
    cache: Dep<Cache<Backup>>, //~ CN006
}

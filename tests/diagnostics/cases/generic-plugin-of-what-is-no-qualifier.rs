//@ lines: 20 because rustc tells where the struct is, and of the supertrait of `Plugin`

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

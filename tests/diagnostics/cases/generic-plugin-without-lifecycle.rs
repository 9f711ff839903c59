use cninfra::prelude::*;
use std::marker::PhantomData;

#[plugin]
struct A<T> { //~ CN008
    t: PhantomData<T>,
}

#[derive(Qualifier)]
struct Backup;

#[plugin]
struct B<T> { //~ CN008
    t: PhantomData<T>,
}
impl Lifecycle for B<Backup> {}

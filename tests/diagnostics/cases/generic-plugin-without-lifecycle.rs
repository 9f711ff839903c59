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

trait Role {}
#[plugin]
struct C<T: Role> { //~ CN008
    t: PhantomData<T>,
}
impl<T: Role + Clone> Lifecycle for C<T> {}

#[plugin]
struct D<T> { //~ CN008
    t: PhantomData<T>,
}
impl<T: Role> Lifecycle for D<T> {}

// as it should be: that parameters are shared is in `Key`
#[plugin]
struct E<T> {
    t: PhantomData<T>,
}
impl<T: Key> Lifecycle for E<T> {
    async fn init(&self, _: &Context) -> Result<()> {
        Ok(())
    }
}

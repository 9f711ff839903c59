//! What has one name in one file has one identity, qualifiers and interfaces too.
use cninfra::prelude::*;
use std::marker::PhantomData;

pub mod one {
    #[derive(cninfra::Qualifier)]
    pub struct Role;
    #[cninfra::interface]
    pub trait Kv {}
}
pub mod two {
    #[derive(cninfra::Qualifier)]
    pub struct Role;
    #[cninfra::interface]
    pub trait Kv {}
}
pub mod three {
    #[derive(cninfra::Qualifier)]
    #[qualifier(id = "three", name = "three")]
    pub struct Role;
    #[cninfra::interface(id = "three")]
    pub trait Kv {}
}

#[plugin(no_lifecycle)]
pub struct Store<R> {
    of: PhantomData<R>,
}

#[plugin]
pub struct A;
impl one::Kv for A {}
impl three::Kv for A {}
#[plugin]
pub struct B;
impl two::Kv for B {}

#[derive(Flavor)]
pub struct Qualified {
    one: Dep<Store<one::Role>>,
    two: Dep<Store<two::Role>>, //~ CN004
    three: Dep<Store<three::Role>>,
}

#[derive(Flavor)]
pub struct Bound {
    #[provides(dyn one::Kv, dyn three::Kv)]
    a: Dep<A>,
    #[provides(dyn two::Kv)]
    b: Dep<B>, //~ CN016
}

#[plugin]
pub struct C;
impl one::Kv for C {}
impl two::Kv for C {}
impl three::Kv for C {}
#[derive(Flavor)]
pub struct OnOneField {
    #[provides(dyn one::Kv, dyn two::Kv, dyn three::Kv)]
    c: Dep<C>, //~ CN016
}

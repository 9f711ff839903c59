use cninfra::prelude::*;
use std::marker::PhantomData;

#[plugin]
struct A<T> { //~ CN008
    t: PhantomData<T>,
}

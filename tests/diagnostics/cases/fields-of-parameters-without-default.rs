//! What rustc would offer, a bound by a trait that nobody should know, is not offered.

use cninfra::prelude::*;
use std::{collections::HashMap, sync::Arc};

#[plugin(no_lifecycle)]
struct Cache<T> {
    last: T, //~ CN013
    shared: Arc<T>, //~ CN013
    all: HashMap<String, T>,
}
#[plugin(no_lifecycle)]
struct Right<T: Default> {
    last: T,
    shared: Arc<T>,
    pair: (T, Vec<T>),
}

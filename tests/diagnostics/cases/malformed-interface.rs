use cninfra::prelude::*;

#[interface(one)] //~ CN010
trait A {}
#[interface(many = true)] //~ CN010
trait B {}
#[interface(crate)] //~ CN010
trait C {}
#[interface("many")] //~ CN010
trait D {}
#[interface(many())] //~ CN010
trait E {}

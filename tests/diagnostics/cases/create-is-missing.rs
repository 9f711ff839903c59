use cninfra::prelude::*;

#[plugin(deps = (fixture_base::Journal))]
struct A; //~ CN009

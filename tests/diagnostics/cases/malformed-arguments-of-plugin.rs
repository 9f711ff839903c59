use cninfra::prelude::*;

#[plugin(deps)] //~ CN010
struct A;
#[plugin(deps = )] //~ CN010
struct B;
#[plugin(deps = (u8) u16)] //~ CN006 CN010
struct C;
#[plugin(deps = (,))] //~ CN010
struct D;
#[plugin(config)] //~ CN010
struct E;
#[plugin(config = u8)] //~ CN010
struct F;
#[plugin(deps = (), config = 7)] //~ CN010
struct G; //~ CN009
#[plugin(name)] //~ CN010
struct H;
#[plugin(name = 7)] //~ CN010
struct I;
#[plugin(alias = alias)] //~ CN010
struct J;
#[plugin(flags)] //~ CN010
struct K;
#[plugin(flags = )] //~ CN010
struct L;
#[plugin(no_lifecycle = true)] //~ CN010
struct M;
#[plugin(id)] //~ CN010
struct N;
#[plugin(crate)] //~ CN010
struct O;
#[plugin(crate = 7)] //~ CN010
struct P;
#[plugin("etcd")] //~ CN010
struct Q;
#[plugin(name = "a", name = "b")] //~ CN010
struct R;
#[plugin(no_lifecycle; name = "a")] //~ CN010
struct S;
#[plugin(crate = cninfra<A>)] //~ CN010
struct T;

use cninfra::prelude::*;

struct Socket(u32);
type Log = Dep<fixture_base::Journal>;

#[plugin]
struct A {
    socket: Socket, //~ CN013
    journal: Log, //~ CN013
}

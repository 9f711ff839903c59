//! What to write depends on where the name comes from: of the type, of the attribute, or of a qualifier.
use cninfra::prelude::*;
use std::marker::PhantomData;

mod one {
    use cninfra::prelude::*;

    #[plugin]
    pub struct HTTPServer2;
    #[derive(Qualifier)]
    pub struct Backup;
}
mod two {
    use cninfra::prelude::*;

    #[plugin(id = "another server")]
    pub struct HTTPServer2;
    #[derive(Qualifier)]
    #[qualifier(id = "another backup")]
    pub struct Backup;
}
#[derive(Flavor)]
struct NoneIsGiven {
    one: Dep<one::HTTPServer2>,
    two: Dep<two::HTTPServer2>, //~ CN020
}

#[plugin(name = "http-server2")]
struct First;
#[plugin(name = "http-server2")]
struct Second;
#[derive(Flavor)]
struct BothAreGiven {
    first: Dep<First>,
    second: Dep<Second>, //~ CN020
}

#[derive(Flavor)]
struct TheFirstIsGiven {
    first: Dep<First>,
    server: Dep<one::HTTPServer2>, //~ CN020
}

#[plugin]
struct Etcd<Role> {
    role: PhantomData<Role>,
}
impl<Role: Key> Lifecycle for Etcd<Role> {}
#[derive(Flavor)]
struct OneQualifier {
    primary: Dep<Etcd<one::Backup>>,
    backup: Dep<Etcd<two::Backup>>, //~ CN020
}

#[plugin(name = "etcd")]
struct Other<Role> {
    role: PhantomData<Role>,
}
impl<Role: Key> Lifecycle for Other<Role> {}
#[derive(Flavor)]
struct TheSecondIsGiven {
    etcd: Dep<Etcd<one::Backup>>,
    other: Dep<Other<one::Backup>>, //~ CN020
}

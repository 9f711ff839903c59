//! What a flavor holds that is not understood is not known: nobody is told that it is missing.

use cninfra::prelude::*;

#[plugin]
struct Store;
#[plugin]
struct Api {
    store: Dep<Store>,
}

#[derive(Flavor)]
struct Stores(Dep<Store>); //~ CN010
const _: () = assert!(Stores::GRAPH.before("Other", "Store"));

#[derive(Flavor)]
struct App {
    stores: Stores,
    api: Dep<Api>,
}
const _: () = assert!(App::GRAPH.before("Store", "Api"));

#[derive(Flavor)]
struct Outer {
    app: App,
    again: Dep<Api>, //~ CN004
}

// nothing is missing here, but the names are not known
#[plugin]
struct Other;
#[derive(Flavor)]
struct Beside {
    stores: Stores,
    other: Dep<Other>,
}
const _: () = assert!(Beside::GRAPH.before("Store", "Other"));

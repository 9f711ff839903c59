//! What several plugins need and the flavor lacks is one mistake for each thing that is missing, told at the first plugin that needs it.
use cninfra::prelude::*;

#[interface]
pub trait Kv {}
#[interface]
pub trait Sql {}
#[plugin]
pub struct Clock;

#[plugin]
pub struct Users {
    kv: Dep<dyn Kv>,
    clock: Dep<Clock>,
}
#[plugin]
pub struct Orders {
    kv: Dep<dyn Kv>,
    again: Dep<dyn Kv>,
}
#[plugin]
pub struct Bills {
    kv: Dep<dyn Kv>,
}
#[plugin]
pub struct Mails {
    kv: Dep<dyn Kv>,
    sql: Dep<dyn Sql>,
}
#[plugin]
pub struct Audit {
    kv: Dep<dyn Kv>,
    clock: Dep<Clock>,
}
/// It does without: so it is none of those that need it.
#[plugin]
pub struct Cache {
    kv: Option<Dep<dyn Kv>>,
}

#[derive(Flavor)]
#[flavor(open)]
pub struct Desk {
    bills: Dep<Bills>,
    mails: Dep<Mails>,
}

/// The first is told of twice itself, and counts once.
#[derive(Flavor)]
pub struct Two {
    cache: Dep<Cache>,
    orders: Dep<Orders>, //~ CN002
    bills: Dep<Bills>,
}

/// Of a flavor that is reached twice, each plugin counts once.
#[derive(Flavor)]
pub struct All {
    cache: Dep<Cache>,
    users: Dep<Users>, //~ CN002+CN001
    orders: Dep<Orders>,
    desk: Desk, //~ CN002
    again: Desk,
    audit: Dep<Audit>,
}

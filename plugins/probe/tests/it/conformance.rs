//! The probes fulfil the contract of plugins.

use crate::codes::{Probed, config};
use cninfra::{prelude::*, testing::Conformance};

#[test]
fn it_keeps_the_contract_of_plugins() {
    Conformance::of("probe", || Agent::<Probed>::builder().config(config())).check();
}

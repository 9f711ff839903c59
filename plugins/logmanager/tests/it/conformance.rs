//! The plugin fulfils the contract of plugins.

use crate::levels::{Managed, config};
use cninfra::{prelude::*, testing::Conformance};

#[test]
fn it_keeps_the_contract_of_plugins() {
    Conformance::of("log-manager", || Agent::<Managed>::builder().config(config())).check();
}

//! The pages fulfil the contract of plugins.

use cninfra::{http::Http, prelude::*, testing::Conformance};
use cninfra_pages::Pages;
use cninfra_rest::Rest;

#[derive(Flavor)]
struct Lone {
    #[provides(dyn Http)]
    rest: Dep<Rest>,
    pages: Option<Dep<Pages>>,
}

#[test]
fn they_keep_the_contract_of_plugins() {
    Conformance::of("pages", || Agent::<Lone>::builder().config(cninfra::testing::loopback())).check();
}

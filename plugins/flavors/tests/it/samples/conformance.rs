#[test]
fn it_keeps_the_contract() {
    use cninfra::testing::{Conformance, loopback};
    Conformance::of("greeter", || Agent::<Hello>::builder().config(loopback())).check();
}

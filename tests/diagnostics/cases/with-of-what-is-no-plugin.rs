//@ lines: 16 because a type that is no plugin has no place in a flavor either: rustc shows both bounds of `with`
use cninfra::prelude::*;

struct Settings;

async fn go() {
    let _ = Agent::<fixture_base::Local>::builder().with(Settings).start().await; //~ CN006 CN018
}

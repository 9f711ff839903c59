use cninfra::prelude::*;

struct Settings;

async fn go() {
    let _ = Agent::<fixture_base::Local>::builder().with(Settings).start().await; //~ CN006
    let _ = Agent::<fixture_base::Local>::builder().with_new(Settings).start().await; //~ CN006
}

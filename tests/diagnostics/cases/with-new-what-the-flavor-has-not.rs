use cninfra::prelude::*;

#[plugin]
struct Fake;

async fn go() {
    let _ = Agent::<fixture_base::Local>::builder().with_new(Fake).start().await; //~ CN018
}

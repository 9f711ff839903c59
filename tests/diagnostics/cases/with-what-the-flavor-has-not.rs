use cninfra::prelude::*;
use fixture_connectors::{Etcd, Primary};

async fn go() {
    let fake = Etcd::<Primary>::fake(fixture_base::Journal::default().into());
    let _ = Agent::<fixture_base::Local>::builder().with(fake).start().await; //~ CN018
}

use cninfra::prelude::*;
use std::sync::Arc;

#[interface]
trait Store {}
struct Memory;
impl Store for Memory {}

async fn go() {
    let _ = Agent::<fixture_base::Local>::builder().bind::<dyn Store>(Arc::new(Memory)).start().await; //~ CN018
}

//! What is held over an await is told of by rustc, with its place; so is another type of errors.
//@ lines: 19 because rustc tells what is held, over which await, and of both types of errors where they are
use cninfra::prelude::*;
use std::rc::Rc;

async fn other() {}

#[plugin]
struct Holds;
impl Lifecycle for Holds {
    async fn init(&self, _: &Context) -> Result<()> { //~ none
        let held = Rc::new(1);
        other().await;
        drop(held);
        Ok(())
    }
    async fn close(&self, _: &Context) -> std::io::Result<()> { //~ E0271
        Ok(())
    }
}

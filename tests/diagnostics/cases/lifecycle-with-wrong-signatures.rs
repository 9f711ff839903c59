//! What a method of a lifecycle takes and gives is compared to the trait by rustc: one error each.
//@ lines: 13 because rustc suggests what to write, or says of both types what they are
use cninfra::prelude::*;

#[plugin]
struct NotAsync;
impl Lifecycle for NotAsync {
    fn init(&self, _: &Context) -> Result<()> { //~ E0277
        Ok(())
    }
    fn close(&self, _: &Context) {} //~ E0277
}

#[plugin]
struct OtherArguments;
impl Lifecycle for OtherArguments {
    async fn init(&mut self, _: &Context) -> Result<()> { //~ E0053
        Ok(())
    }
    async fn after_init(&self, _: Context) -> Result<()> { //~ E0053
        Ok(())
    }
    async fn drain(_: &Context) -> Result<()> { //~ E0186
        Ok(())
    }
    async fn close(&self) -> Result<()> { //~ E0050
        Ok(())
    }
}

#[plugin]
struct OtherResults;
impl Lifecycle for OtherResults {
    async fn init(&self, _: &Context) {} //~ E0271
    async fn after_init(&self, _: &Context) -> Result<u32> { //~ E0271
        Ok(1)
    }
    async fn drain(&self, _: &Context) -> Option<()> { //~ E0271
        None
    }
}

use cninfra::prelude::*;

#[plugin]
struct A;
impl Lifecycle for A {
    async fn init(&self) -> Result<()> { //~ E0050
        Ok(())
    }
    async fn clsoe(&self, _: &Context) -> Result<()> { //~ E0407
        Ok(())
    }
}

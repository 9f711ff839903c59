use cninfra::prelude::*;

#[plugin]
struct Lent<'a> { //~ CN014
    name: &'a str,
}
impl<'a> Lifecycle for Lent<'a> {
    async fn init(&self, _: &Context) -> Result<()> {
        Ok(())
    }
}

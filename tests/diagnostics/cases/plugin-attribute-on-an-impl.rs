//! Where the struct has no attribute, who uses it is told so, too: whether it has one, an attribute on an `impl` can not know.
use cninfra::prelude::*;

#[plugin]
struct Clock;
#[plugin]
impl Clock { //~ CN010
    fn now(&self) -> u64 {
        0
    }
}
#[plugin]
impl Lifecycle for Clock { //~ CN010
    async fn init(&self, cx: &Context) -> Result<()> {
        cx.log().info(format_args!("{}", self.now()));
        Ok(())
    }
}

struct Store;
#[plugin]
impl Lifecycle for Store {} //~ CN010

#[derive(Flavor)]
struct App {
    clock: Dep<Clock>,
    store: Dep<Store>, //~ CN006
}

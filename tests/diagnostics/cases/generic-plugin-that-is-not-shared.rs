//! Also of a generic plugin: where the field's type has none of its parameters, it is told on the field alone.

use cninfra::prelude::*;
use std::{marker::PhantomData, rc::Rc};

#[plugin]
struct Cache<T> {
    of: PhantomData<T>,
    shared: Rc<u32>, //~ CN029
}
impl<T: Key + Send + Sync> Lifecycle for Cache<T> {
    async fn init(&self, cx: &Context) -> Result<()> {
        cx.log().info(format_args!("{}", self.shared));
        Ok(())
    }
}

#[plugin(no_lifecycle)]
struct Reader;

#[derive(Flavor)]
struct App {
    cache: Dep<Cache<Reader>>,
    reader: Dep<Reader>,
}

fn main() -> std::process::ExitCode {
    Agent::<App>::main()
}

//! rustc tells of a comma that is missing, and goes on as if it were there: so do the macros. What else is wrong is told, too.

use cninfra::prelude::*;
use std::rc::Rc;

#[plugin]
struct Clock;

#[plugin]
struct Cache {
    clock: Dep<Clock> //~ none
    pub size: Vec<u8>,
    shared: Rc<u8>, //~ CN029
}

#[plugin]
struct Reader {
    #[default(7)]
    size: u32; //~ none
    #[context]
    log: Logger; //~ none
}
impl Lifecycle for Reader {
    async fn init(&self, _: &Context) -> Result<()> {
        self.log.info(format_args!("{}", self.size));
        Ok(())
    }
}

#[derive(Deps)]
struct Needs {
    clock: Dep<Clock> //~ none
    reader: Dep<Reader>; //~ none
}
#[plugin(deps = Needs)]
struct Listed;
impl Create for Listed {
    async fn create(_: Self::Deps, _: &Context) -> Result<Self> {
        Ok(Listed)
    }
}

#[derive(Flavor)]
struct App {
    clock: Dep<Clock>; //~ none
    cache: Dep<Cache>,
    reader: Dep<Reader>,
    listed: Dep<Listed>; //~ none
}

async fn start() {
    drop(Agent::<App>::start().await);
}

//! In a plugin it would be no use to declare them; of a struct that a derive is on rustc tells, once.

use cninfra::prelude::*;
use std::{borrow::Cow, rc::Rc};

#[plugin]
struct Reader {
    name: &'a str,            //~ CN014
    names: Vec<Cow<'b, str>>, //~ CN014
    shared: Rc<&'c u8>,       //~ CN014 CN029
    call: Option<for<'d> fn(&'d str) -> &'d str>,
}
impl Lifecycle for Reader {
    async fn init(&self, cx: &Context) -> Result<()> {
        cx.log().info(self.name);
        Ok(())
    }
}

#[plugin(deps = (&Reader))] //~ CN010
struct Listed;
impl Create for Listed {
    async fn create(_: Self::Deps, _: &Context) -> Result<Self> {
        Ok(Listed)
    }
}

#[derive(Deps)]
struct Needs {
    reader: Dep<Reader>,
    name: &'a str, //~ E0261
}

#[derive(Flavor)]
struct App {
    reader: Dep<Reader>,
    listed: Dep<Listed>,
    name: &'a str, //~ E0261
}

async fn start() {
    drop(Agent::<App>::start().await);
}

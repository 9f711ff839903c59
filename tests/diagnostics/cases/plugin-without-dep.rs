//! Fields that would be filled with a default where the flavor's plugin is meant.

use cninfra::prelude::*;
use std::sync::Arc;

#[interface(many)]
trait Routes {
    fn count(&self) -> usize;
}
#[plugin]
#[derive(Default)]
struct Cache;
#[plugin]
struct Clock;

#[plugin]
struct Bare {
    cache: Cache, //~ CN033
}
#[plugin]
struct Shared {
    cache: Arc<Cache>, //~ CN033
}
#[plugin]
struct Maybe {
    clock: Option<Clock>, //~ CN033
}
#[plugin]
struct All {
    routes: Vec<Box<dyn Routes>>, //~ CN033
}
#[plugin]
struct Late {
    routes: Option<Arc<dyn Routes>>, //~ CN033
}
/// It has no default: told as any such field is.
#[plugin]
struct Other {
    clock: Clock, //~ CN013
}
/// Said so: nothing is wrong.
#[plugin]
struct Own {
    #[default(Cache)]
    cache: Cache,
    hooks: Vec<Box<dyn Fn() + Send + Sync>>,
}

#[derive(Flavor)]
struct App {
    bare: Dep<Bare>,
    all: Dep<All>,
    own: Dep<Own>,
}
async fn start() {
    drop(Agent::<App>::start().await);
}

//! rustc's to tell, of the struct alone.
use cninfra::prelude::*;

#[plugin]
struct Clock;

#[derive(Deps)]
struct Lent {
    clock: &Clock, //~ E0106
    right: Dep<Clock>,
}
#[derive(Deps)]
struct LentInDep {
    clock: Dep<&Clock>, //~ E0106
}
#[derive(Deps)]
struct LentInOption {
    clock: Option<&Clock>, //~ E0106
}
#[derive(Deps)]
struct Itself {
    itself: Self, //~^ E0072
}
#[derive(Deps)]
struct Counted {
    bytes: [u8; _], //~ E0121
}
#[derive(Flavor)]
struct CountedFlavor {
    bytes: [u8; _], //~ E0121
}
#[derive(Flavor)]
struct LentFlavor {
    clock: Dep<&Clock>, //~ E0106
}
#[derive(Flavor)]
struct Endless { //~ E0072
    itself: Self,
}
#[derive(Flavor)]
struct Maybe { //~ E0072
    itself: Option<Self>,
}

#[plugin]
struct Bytes {
    bytes: [u8; _], //~ E0121
}
/// A function's references have their lifetimes.
#[plugin]
struct LentToo {
    clocks: Vec<&Clock>,             //~ CN010
    pairs: Option<(u8, [&'static &str; 2])>, //~ CN010
    hooks: Vec<Box<dyn Fn(&str) -> &str + Send + Sync>>,
    made: Option<fn(&Clock) -> Dep<Clock>>,
}
/// Ours to tell.
#[plugin]
struct Holding {
    maybe: Option<Self>,            //~ CN033
    maybe_too: Option<Holding>,     //~ CN033
    boxed: Option<Box<Self>>,       //~ CN033
    right: std::sync::Weak<Self>,
    by_handle: Option<Dep<Self>>,
}
impl Lifecycle for Holding {
    async fn init(&self, _: &Context) -> Result<()> {
        let _ = (&self.maybe, &self.right);
        Ok(())
    }
}
#[derive(Flavor)]
struct App {
    clock: Dep<Clock>,
    bytes: Dep<Bytes>,
    lent: Dep<LentToo>,
    holding: Dep<Holding>, //~ CN005
}
async fn start() {
    drop(Agent::<App>::start().await);
}

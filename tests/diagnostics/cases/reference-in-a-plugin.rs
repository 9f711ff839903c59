use cninfra::prelude::*;

#[interface]
trait Store {
    fn get(&self) -> u32;
}
#[plugin]
struct Clock;

#[plugin]
struct Lent {
    clock: &Clock,                     //~ CN010
    store: &dyn Store,                 //~ CN010
    name: &str,                        //~ CN010
    other: Dep<&Clock>,                //~ CN010
    last: Option<Dep<&'static Clock>>, //~ CN010
}
impl Lifecycle for Lent {
    async fn init(&self, _: &Context) -> Result<()> {
        self.store.get();
        Ok(())
    }
}
#[plugin]
struct Right {
    #[default("name")]
    name: &'static str,
    lent: Dep<Lent>,
}
#[derive(Flavor)]
struct App {
    lent: Dep<Lent>,
    right: Dep<Right>,
}
async fn start() {
    drop(Agent::<App>::start().await);
}

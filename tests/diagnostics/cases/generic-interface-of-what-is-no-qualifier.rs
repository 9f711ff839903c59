//! Of the interface with its parameters, where each asks for it or provides it; that its provider implements it is not the question then.
use cninfra::prelude::*;

#[interface]
trait Queue<M> {
    fn name(&self) -> &'static str;
}

trait Forgotten<M> {}

#[derive(Qualifier)]
struct Orders;

#[plugin]
struct Memory;
impl Queue<Orders> for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }
}

#[plugin]
struct Reader {
    orders: Dep<dyn Queue<Orders>>,
    numbers: Dep<dyn Queue<u64>>, //~ CN006
    maybe: Option<Dep<dyn Forgotten<u8>>>, //~ CN006
}

#[plugin(deps = (dyn Queue<u8>))] //~ CN006
struct Listed;
impl Create for Listed {
    async fn create(_: Self::Deps, _: &Context) -> Result<Self> {
        Ok(Listed)
    }
}

#[derive(Flavor)]
struct App {
    #[provides(dyn Queue<Orders>, dyn Queue<u64>)] //~ CN006
    memory: Dep<Memory>,
    reader: Dep<Reader>,
    listed: Dep<Listed>,
}

fn main() -> std::process::ExitCode {
    Agent::<App>::main()
}

use cninfra::prelude::*;

#[plugin]
enum A { //~ CN010
    B,
}
#[plugin]
union C { //~ CN010
    d: u8,
}
#[plugin]
fn e() {} //~ CN010
#[plugin]
trait F {} //~ CN010
#[plugin]
#[interface]
trait R {} //~ CN010
#[interface]
#[plugin] //~ CN010
trait S {}
struct M;
#[plugin]
impl Lifecycle for M {} //~ CN010
struct N;
#[plugin(deps = (A,))]
impl Create for N { //~ CN010
    async fn create((a,): Self::Deps, _: &Context) -> Result<Self> {
        drop(a);
        Ok(N)
    }
}
struct O;
#[plugin]
type P = O; //~ CN010
#[plugin]
mod q {} //~ CN010
#[derive(Flavor)]
enum G { //~ CN010
    H,
}
#[derive(Flavor)]
struct I; //~ CN010
#[derive(Deps)]
enum J { //~ CN010
    K,
}
#[interface]
struct L; //~ CN010
impl F for L {}

#[derive(Flavor)]
struct App {
    a: Dep<A>,
    c: Dep<C>,
    #[provides(dyn F)]
    l: Dep<L>,
    m: Dep<M>,
    n: Dep<N>,
    o: Dep<O>,
}

async fn start() {
    drop(Agent::<App>::start().await);
}

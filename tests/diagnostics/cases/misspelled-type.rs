//! Where a name is like another one, rustc suggests that: once, in more lines than ours have, and the same as without us.
//@ lines: 17 because rustc shows the other type, and what to write in two ways
use cninfra::prelude::*;

#[plugin]
struct Database;

#[plugin]
struct Api {
    database: Dep<Databse>, //~ E0425
}

#[plugin(deps = (Databse))] //~ E0425
struct Listed;
impl Create for Listed {
    async fn create(_: Self::Deps, _: &Context) -> Result<Self> {
        Ok(Listed)
    }
}

#[derive(Flavor)]
struct App {
    database: Dep<Databse>, //~ E0425
}

fn main() -> std::process::ExitCode {
    Agent::<App>::main()
}

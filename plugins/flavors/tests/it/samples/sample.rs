use cninfra::{http::{Http, Routes}, prelude::*};
use cninfra_flavors::Rpc;

#[plugin]                                  // dependencies are read off the fields
struct Greeter {
    http: Dep<dyn Http>,                   // an interface: the flavor says which plugin provides it
}

impl Lifecycle for Greeter {               // init, after_init, drain, close: all have defaults
    async fn init(&self, cx: &Context) -> Result<()> {
        self.http.register(cx, Routes::new().get("/hello", async || "Hello!"))
    }
}

#[derive(Flavor)]
struct Hello {
    rpc: Rpc,                              // a ready flavor: REST server, probes, pages
    greeter: Dep<Greeter>,                 // fields in any order: the compiler sorts them
}

const _: () = assert!(Hello::GRAPH.before("Rest", "Greeter"));

fn main() -> std::process::ExitCode {
    Agent::<Hello>::main()                 // command line, config, logs, signals, exit code
}

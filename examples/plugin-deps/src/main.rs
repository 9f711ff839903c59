//! Plugins that depend on each other in all four ways: by type, by interface, optionally, and as a collection.
//!
//! ```sh
//! cargo run -p plugin-deps
//! cargo run -p plugin-deps -- --graph text   # the dependencies and the start order
//! ```
//!
//! Ctrl-C stops it. Remove `memory` from the flavor below and run `cargo check`: the compiler says what is missing, and
//! where to put it.

use cninfra::prelude::*;
use std::process::ExitCode;

/// An interface: a plugin that depends on it does not know who provides it.
#[interface]
trait Store {
    fn get(&self, name: &str) -> Option<&'static str>;
}

/// An interface with many providers, which a plugin collects.
#[interface(many)]
trait Greeting {
    fn greet(&self, name: &str) -> String;
}

#[plugin]
struct Memory;

impl Store for Memory {
    fn get(&self, name: &str) -> Option<&'static str> {
        (name == "alice").then_some("555-0100")
    }
}

#[plugin]
struct English;

impl Greeting for English {
    fn greet(&self, name: &str) -> String {
        format!("Hello, {name}!")
    }
}

#[plugin]
struct German;

impl Greeting for German {
    fn greet(&self, name: &str) -> String {
        format!("Hallo, {name}!")
    }
}

/// No plugin of this flavor provides it.
#[plugin]
struct Printer;

/// It depends on an interface. The flavor says who provides it.
#[plugin]
struct Phonebook {
    store: Dep<dyn Store>,
}

impl Phonebook {
    fn number(&self, name: &str) -> &'static str {
        self.store.get(name).unwrap_or("unknown")
    }
}

#[plugin]
struct Host {
    phonebook: Dep<Phonebook>,         // by type
    greetings: Vec<Dep<dyn Greeting>>, // all of a kind, in start order
    printer: Option<Dep<Printer>>,     // `None` where the flavor has none
    #[context]
    log: Logger,
}

impl Lifecycle for Host {
    // Its dependencies are initialised by now.
    async fn init(&self, _: &Context) -> Result<()> {
        for name in ["alice", "bob"] {
            for greeting in &self.greetings {
                self.log.info(greeting.greet(name));
            }
            self.log.info(format_args!("{name}'s number: {}", self.phonebook.number(name)));
        }
        self.log.info(if self.printer.is_some() { "it will be printed" } else { "there is no printer" });
        Ok(())
    }
}

/// The fields may be in any order: the compiler sorts them.
#[derive(Flavor)]
struct PhonebookAgent {
    host: Dep<Host>,
    phonebook: Dep<Phonebook>,
    #[provides(dyn Greeting)]
    english: Dep<English>,
    #[provides(dyn Greeting)]
    german: Dep<German>,
    #[provides(dyn Store)]
    memory: Dep<Memory>,
}

// Conditions can be asserted, and the compiler checks them.
const _: () = assert!(PhonebookAgent::GRAPH.before("Memory", "Phonebook"));
const _: () = assert!(PhonebookAgent::GRAPH.before("German", "Host"));

fn main() -> ExitCode {
    Agent::<PhonebookAgent>::main()
}

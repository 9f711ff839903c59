//! Plugins that need each other, in all four ways: by type, by interface, optionally, and all of a kind.
//!
//! ```sh
//! cargo run -p plugin-deps
//! cargo run -p plugin-deps -- --graph text   # who needs whom, and who starts first
//! ```
//!
//! Ctrl-C stops it. Take `memory` out of the flavor below and run `cargo check`: the compiler says what is missing, and where to put it.

use cninfra::prelude::*;
use std::process::ExitCode;

/// What others can do for a plugin: it does not say who does it.
#[interface]
trait Store {
    fn get(&self, name: &str) -> Option<&'static str>;
}

/// What a plugin collects: everybody who greets.
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

/// Nobody has it in this flavor.
#[plugin]
struct Printer;

/// It needs an interface: the flavor says who is behind it.
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
    // whom it needs has been initialised by now
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

/// In any order: the compiler sorts.
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

// what must hold is asserted, and the compiler proves it
const _: () = assert!(PhonebookAgent::GRAPH.before("Memory", "Phonebook"));
const _: () = assert!(PhonebookAgent::GRAPH.before("German", "Host"));

fn main() -> ExitCode {
    Agent::<PhonebookAgent>::main()
}

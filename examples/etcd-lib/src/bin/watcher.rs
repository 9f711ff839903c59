//! Watches the phonebook until Ctrl-C stops it.
//!
//! ```sh
//! cargo run -p etcd-lib --bin watcher
//! ```

use cninfra::{
    Result,
    keyval::{Change, Codec as _, Entry, Event, Previous, WatchOptions},
};
use cninfra_proto::Protobuf;
use etcd_lib::{Contact, PHONEBOOK, command, connect, phonebook};

fn shown(entry: &Entry) -> String {
    let contact: Result<Contact, _> = Protobuf.decode(&entry.value);
    contact.map_or_else(|error| format!("\tno contact: {error}"), |contact| contact.shown())
}

fn print(change: &Change) {
    let key = format!("{PHONEBOOK}{}", String::from_utf8_lossy(&change.key));
    match change.value() {
        Some(value) => {
            println!("Creating  {key}\n{}", shown(&Entry::new(change.key.clone(), value.clone())));
            match &change.previous {
                Previous::Entry(previous) => println!("Previous:\n{}", shown(previous)),
                Previous::Absent => println!("Previous value does not exist"),
                _ => println!("Previous value is not known"),
            }
        }
        None => println!("Removing  {key}"),
    }
    println!("============================================");
}

#[tokio::main]
async fn main() -> Result<()> {
    let store = connect(&command("watcher", "watches the phonebook").get_matches()).await?;
    let mut watch = phonebook(&store).watch([""], WatchOptions::default().with_previous()).await?;
    println!("Watching the key:  {PHONEBOOK}");
    loop {
        let event = tokio::select! {
            event = watch.next() => event,
            stopped = tokio::signal::ctrl_c() => {
                stopped?;
                println!("Stop requested ...");
                None
            }
        };
        match event {
            Some(Event::Changes { changes, .. }) => changes.iter().for_each(print),
            Some(Event::Link(link)) => eprintln!("the connection: {link:?}"),
            Some(_) => {}
            None => break,
        }
    }
    store.close().await?;
    Ok(())
}

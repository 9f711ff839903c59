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
use etcd_lib::{Contact, PHONEBOOK, command, connect, phonebook, say};

fn shown(entry: &Entry) -> String {
    let contact: Result<Contact, _> = Protobuf.decode(&entry.value);
    contact.map_or_else(|error| format!("\tno contact: {error}"), |contact| contact.shown())
}

/// Returns whether anybody reads.
fn print(change: &Change) -> Result<bool> {
    let key = format!("{PHONEBOOK}{}", String::from_utf8_lossy(&change.key));
    match change.value() {
        Some(value) => {
            say(format_args!("Creating  {key}\n{}", shown(&Entry::new(change.key.clone(), value.clone()))))?;
            match &change.previous {
                Previous::Entry(previous) => say(format_args!("Previous:\n{}", shown(previous)))?,
                Previous::Absent => say("Previous value does not exist")?,
                _ => say("Previous value is not known")?,
            };
        }
        None => {
            say(format_args!("Removing  {key}"))?;
        }
    }
    Ok(say("============================================")?)
}

#[tokio::main]
async fn main() -> Result<()> {
    let store = connect(&command("watcher", "watches the phonebook").get_matches()).await?;
    let mut watch = phonebook(&store).watch([""], WatchOptions::default().with_previous()).await?;
    let mut is_read = say(format_args!("Watching the key:  {PHONEBOOK}"))?;
    while is_read {
        let event = tokio::select! {
            event = watch.next() => event,
            stopped = tokio::signal::ctrl_c() => {
                stopped?;
                say("Stop requested ...")?;
                None
            }
        };
        match event {
            Some(Event::Changes { changes, .. }) => {
                for change in &changes {
                    is_read = print(change)?;
                }
            }
            Some(Event::Link(link)) => eprintln!("the connection: {link:?}"),
            Some(_) => {}
            None => break,
        }
    }
    store.close().await?;
    Ok(())
}

//! Shows the phonebook.
//!
//! ```sh
//! cargo run -p etcd-lib --bin view
//! ```

use cninfra::Result;
use cninfra_proto::Protobuf;
use etcd_lib::{Contact, command, connect, phonebook, say};

#[tokio::main]
async fn main() -> Result<()> {
    let store = connect(&command("view", "shows the phonebook").get_matches()).await?;
    let contacts = phonebook(&store).typed::<Contact, _>(Protobuf).list("").await?;
    say("Phonebook:")?;
    for (_, contact) in &contacts {
        say(contact.shown())?;
    }
    let last = contacts.iter().filter_map(|(entry, _)| entry.revision).max();
    say(format_args!("Revision {}", last.map_or(0, |revision| revision.get())))?;
    store.close().await?;
    Ok(())
}

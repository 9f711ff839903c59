//! Shows the phonebook.
//!
//! ```sh
//! cargo run -p etcd-lib --bin view
//! ```

use cninfra::Result;
use cninfra_proto::Protobuf;
use etcd_lib::{Contact, command, connect, phonebook};

#[tokio::main]
async fn main() -> Result<()> {
    let store = connect(&command("view", "shows the phonebook").get_matches()).await?;
    let contacts = phonebook(&store).typed::<Contact, _>(Protobuf).list("").await?;
    println!("Phonebook:");
    for (_, contact) in &contacts {
        println!("{}", contact.shown());
    }
    let last = contacts.iter().filter_map(|(entry, _)| entry.revision).max();
    println!("Revision {}", last.map_or(0, |revision| revision.get()));
    store.close().await?;
    Ok(())
}

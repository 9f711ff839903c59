//! Changes the phonebook.
//!
//! ```sh
//! cargo run -p etcd-lib --bin editor -- put 'Peter Smith' 'Company XY' '0907 111 222'
//! cargo run -p etcd-lib --bin editor -- puttxn '[{"name": "A B", "company": "C", "phonenumber": "1"}]'
//! cargo run -p etcd-lib --bin editor -- delete 'Peter Smith'
//! ```

use clap::{Arg, Command};
use cninfra::{
    Error, Result,
    keyval::{Codec as _, Txn},
};
use cninfra_proto::Protobuf;
use etcd_lib::{Contact, PHONEBOOK, command, connect, phonebook, say};

fn text(name: &'static str) -> Arg {
    Arg::new(name).required(true).value_name(name)
}

#[tokio::main]
async fn main() -> Result<()> {
    let put = Command::new("put").about("saves a contact").args(["NAME", "COMPANY", "PHONE"].map(text));
    let puttxn = Command::new("puttxn").about("saves contacts in one transaction").arg(text("JSON_ARRAY"));
    let delete = Command::new("delete").about("removes a contact").arg(text("NAME"));
    let command = command("editor", "changes the phonebook").subcommand_required(true).arg_required_else_help(true);
    let arguments = command.subcommands([put, puttxn, delete]).get_matches();
    let store = connect(&arguments).await?;
    let phonebook = phonebook(&store);
    let (name, of) = arguments.subcommand().ok_or_else(|| Error::msg("no command"))?;
    let value = |key: &str| of.get_one::<String>(key).cloned().unwrap_or_default();
    match name {
        "delete" => {
            let key = Contact::key(&value("NAME"))?;
            say(format_args!("Removing  {PHONEBOOK}{key}"))?;
            phonebook.delete(&key).await?;
        }
        "put" => {
            let contact = Contact { name: value("NAME"), company: value("COMPANY"), phonenumber: value("PHONE") };
            let key = Contact::key(&contact.name)?;
            say(format_args!("Saving  {PHONEBOOK}{key}"))?;
            phonebook.typed(Protobuf).put(&key, &contact).await?;
        }
        _ => {
            let contacts: Vec<Contact> = serde_json::from_str(&value("JSON_ARRAY"))
                .map_err(|error| Error::from(error).context("JSON_ARRAY is not a list of contacts"))?;
            let mut txn = Txn::new();
            for contact in contacts {
                let (key, mut bytes) = (Contact::key(&contact.name)?, Vec::new());
                Protobuf.encode(&contact, &mut bytes).map_err(Error::msg)?;
                say(format_args!("Saving  {PHONEBOOK}{key}"))?;
                txn = txn.put(key, bytes);
            }
            phonebook.commit(txn).await?;
        }
    }
    store.close().await?;
    Ok(())
}

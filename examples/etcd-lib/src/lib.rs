//! Shared by the programs of this example: the phonebook, the connection to etcd, and what they print.

use clap::{Arg, ArgMatches, Command, value_parser};
use cninfra::{Error, Result, keyval::Kv};
use cninfra_etcd::{EtcdConfig, EtcdStore};
use prost::Message;
use serde::Deserialize;
use std::{
    fmt::Display,
    io::{self, Write as _},
    path::PathBuf,
    sync::Arc,
};

/// The prefix of the contacts.
pub const PHONEBOOK: &str = "/phonebook/";

/// A contact, as the predecessor's examples stored it: protobuf, in binary.
#[derive(Clone, PartialEq, Eq, Message, Deserialize)]
#[serde(default)]
pub struct Contact {
    /// The name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// The company they work for.
    #[prost(string, tag = "2")]
    pub company: String,
    /// The phone number.
    #[prost(string, tag = "3")]
    pub phonenumber: String,
}

impl Contact {
    /// The key of a contact below [`PHONEBOOK`]: the name without its spaces.
    ///
    /// # Errors
    /// The name is empty.
    pub fn key(name: &str) -> Result<String> {
        match name.replace(' ', "") {
            key if key.is_empty() => Err(Error::msg("a contact needs a name")),
            key => Ok(key),
        }
    }

    /// The contact as the programs print it.
    #[must_use]
    pub fn shown(&self) -> String {
        format!("\t{}\n\t\t{}\n\t\t{}", self.name, self.company, self.phonenumber)
    }
}

/// The command line of a program: with `--cfg FILE`.
#[must_use]
pub fn command(name: &'static str, about: &'static str) -> Command {
    let file = Arg::new("cfg").long("cfg").value_name("FILE").value_parser(value_parser!(PathBuf));
    Command::new(name)
        .about(about)
        .arg(file.help("the config of etcd, as in etcd.conf; without it, etcd is at 127.0.0.1:2379"))
}

/// Connects to etcd, as the command line says.
///
/// # Errors
/// The file is not valid, or etcd does not answer.
pub async fn connect(arguments: &ArgMatches) -> Result<Arc<EtcdStore>> {
    let config = match arguments.get_one::<PathBuf>("cfg") {
        Some(file) => cninfra::config::from_file("etcd", file)?,
        None => EtcdConfig::at(["127.0.0.1:2379"]),
    };
    Ok(Arc::new(EtcdStore::connect(config).await?))
}

/// The contacts.
#[must_use]
pub fn phonebook(store: &Arc<EtcdStore>) -> Kv<EtcdStore> {
    Kv::new(store.clone()).scoped(PHONEBOOK)
}

/// Prints a line. Returns whether anybody reads: if not, as before `| head`, that is no error.
///
/// # Errors
/// The line cannot be written, for example because a disk is full.
pub fn say(line: impl Display) -> io::Result<bool> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        written => written.map(|()| true),
    }
}

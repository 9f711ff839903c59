//! [`Etcd36`]: an etcd server of version 3.6.

use super::EtcdOptions;
use crate::{Installed, is_strict, server::without};
use std::{env, path::PathBuf};

/// The variable with the program's path, which `tests/run` sets.
const PROGRAM: &str = "CNINFRA_ETCD_3_6";

/// An etcd server of version 3.6, which Debian does not have: `tests/run` builds it from its sources
/// (`tests/testbed/etcd-3.6`) if Go is installed, and passes its path in the variable `CNINFRA_ETCD_3_6`. If that is
/// not set, tests that need it are skipped, also in a strict run, since Go is not required.
///
/// ```
/// use cninfra_testbed::{Etcd36, require};
///
/// fn it_serves() {
///     require!(Etcd36);
///     let etcd = Etcd36::options().start();
///     etcd.ctl(&["put", "name", "value"]);
/// }
/// # it_serves();
/// ```
#[derive(Debug)]
pub struct Etcd36;

impl Etcd36 {
    /// The options with which an [`Etcd`](super::Etcd) of that version is started.
    ///
    /// # Panics
    /// It is not available.
    #[must_use]
    pub fn options() -> EtcdOptions {
        match program() {
            Some(program) => EtcdOptions { program: Some(program), ..EtcdOptions::default() },
            None => panic!("{PROGRAM} is not set"),
        }
    }
}

impl Installed for Etcd36 {
    const NAME: &'static str = "etcd-3.6";

    fn missing() -> Option<String> {
        match program() {
            None => Some(format!("{PROGRAM} is not set: run tests/run, which builds it where Go is installed")),
            Some(path) if !path.is_file() => Some(format!("{PROGRAM}={} is not there", path.display())),
            // The same `etcdctl` is used for both versions.
            Some(_) => without(&["etcdctl"], "etcd-client"),
        }
    }

    fn is_needed() -> bool {
        is_strict() && program().is_some()
    }
}

fn program() -> Option<PathBuf> {
    env::var_os(PROGRAM).map(PathBuf::from)
}

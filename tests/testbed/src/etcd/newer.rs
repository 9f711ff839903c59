//! [`Etcd36`]: an etcd of the series 3.6.

use super::EtcdOptions;
use crate::{Installed, is_strict, server::without};
use std::{env, path::PathBuf};

/// Where the program is; set by `tests/run`.
const PROGRAM: &str = "CNINFRA_ETCD_3_6";

/// An etcd of the series 3.6, of which Debian has none: `tests/run` builds it of its sources (`tests/testbed/etcd-3.6`) where Go is installed, and says where it is by the variable
/// `CNINFRA_ETCD_3_6`. Tests that need it are skipped where that is not set, also in a strict run: Go is not among what is installed.
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
    /// How an [`Etcd`](super::Etcd) of that version is started.
    ///
    /// # Panics
    /// It is not there.
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
            // the same one speaks to both
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

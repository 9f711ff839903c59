//! [`from_file`]: reads a section without an agent.

use super::{load::parse, section};
use crate::{
    Result,
    config::{
        find::extract::{Depth, extract},
        read::named::Named,
        said::{
            entry::{Entries, Entry},
            file,
        },
        written::{
            value,
            way::{Step, Way},
        },
        wrong::mistake,
    },
};
use serde::{Serialize, de::DeserializeOwned};
use std::path::Path;

/// Reads a config section from a file of its own, as an agent does. It is for using the library of a plugin without an
/// agent. `section` is the name of the section in messages.
///
/// It reads the file on the calling thread, and blocks it for as long as the file system takes.
///
/// ```no_run
/// # #[derive(Default, serde::Serialize, serde::Deserialize)]
/// # #[serde(default, deny_unknown_fields)]
/// # struct EtcdConfig {}
/// let config: EtcdConfig = cninfra::config::from_file("etcd", "etcd.conf")?;
/// # Ok::<(), cninfra::Error>(())
/// ```
///
/// # Errors
/// The file cannot be read, or is not valid: everything that is wrong, with line and key.
pub fn from_file<C: Serialize + DeserializeOwned + Default>(section: &str, path: impl AsRef<Path>) -> Result<C> {
    let path = path.as_ref();
    let text = file::read(path).map_err(|error| error.mistake(path))?;
    let is_in_secret = |way: &[Step]| section::is_in_secret(section::read::<C>, Named::plain(section), way);
    let (read, mut mistakes) = parse(path.to_path_buf(), text, &is_in_secret);
    let Some((source, value)) = read else { return Err(mistake::combined(mistakes)) };
    let entry = Entry { section: section.to_string(), source, way: Way::new(), value: value::from_yaml(value) };
    let (value, mut outcome) = extract(Named::plain(section), &Entries::one(&entry), Depth::All);
    outcome.mistakes.append(&mut mistakes);
    Ok(outcome.sound(value)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Duration;
    use cninfra_testbed::Folder;
    use serde::Deserialize;
    use std::fs;

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Poller {
        dial_timeout: Duration,
        peers: u8,
    }

    #[test]
    fn a_section_is_read_without_an_agent() {
        let folder = Folder::new();
        let at = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let poller: Poller = from_file("poller", at("poller.conf", "Dial-Timeout: 2s\npeers: 3")).unwrap();
        assert_eq!((*poller.dial_timeout, poller.peers), (std::time::Duration::from_secs(2), 3));
        assert_eq!(from_file::<Poller>("poller", at("empty.yaml", "")).unwrap().peers, 0);
        let error = from_file::<Poller>("poller", at("wrong.toml", "peer = 1\ndial-timeout = \"soon\"")).unwrap_err();
        let message = format!("{error:?}");
        assert!(message.contains("wrong.toml:1") && message.contains("did you mean `peers`"), "{message}");
        assert!(message.contains("wrong.toml:2") && message.contains("dial-timeout"), "{message}");
        let malformed = from_file::<Poller>("poller", at("malformed.toml", "peers =")).unwrap_err();
        assert!(format!("{malformed:?}").contains("malformed.toml:1"), "{malformed:?}");
        let missing = from_file::<Poller>("poller", folder.path().join("missing.conf")).unwrap_err();
        assert!(format!("{missing:?}").contains("missing.conf: the file cannot be read"), "{missing:?}");
    }
}

//! [`Secrets`]: the contents of files that hold secrets; each file is read once.

use super::file::{self, ReadResult};
use crate::config::{written::key, wrong::failure::What};
use figment::value::Value;
use std::{
    collections::HashMap,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The contents of the files of secrets that a config names. A file is read when its secret is first needed, which is
/// on the thread that reads the config files: it may wait for them. A later reading of the section uses the same
/// contents, as it does for the config files.
#[derive(Default)]
pub(in crate::config) struct Secrets(Mutex<HashMap<PathBuf, Option<ReadResult>>>);

impl Secrets {
    /// The secret in this file, without line ends at its end.
    pub(in crate::config) fn read(&self, path: &Path) -> Result<String, What> {
        let known = self.all().get(path).cloned();
        // The lock is not held while the file system is accessed.
        let read_result = known.unwrap_or_else(|| {
            let read_result = (!file::is_silent(path)).then(|| file::read(path));
            self.all().entry(path.to_path_buf()).or_insert(read_result).clone()
        });
        match read_result {
            Some(Ok(text)) => Ok(text.trim_end_matches(['\r', '\n']).to_string()),
            Some(Err(failed)) => {
                let help = match failed.kind() {
                    ErrorKind::NotFound => Some("create it, or remove the key"),
                    _ => failed.help(),
                };
                Err(What::OfFile(format!(": the file {} cannot be read: {failed}", path.display()), help))
            }
            None => Err(What::Unanswered(path.to_path_buf())),
        }
    }

    /// All files that have answered.
    pub(in crate::config) fn read_results(&self) -> Vec<(PathBuf, ReadResult)> {
        self.all().iter().filter_map(|(path, read_result)| Some((path.clone(), read_result.clone()?))).collect()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<PathBuf, Option<ReadResult>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does it contain a key that may name the file of a secret?
pub(in crate::config) fn may_name_files(value: &Value) -> bool {
    match value {
        Value::Dict(_, dict) => {
            dict.iter().any(|(key, value)| key::normalized(key).ends_with("file") || may_name_files(value))
        }
        Value::Array(_, items) => items.iter().any(may_name_files),
        // The text of a variable or a flag may be a mapping.
        Value::String(_, text) => text.contains(['{', ':']) && key::normalized(text).contains("file"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Known, Live, Reload, Reloader, Secret, Section as _};
    use cninfra_testbed::Folder;
    use serde::{Deserialize, Serialize};
    use std::{collections::BTreeMap, fs};

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default)]
    struct Store {
        password: Secret,
    }

    #[test]
    fn what_has_been_read_is_not_read_again() {
        let folder = Folder::new();
        folder.write("store.conf", "password-file: password");
        folder.write("fixed.conf", "password-file: password");
        folder.write("password", "hunter2\n");
        let known = Known::none().with("store", <Live<Store>>::META).with("fixed", Store::META);
        let files = crate::config::Files { dir: folder.path().into(), named: Vec::new() };
        let mut config = Config::new();
        config.read_files(&files, &known);
        assert_eq!(config.check(&known), []);
        fs::remove_file(folder.path().join("password")).unwrap();
        // Creating a plugin, printing and following all use what was read.
        assert_eq!(config.section::<Store>("fixed").unwrap().password.reveal(), "hunter2");
        let live = <Live<Store>>::__read(&config, "store").unwrap();
        assert_eq!(live.get().password.reveal(), "hunter2");
        let shown = config.effective(&known, &Config::new(), &Config::new());
        assert!(shown.iter().all(|section| section.values[0].text() == "***"), "{shown:?}");
        let mut reloader = Reloader::new(&config, known).unwrap();
        folder.write("password", "hunter2");
        assert_eq!(reloader.look(), Reload::Same);
        // A look reads the file again, and so does a copy of the config made for that.
        folder.write("password", "hunter3");
        let taken = Reload::Taken { live: vec!["store"], fixed: vec![], later: vec![], odd: vec![] };
        assert_eq!((reloader.look(), reloader.look()), (Reload::Unsettled, taken));
        assert_eq!(live.get().password.reveal(), "hunter3");
        let anew = config.with_secrets_unread();
        assert_eq!(anew.section::<Store>("fixed").unwrap().password.reveal(), "hunter3");
    }

    #[test]
    fn a_file_in_which_nothing_is_holds_no_secret() {
        #[derive(Debug, Default, Serialize, Deserialize)]
        #[serde(default)]
        struct Both {
            password: Secret,
            token: Option<Secret>,
            maybe: Secret<Option<String>>,
        }
        let folder = Folder::new();
        for name in ["empty", "lines"] {
            folder.write(name, if name == "lines" { "\r\n\n" } else { "" });
            folder.write("both.conf", &format!("password-file: {name}\ntoken-file: {name}\nmaybe-file: {name}"));
            let (mut config, known) = (Config::new(), Known::none().with("both", Both::META));
            config.read_files(&crate::config::Files { dir: folder.path().into(), named: Vec::new() }, &known);
            let dir = format!("{}/", folder.path().display());
            let mistakes = config.check(&known).into_iter().map(|mistake| {
                assert_eq!(
                    mistake.help.as_deref(),
                    Some("write the secret into it; if there is to be none, remove the key")
                );
                mistake.to_string().replace(&dir, "")
            });
            let wrong = |line: u8, column: u8, key: &str| {
                format!("both.conf:{line}:{column}: key `both.{key}-file`: the file {name} is empty")
            };
            assert_eq!(mistakes.collect::<Vec<_>>(), [wrong(1, 16, "password"), wrong(2, 13, "token")]);
            // The file of an overridden secret may be empty, and so may that of a `Secret<Option<..>>`: it means none.
            config.set_flag("both", "password", "", "password");
            config.set_flag("both", "token", "x", "token");
            let both = config.section::<Both>("both").unwrap();
            assert_eq!((both.password.reveal().as_str(), both.maybe.reveal()), ("", &None));
            assert_eq!(config.check(&known), []);
        }
    }

    #[test]
    fn what_is_wrong_in_a_file_of_its_own_is_told_once_and_hides_nothing() {
        #[derive(Debug, Default, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        struct User {
            user: String,
            port: u16,
        }
        #[derive(Debug, Default, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        struct Several {
            limits: Secret<BTreeMap<String, u16>>,
            pins: Secret<Vec<u16>>,
            pin: Secret<u16>,
            user: Secret<User>,
            zone: u8,
        }
        let folder = Folder::new();
        folder.write("limits", "{a: 1, b: x, c: y}");
        folder.write("pins", "[1, x]");
        folder.write("pin", "x");
        folder.write("user", "{usr: u, prt: 1, port: x}");
        let files = "limits-file: limits\npins-file: pins\npin-file: pin\nuser-file: user\nzone: x";
        folder.write("several.conf", files);
        let (mut config, known) = (Config::new(), Known::none().with("several", Several::META));
        config.read_files(&crate::config::Files { dir: folder.path().into(), named: Vec::new() }, &known);
        // Another layer above it changes nothing.
        config.set_flag("several", "zone", "1", "zone");
        let dir = format!("{}/", folder.path().display());
        let mistakes: Vec<_> =
            config.check(&known).iter().map(|mistake| mistake.to_string().replace(&dir, "")).collect();
        let hidden = "(it is not shown, since it is a secret)";
        let wrong = |line: u8, column: u8, key: &str, what: &str| {
            format!("several.conf:{line}:{column}: key `several.{key}`: {what} {hidden}")
        };
        let fits = "its value does not fit";
        assert_eq!(
            mistakes,
            [
                wrong(1, 14, "limits", fits),
                wrong(2, 12, "pins", fits),
                wrong(3, 11, "pin", fits),
                wrong(4, 1, "user", "a key in it is unknown"),
                wrong(4, 12, "user", fits),
                "several.conf:5:7: key `several.zone` takes a whole number from 0 to 255, not the text `x`".to_string(),
            ]
        );
    }

    #[test]
    fn it_is_told_which_file_a_secret_is_from() {
        let folder = Folder::new();
        folder.write("store.conf", "password-file: password");
        folder.write("password", "hunter2");
        let (mut config, known) = (Config::new(), Known::none().with("store", Store::META));
        config.read_files(&crate::config::Files { dir: folder.path().into(), named: Vec::new() }, &known);
        let printed = crate::config::print(&config.effective(&known, &Config::new(), &Config::new()));
        let printed = printed.replace(&format!("{}/", folder.path().display()), "");
        assert_eq!(printed, "store: {}\n  # password: ***  # store.conf:1:1, from the file password, a secret\n");
    }

    #[test]
    fn a_key_that_may_name_a_file_is_found_wherever_it_stands() {
        let named = |key: &str, value: serde_json::Value| Config::new().set("store", key, value).may_name_files();
        for key in ["password-file", "PasswordFile", "a.b.password_file"] {
            assert!(named(key, "x".into()), "{key}");
        }
        assert!(named("all", serde_json::json!([{ "password-file": "x" }])));
        assert!(!named("password", "profile".into()) && !named("files", serde_json::json!(["a"])));
        let mut config = Config::new();
        config.set_flag("store", "tls", "{password-file: x}", "set");
        assert!(config.may_name_files());
    }
}

//! The environment variables, as values.

use super::said::{Cli, Origin, Value};
use crate::{
    Flag,
    config::{ANY_KEY as PREFIX, Known, nearest},
};
use std::{collections::BTreeMap, ffi::OsString};

/// The prefix of all variables of cninfra.
const OURS: &str = "CNINFRA_";
/// The prefix of the variables that are read when a program is built.
const OF_BUILD: &str = "CNINFRA_BUILD_";
/// The suffix of the variables that name the file of a section.
const OF_FILE: &str = "_CONFIG";

/// The environment variables, read once.
pub(in crate::agent) struct Variables {
    values: BTreeMap<String, String>,
    /// The names of variables that are not valid Unicode.
    not_unicode: Vec<String>,
}

impl Variables {
    pub(in crate::agent) fn new(env: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut variables = Variables { values: BTreeMap::new(), not_unicode: Vec::new() };
        for (name, value) in env {
            match (name.into_string(), value.into_string()) {
                (Ok(name), Ok(value)) => drop(variables.values.insert(name, value)),
                (Ok(name), Err(_)) => variables.not_unicode.push(name),
                (Err(name), _) => variables.not_unicode.push(name.to_string_lossy().into_owned()),
            }
        }
        variables
    }

    /// Whether any variable has our prefix, may name the file of a section, or is not valid Unicode. If not, only
    /// declared variables can be set.
    pub(super) fn may_say_more(&self) -> bool {
        let may = |name: &String| name.starts_with(OURS) || name.ends_with(OF_FILE) || is_in_small_letters(name);
        !self.not_unicode.is_empty() || self.values.keys().any(may)
    }

    /// Reports an error for each variable that is not valid Unicode and is read: it is one of `names`, or sets any key
    /// (`CNINFRA__..`).
    pub(super) fn report_not_unicode(&self, names: &[String], cli: &mut Cli) {
        let is_read = |name: &&String| name.starts_with(PREFIX) || names.contains(name);
        let error = |name: &String| (format!("variable {name} is not UTF-8"), "set it to a text of UTF-8, or unset it");
        cli.errors.extend(self.not_unicode.iter().filter(is_read).map(error));
    }

    /// Reports a warning for each variable that has our prefix but is not read: it is not in `names`, and does not set
    /// any key.
    pub(super) fn report_unknown(&self, names: &[String], known: &Known, cli: &mut Cli) {
        let is_unknown = |(name, value): &(&String, &String)| {
            name.starts_with(OURS)
                && ![PREFIX, OF_BUILD].iter().any(|prefix| name.starts_with(prefix))
                && !names.contains(name)
                && !is_of_a_service(name, value)
        };
        for name in self.values.keys().filter(|name| is_in_small_letters(name) && !names.contains(name)) {
            cli.warnings.push(format!("variable {name} is not read: did you mean `{}`?", name.to_uppercase()));
        }
        for (name, _) in self.values.iter().filter(is_unknown) {
            let rest = &name[OURS.len()..];
            let without = names.iter().find(|name| *name == rest).cloned();
            let meant = without.or_else(|| known.variable_meant(rest));
            let meant = meant.or_else(|| nearest(name, names.iter().map(String::as_str)).map(str::to_string));
            let help = match meant {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "a key's variable is `CNINFRA__SECTION__KEY`".to_string(),
            };
            cli.warnings.push(format!("variable {name} is not read: {help}"));
        }
    }

    /// The value of a variable; an empty one counts as not set.
    pub(in crate::agent) fn get(&self, name: &str) -> Option<String> {
        self.get_even_empty(name).filter(|value| !value.is_empty())
    }

    pub(super) fn get_even_empty(&self, name: &str) -> Option<String> {
        self.values.get(name).cloned()
    }

    /// Adds the keys that variables set: first the declared variables, then those of the form
    /// `CNINFRA__HTTP__READ_TIMEOUT`.
    pub(super) fn values(&self, flags: impl Iterator<Item = (&'static str, &'static Flag)>, cli: &mut Cli) {
        for (section, flag) in flags {
            let Some(text) = self.get(flag.env) else { continue };
            // Kubernetes sets `HTTP_PORT=tcp://10.0.0.1:80` for a Service that is named `http`.
            let is_address = ["tcp://", "udp://", "sctp://"].iter().any(|protocol| text.starts_with(protocol));
            if flag.env.ends_with("_PORT") && is_address {
                let what = "is Kubernetes' address of a Service, not a setting";
                cli.warnings.push(format!("variable {} is ignored: `{text}` {what}", flag.env));
                continue;
            }
            let (section, key) = (section.to_string(), flag.key.to_string());
            cli.values.push(Value { section, key, text, origin: Origin::Variable(flag.env.to_string()) });
        }
        for (name, path) in self.values.keys().filter_map(|name| Some((name, name.strip_prefix(PREFIX)?))) {
            let Some(text) = self.get(name) else { continue };
            let parts: Vec<&str> = path.split("__").collect();
            match parts.split_first() {
                Some((section, keys)) if !keys.is_empty() && parts.iter().all(|part| !part.is_empty()) => {
                    let keys: Vec<String> = keys.iter().map(|key| key_of(key)).collect();
                    let (section, key) = (kebab(section), keys.join("."));
                    cli.values.push(Value { section, key, text, origin: Origin::Variable(name.clone()) });
                }
                _ => {
                    let help = "write `CNINFRA__SECTION__KEY`, such as `CNINFRA__HTTP__PORT`";
                    cli.errors.push((format!("variable {name}: it does not say which key"), help));
                }
            }
        }
    }
}

/// The config key for one part of a variable's name. A part with lowercase letters is taken as it is: in maps, and
/// where only the type's own code knows the keys, the case matters.
fn key_of(part: &str) -> String {
    if part.contains(char::is_lowercase) { part.to_string() } else { kebab(part) }
}

fn kebab(part: &str) -> String {
    part.to_lowercase().replace('_', "-")
}

/// Whether the name has the prefix of the variables of keys, but not in capital letters.
fn is_in_small_letters(name: &str) -> bool {
    name.get(..PREFIX.len()).is_some_and(|begin| begin != PREFIX && begin.eq_ignore_ascii_case(PREFIX))
}

/// Whether Kubernetes sets this variable for a Service named `cninfra`, such as `CNINFRA_PORT_80_TCP_ADDR`.
fn is_of_a_service(name: &str, value: &str) -> bool {
    let ends = [
        "_SERVICE_HOST",
        "_SERVICE_PORT",
        "_TCP_ADDR",
        "_TCP_PORT",
        "_TCP_PROTO",
        "_UDP_ADDR",
        "_UDP_PORT",
        "_UDP_PROTO",
    ];
    ends.iter().any(|end| name.ends_with(end)) || name.contains("_SERVICE_PORT_") || value.contains("://")
}

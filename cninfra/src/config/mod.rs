//! Config: a section for each plugin, of layers over its defaults.
//!
//! Every plugin's section is a type of its own (a [`Section`]), named by the plugin's instance name. What goes into it, each layer
//! over the one before: the type's `Default`, the file `<name>.conf` of the config directory, the environment
//! variables and then the command-line flags that the plugin declares ([`Flag`](crate::Flag)).
//! All sections are read before anything is created.

mod error;
mod file;
mod layer;
mod section;

pub use section::{ConfigMeta, Section};

use crate::{Error, Result};
use figment::{Figment, value::Value};
use layer::Layer;
use serde::{Serialize, de::DeserializeOwned};
use std::{collections::BTreeMap, path::Path};

/// The config of an agent: sections by name.
///
/// ```
/// use cninfra::config::Config;
///
/// let config = Config::new().set("http", "endpoint", "127.0.0.1:0");
/// # let _ = config;
/// ```
#[derive(Clone, Debug, Default)]
pub struct Config {
    figment: Figment,
    /// `enabled` is no key of a section's type: optional plugins have it, whatever their config.
    enabled: BTreeMap<String, bool>,
    /// What could not be taken in: told when the section is read.
    errors: BTreeMap<String, Vec<String>>,
}

impl Config {
    /// No layer: every section is at its defaults.
    #[must_use]
    pub fn new() -> Self {
        Config::default()
    }

    /// Sets a key of a section, over all layers so far. Parts of the key are parted by dots; the key `enabled` switches
    /// an optional plugin on or off.
    #[must_use]
    pub fn set(mut self, section: &str, key: &str, value: impl Serialize) -> Self {
        match Value::serialize(value) {
            Ok(value) => self.put(section, key, value, "set by the program"),
            Err(error) => {
                self.error(section, format!("key `{key}`: {error}, set by the program"));
            }
        }
        self
    }

    /// Sets a key to what a text says: `true`, `8080`, `text`.
    pub(crate) fn set_text(&mut self, section: &str, key: &str, text: &str, origin: &str) {
        // the same language as in the files; what is not YAML is a text
        let value = yaml_serde::from_str::<Value>(text).unwrap_or_else(|_| Value::from(text));
        self.put(section, key, value, origin);
    }

    fn error(&mut self, section: &str, error: String) {
        self.errors.entry(section.to_string()).or_default().push(error);
    }

    fn put(&mut self, section: &str, key: &str, value: Value, origin: &str) {
        if key == "enabled" {
            match value.to_bool() {
                Some(enabled) => {
                    self.enabled.insert(section.to_string(), enabled);
                }
                None => {
                    self.error(section, format!("key `enabled` takes `true` or `false`, {origin}"));
                }
            }
            return;
        }
        let dict = figment::util::nest(&format!("{section}.{key}"), value);
        if let Value::Dict(_, dict) = dict {
            self.merge(Layer::named(origin, dict));
        }
    }

    fn merge(&mut self, layer: Layer) {
        self.figment = std::mem::take(&mut self.figment).merge(layer);
    }

    /// Reads the sections' files of a directory: for each plugin `<name>.conf`, of its instance name or of one of its
    /// aliases. A file that is not there is not an error.
    ///
    /// # Errors
    /// A file that can not be read or is not YAML, with its path and line.
    pub(crate) fn read_dir<'a>(
        &mut self,
        dir: &Path,
        sections: impl IntoIterator<Item = (&'a str, &'a [&'a str])>,
    ) -> Vec<Error> {
        let mut errors = Vec::new();
        for (section, aliases) in sections {
            for name in [section].iter().chain(aliases) {
                match file::read(&dir.join(format!("{name}.conf"))) {
                    Ok(None) => {}
                    Ok(Some((path, mut dict))) => {
                        if let Some(enabled) = dict.remove("enabled") {
                            self.put(section, "enabled", enabled, &format!("in {}", path.display()));
                        }
                        let dict = [(section.to_string(), Value::from(dict))].into();
                        self.merge(Layer::file(path, dict));
                    }
                    Err(error) => errors.push(error),
                }
            }
        }
        errors
    }

    /// May this optional plugin start?
    pub(crate) fn is_enabled(&self, section: &str) -> bool {
        self.enabled.get(section).copied().unwrap_or(true)
    }

    /// What is wrong with a section whatever its type. Only an optional plugin can be switched off.
    pub(crate) fn check(&self, section: &str, optional: bool) -> Result<()> {
        if let Some(error) = self.errors.get(section) {
            return Err(Error::msg(error.join("; ")));
        }
        if !optional && self.enabled.contains_key(section) {
            let help = "in the flavor, an optional plugin is a field `Option<Dep<..>>`";
            return Err(Error::msg("key `enabled`: the plugin is not an optional one of its flavor").with_help(help));
        }
        Ok(())
    }

    /// A plugin's section.
    pub(crate) fn section<C: DeserializeOwned + Default>(&self, name: &str) -> Result<C> {
        if self.figment.find_value(name).is_err() {
            return Ok(C::default());
        }
        self.figment.extract_inner(name).map_err(|error| error::describe(error, name))
    }
}

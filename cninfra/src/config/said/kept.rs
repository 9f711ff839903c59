//! [`KeptLayers`]: the layers of a section, kept from the check until its plugin is created, which reads the section again.

use super::{
    entry::{Entries, Entry},
    layers::Layers,
    source::Source,
};
use figment::Figment;
use std::{
    any::TypeId,
    sync::{Arc, Mutex, PoisonError},
};

/// The merged layers of sections. Making them is most of the work of reading a section, and nothing changes between the
/// check and the creation of a plugin.
#[derive(Default)]
pub(in crate::config) struct KeptLayers(Mutex<Vec<KeptSection>>);

struct KeptSection {
    section: String,
    id: TypeId,
    sources: Vec<Arc<Source>>,
    layers: Layers,
    merged: Figment,
}

impl KeptLayers {
    pub(in crate::config) fn put(
        &self,
        section: &str,
        id: TypeId,
        entries: &Entries<'_>,
        (layers, merged): (Layers, Figment),
    ) {
        let sources = entries.all.iter().map(|entry| entry.source.clone()).collect();
        let one = KeptSection { section: section.to_string(), id, sources, layers, merged };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(one);
    }

    /// The layers of a section, if it is read as the same type and from the same sources.
    pub(in crate::config) fn take(
        &self,
        section: &str,
        id: TypeId,
        entries: &Entries<'_>,
    ) -> Option<(Layers, Figment)> {
        let is_same = |source: &Arc<Source>, entry: &&Entry| Arc::ptr_eq(source, &entry.source);
        let is_it = |one: &KeptSection| {
            one.section == section
                && one.id == id
                && one.sources.len() == entries.all.len()
                && one.sources.iter().zip(&entries.all).all(|(source, entry)| is_same(source, entry))
                && Arc::ptr_eq(&one.layers.secrets, &entries.secrets)
        };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = all.iter().position(is_it)?;
        let KeptSection { layers, merged, .. } = all.swap_remove(at);
        Some((layers, merged))
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        config::{Config, Known},
        prelude::*,
    };
    use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
    use std::cell::Cell;

    thread_local! {
        static READ: Cell<usize> = const { Cell::new(0) };
    }

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
    struct StoreConfig {
        #[serde(deserialize_with = "counted")]
        max_open: u8,
    }

    /// The same key as a text.
    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
    struct Other {
        max_open: String,
    }

    fn counted<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<u8, D::Error> {
        READ.set(READ.get() + 1);
        u8::deserialize(deserializer)
    }

    #[plugin(no_lifecycle)]
    struct Store {
        #[config]
        _config: StoreConfig,
    }
    #[derive(Flavor)]
    struct Stores {
        store: Dep<Store>,
    }

    fn checked() -> Config {
        let mut config = Config::new();
        config.set_variable("store", "MAX_OPEN", "07", "V");
        assert!(config.check_for_plugins(&Known::of(Stores::GRAPH)).is_empty());
        config
    }

    fn section<C: DeserializeOwned + Default + 'static>(config: &Config) -> C {
        config.section_from_kept("store").unwrap()
    }

    #[test]
    fn what_was_checked_is_not_asked_for_its_keys_once_more() {
        let config = checked();
        let count = |config: &Config| {
            READ.set(0);
            assert_eq!(section::<StoreConfig>(config), StoreConfig { max_open: 7 });
            READ.get()
        };
        let (once, again) = (count(&config), count(&config));
        assert!(once < again, "{once}, {again}");
    }

    #[test]
    fn another_type_takes_texts_in_another_way() {
        assert_eq!(section::<Other>(&checked()), Other { max_open: "07".to_owned() });
    }

    /// What is in brackets is a list if the type wants one, and otherwise a text.
    #[test]
    fn another_type_takes_brackets_in_another_way() {
        #[derive(Default, Serialize, Deserialize)]
        #[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
        struct Lists {
            max_open: Vec<u8>,
        }
        #[plugin(no_lifecycle)]
        struct Store {
            #[config]
            _config: Lists,
        }
        #[derive(Flavor)]
        struct Stores {
            store: Dep<Store>,
        }
        let mut config = Config::new();
        config.set_variable("store", "MAX_OPEN", "[7]", "V");
        assert_eq!(config.check_for_plugins(&Known::of(Stores::GRAPH)), []);
        assert_eq!(section::<Other>(&config), Other { max_open: "[7]".to_owned() });
    }

    #[test]
    fn what_others_say_is_read_anew() {
        let mut config = checked();
        config.set_flag("store", "max-open", "8", "f");
        assert_eq!(section::<StoreConfig>(&config), StoreConfig { max_open: 8 });
        let mut config = checked();
        config.process.clear();
        config.set_flag("store", "max-open", "9", "f");
        assert_eq!(section::<StoreConfig>(&config), StoreConfig { max_open: 9 });
    }
}

//! [`Known`]: the sections that an agent has, and the names that mean them.

use super::{
    checked::{Checked, ToRead},
    config::Config,
    section::{self, ConfigMeta, Section as _},
};
use crate::{
    Flag,
    config::{
        find::extract::{Depth, Outcome},
        read::named::Named,
        said::{
            agent_keys::{AGENT_KEYS, AGENT_KEYS_OF_ALL},
            entry::{Entries, Entry},
        },
        written::{key, value, way::Step},
    },
    graph::Graph,
};
use figment::{Figment, value::Tag};
use serde::{Deserialize, Serialize};

/// The section of a plugin without config: it has no keys.
#[derive(Default, Serialize, Deserialize)]
struct NoSettings {}

/// One section.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownSection {
    pub(crate) name: &'static str,
    /// Other names for it: for its files, for its flag, and in `agent.yaml`.
    pub(crate) aliases: &'static [&'static str],
    /// The name of its plugin's type without parameters, as the graph and errors show it. It does not name the section,
    /// but users may take it for that.
    type_name: Option<&'static str>,
    pub(in crate::config) meta: ConfigMeta,
    /// The plugin has no config.
    pub(crate) is_bare: bool,
    /// The plugin can be switched off.
    pub(crate) optional: bool,
    /// The flags that the plugin declares for its keys.
    pub(super) flags: &'static [Flag],
    /// The section belongs to the agent itself, not to a plugin.
    pub(in crate::config) is_own: bool,
}

impl KnownSection {
    /// Reads the merged value, without checking overridden values; `wanted`: returns the value, too.
    pub(in crate::config) fn read(
        &self,
        entries: &Entries<'_>,
        wanted: bool,
    ) -> (Box<Outcome>, Option<yaml_serde::Value>) {
        (self.meta.read)(self.named(), entries, Depth::Top, wanted)
    }

    /// Reads all layers; `wanted`: asks the section's own check, too, if there is one.
    pub(super) fn check(&self, entries: &Entries<'_>, wanted: bool) -> Checked {
        match self.meta.check.filter(|_| wanted) {
            Some(check) => check(ToRead { section: self.named(), entries }),
            None => {
                let (outcome, _) = (self.meta.read)(self.named(), entries, Depth::All, false);
                Checked { outcome, invalid: Vec::new() }
            }
        }
    }

    /// Does its type have this key?
    fn has_key(&self, key: &str) -> bool {
        let value = value::dict([(key.to_string(), value::nothing(Tag::Default))]).into();
        let entry = Entry::of_default(self.name, value);
        let notes = self.read(&Entries::one(&entry), false).0.notes;
        // A type that accepts any key is no reason to suggest this section.
        let has_names = notes.structs.contains(&Vec::new());
        has_names && notes.unknown_key_help.is_none() && notes.agent_keys.is_empty() && notes.mistakes.is_empty()
    }

    /// The agent's keys that can be set in this section: those that are not keys of its own type.
    pub(in crate::config) fn keys_of_agent(&self) -> Vec<&'static str> {
        let keys = self.named().agent_keys;
        let value = value::dict(keys.iter().map(|key| (key.to_string(), value::nothing(Tag::Default)))).into();
        let entry = Entry::of_default(self.name, value);
        let noted = self.read(&Entries::one(&entry), false).0.notes.agent_keys;
        keys.iter().copied().filter(|key| noted.contains_key(*key)).collect()
    }

    /// Is the key at the end of this way inside a secret?
    pub(super) fn is_in_secret(&self, way: &[Step]) -> bool {
        section::is_in_secret(self.meta.read, self.named(), way)
    }

    fn named(&self) -> Named<'static> {
        let agent_keys = match (self.is_own, self.optional) {
            (true, _) => &[],
            (false, true) => AGENT_KEYS,
            (false, false) => AGENT_KEYS_OF_ALL,
        };
        Named { name: self.name, agent_keys }
    }
}

/// The sections of an agent: its own, and those of its plugins.
#[derive(Clone, Debug)]
pub(crate) struct Known(Vec<KnownSection>);

impl Known {
    /// The sections of the plugins in a graph.
    pub(crate) fn of(graph: &'static Graph) -> Self {
        let section = |node: &crate::graph::Node| KnownSection {
            name: node.instance(),
            aliases: node.plugin.aliases,
            type_name: node.plugin.key.name.split('<').next(),
            meta: node.plugin.config.unwrap_or(NoSettings::META),
            is_bare: node.plugin.config.is_none(),
            optional: node.optional,
            flags: node.plugin.flags,
            is_own: false,
        };
        Known(graph.nodes().iter().map(section).collect())
    }

    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Known(Vec::new())
    }

    #[cfg(test)]
    pub(in crate::config) fn plugin(self, name: &'static str, meta: ConfigMeta) -> Self {
        let mut known = self.with(name, meta);
        (known.0[0].is_own, known.0[0].optional) = (false, true);
        known
    }

    /// Adds a section of the agent itself.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, meta: ConfigMeta) -> Self {
        self.0.insert(
            0,
            KnownSection {
                name,
                aliases: &[],
                type_name: None,
                meta,
                is_bare: false,
                optional: false,
                flags: &[],
                is_own: true,
            },
        );
        self
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &KnownSection> {
        self.0.iter()
    }

    /// The instance names of the plugins.
    pub(super) fn plugin_names(&self) -> impl Iterator<Item = &'static str> {
        self.iter().filter(|section| !section.is_own).map(|section| section.name)
    }

    /// The section with this name or alias, in any spelling.
    pub(super) fn find(&self, name: &str) -> Option<&KnownSection> {
        let is = |section: &&KnownSection| names(section).any(|known| key::same(known, name));
        self.iter().find(|section| section.name == name).or_else(|| self.iter().find(is))
    }

    /// The help for an unknown section: "did you mean", and the known sections.
    pub(super) fn suggestion(&self, name: &str) -> String {
        let list = self.iter().map(|section| section.name).collect::<Vec<_>>().join(", ");
        match self.nearest(name) {
            Some(meant) => format!("did you mean `{meant}`? known sections: {list}"),
            None => format!("known sections: {list}"),
        }
    }

    /// The same for `agent.yaml`, where a key may have been written without its section.
    pub(super) fn suggestion_for_whole_file(&self, name: &str) -> String {
        let of: Vec<_> = self.iter().filter(|section| section.has_key(name)).map(|section| section.name).collect();
        match of.first().filter(|_| self.nearest(name).is_none()) {
            Some(first) => {
                let of = of.join("` and of `");
                format!(
                    "it is a key of `{of}`: write it below the name of the section, as in `{first}: {{{name}: ..}}`"
                )
            }
            None => self.suggestion(name),
        }
    }

    /// The variable that was probably meant by a name with one `_` where two separate section and key. `written` is
    /// what follows `CNINFRA_`.
    pub(crate) fn variable_meant(&self, written: &str) -> Option<String> {
        let parts =
            written.rmatch_indices('_').map(|(at, _)| (&written[..at], written[at + 1..].trim_start_matches('_')));
        let mut is_key = parts.filter(|(section, key)| !section.ends_with('_') && !key.is_empty());
        let (section, key) = is_key.find(|(section, _)| self.find(section).is_some())?;
        Some(format!("CNINFRA__{section}__{key}"))
    }

    pub(super) fn nearest(&self, name: &str) -> Option<&'static str> {
        self.nearest_with(name, None)
    }

    /// The section name (or `other`) that was probably meant. The name of a plugin's type, which the graph and errors
    /// show, takes precedence over a similar name.
    pub(super) fn nearest_with(&self, name: &str, other: Option<&'static str>) -> Option<&'static str> {
        let mut all = self.all_names();
        all.extend(other);
        let is = |section: &&KnownSection| section.type_name.is_some_and(|type_name| key::same(type_name, name));
        let by_type = self.iter().find(is).map(|section| section.name);
        let is_name = all.iter().any(|known| key::same(known, name));
        by_type.filter(|_| !is_name).or_else(|| key::nearest(name, all.iter().copied()))
    }

    /// The names and aliases of all sections.
    pub(super) fn all_names(&self) -> Vec<&'static str> {
        let mut all = Vec::new();
        self.iter().for_each(|section| all.extend(names(section)));
        all
    }
}

/// The section's name, then its aliases.
pub(super) fn names(section: &KnownSection) -> impl Iterator<Item = &'static str> + use<> {
    [section.name].into_iter().chain(section.aliases.iter().copied())
}

impl Config {
    /// What the program sets, as a figment, with the keys of known sections replaced by their canonical names.
    pub(crate) fn canonical_figment(&self, known: &Known) -> Figment {
        let sections = known.iter().filter_map(|section| {
            let entries = self.entries(section.name);
            (!entries.all.is_empty()).then(|| section.read(&entries, false).0.figment)
        });
        sections.fold(Figment::new(), Figment::merge)
    }

    /// Replaces the name of each entry's section by the canonical one.
    pub(crate) fn name_sections(&mut self, known: &Known) {
        for entry in self.program.iter_mut().chain(&mut self.process) {
            if let Some(section) = known.find(&entry.section) {
                entry.section = section.name.to_string();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Files};
    use cninfra_testbed::Folder;

    #[test]
    fn the_name_of_a_plugins_type_is_understood() {
        let mut known = Known::none();
        for (name, type_name) in [("test", "HttpKv"), ("http", "Rest"), ("web", "Http")] {
            known = known.plugin(name, NoSettings::META);
            known.0[0].type_name = Some(type_name);
        }
        let folder = Folder::new();
        // The name of a section means that section, whatever types are called.
        for name in ["rest.conf", "Rest.yaml", "http_kv.toml", "http-kv.CONF", "HTTP.conf", "best.conf", "kv.conf"] {
            folder.write(name, "");
        }
        let files = Files { dir: folder.path().into(), named: Vec::new() };
        let mut odd = Config::new().read_files(&files, &known);
        odd.sort();
        let at = |suggestion: &str| format!("{}/{suggestion}?", folder.path().display());
        let mut wanted = [
            at("rest.conf is not read: did you mean `http.conf`"),
            at("Rest.yaml is not read: did you mean `http.yaml`"),
            at("http_kv.toml is not read: did you mean `test.toml`"),
            at("http-kv.CONF is not read: did you mean `test.conf`"),
            at("HTTP.conf is not read: did you mean `http.conf`"),
            at("best.conf is not read: did you mean `test.conf`"),
        ];
        wanted.sort();
        assert_eq!(odd, wanted);
        // A misspelled extension is recognised, too; files of other programs are ignored.
        for name in ["http.cnf", "web.ymal", "htpp.cnf", "http.ini", "http.conf~", "http.bak", "links.ini"] {
            folder.write(name, "");
        }
        let all = Config::new().read_files(&files, &known);
        let mut ends: Vec<_> = all.into_iter().filter(|warning| !odd.contains(warning)).collect();
        ends.sort();
        let wanted =
            ["http.cnf is not read: did you mean `http.conf`", "web.ymal is not read: did you mean `web.yaml`"];
        assert_eq!(ends, wanted.map(at));
        assert!(known.suggestion("REST").starts_with("did you mean `http`? "), "{}", known.suggestion("REST"));
        assert!(known.suggestion_for_whole_file("rest").starts_with("did you mean `http`? "));
        assert_eq!(known.nearest(""), None);
    }
}

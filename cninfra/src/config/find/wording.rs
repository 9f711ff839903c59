//! The words for a mistake, its help, and the place at which it is reported.

use super::{
    mistakes::{At, Mistakes},
    trial::Trial,
};
use crate::{
    config::{
        read::reading::Notes,
        said::{
            layers::Dropped,
            meant::{other_form, suggestion_as_written},
        },
        written::{
            key::{kebab, same},
            place::{Part, Place},
            way::{Step, inner},
        },
        wrong::{
            failure::{NO_NAME, Takes, What, one_of},
            spot::Spot,
        },
    },
    order::sort_few,
};

const TAG: &str = "what begins with `!` is a tag of YAML: remove it, or put all of it in quotes where it is a text";

/// A message, and its help.
type Worded = (String, Option<String>);

impl Mistakes<'_> {
    /// `None` if nothing is wrong.
    pub(super) fn worded(
        &self,
        what: &What,
        at: At<'_>,
        notes: &Notes,
        dropped: &Dropped,
        trial: &Trial<'_>,
    ) -> Option<Worded> {
        let spot = at.spot;
        let name = match spot.path.is_empty() {
            true => format!("section `{}`", self.section.name),
            false => format!("key `{}.{}`", self.section.name, spot.path.join(".")),
        };
        Some(match what {
            What::Takes(takes) => self.worded_misfit(&name, takes, spot, trial),
            What::NoVariant { names, .. } if trial.may_hold_secret(spot) => {
                let hidden = "(it is not shown, since a secret may be there)";
                (format!("{name} takes {}, not what is there {hidden}", one_of(names)), None)
            }
            What::NoVariant { found, .. } => (format!("{name} takes {found}"), None),
            What::Variants { keys, names } => {
                (self.worded_variants(&name, keys, names, spot), Some("take one of them out".into()))
            }
            What::OfFile(words, help) => {
                (format!("key `{}`{words}", self.key_as_written(spot)), help.map(str::to_string))
            }
            What::Says(words) => (format!("{name}: {}", words.trim_start_matches(NO_NAME)), None),
            What::NoContent => (format!("{name}: what belongs to this name is missing"), None),
            What::NoSecret => {
                let help = "only a secret has a second key that names a file: `password-file` beside `password`";
                (format!("key `{}` is unknown", self.key_as_written(spot)), Some(help.to_string()))
            }
            What::Unknown { key, known } => self.worded_unknown_key(key, known, spot),
            What::Missing { field, others, .. } => {
                let is_set = |other: &&String| self.is_reported(other, at, notes, dropped, trial);
                let others = others.iter().filter(|other| !is_set(other)).map(String::as_str);
                let help = help_for_missing(spot, &others.collect::<Vec<_>>());
                let field = if trial.takes_any_spelling(spot, field) { kebab(field) } else { field.to_string() };
                (format!("{name}: the key `{field}` is missing"), Some(help))
            }
            What::Twice(field) => (format!("{name} is there twice: `{}` is another name of it", kebab(field)), None),
            What::Unanswered(path) => {
                let help = "look at the file system that it is on".to_string();
                let key = self.key_as_written(spot);
                (format!("key `{key}`: the file {} does not answer", path.display()), Some(help))
            }
            What::Asked => return None,
        })
    }

    /// The type wants something else than what is there.
    fn worded_misfit(&self, name: &str, takes: &Takes, spot: &Spot, trial: &Trial<'_>) -> Worded {
        let help = match spot.way.is_empty() {
            true => Some("write `key: value`, one to a line".to_string()),
            false if trial.is_text_wanted(takes, spot) || trial.is_right_in_quotes(spot) => {
                Some("put a text that looks like something else in quotes".to_string())
            }
            false if trial.is_text_in_brackets(takes, spot) => {
                Some("put a text in brackets in quotes: `'[a]'`".to_string())
            }
            // The tag is not shown, since it may be a secret.
            false if self.layers.has_tag(spot) => Some(TAG.to_string()),
            false => takes.brackets(self.layers.is_process(spot.entry)).map(str::to_string),
        };
        let takes = match takes.of_any && trial.may_hold_secret(spot) {
            true => takes.hidden(),
            false => self.layers.as_written(&takes.shown(), spot).into_owned(),
        };
        (format!("{name} takes {takes}"), help)
    }

    fn worded_unknown_key(&self, key: &str, known: &[&str], spot: &Spot) -> Worded {
        let agent_keys = if spot.path.is_empty() { self.section.agent_keys } else { &[] };
        let around = if spot.path.is_empty() { String::new() } else { format!("{}.", spot.path.join(".")) };
        let form = other_form(key);
        // In a value that serde buffers, a secret cannot be told from other keys.
        let help = match known.iter().find(|known| key.len() > form.len() && same(known, &form)) {
            Some(known) => format!("here a secret is in no file of its own: set `{known}`, be it by a variable"),
            None => suggestion_as_written(key, known, agent_keys),
        };
        let is_spelling = key != form && known.iter().any(|known| same(known, key));
        let help = match is_spelling && self.layers.is_process(spot.entry) {
            true => format!("{help}; each letter counts here, in the name of a variable, too"),
            false => help,
        };
        (format!("key `{}.{around}{key}` is unknown", self.section.name), Some(help))
    }

    /// The variants that stand beside each other. Names that the choice does not have are not shown: they may be
    /// secrets.
    fn worded_variants(&self, name: &str, keys: &[String], names: &[&str], spot: &Spot) -> String {
        let shown = |key: &str| names.iter().find(|name| same(name, key)).map(|name| format!("`{}`", kebab(name)));
        let keys = self.located_keys(spot, keys);
        let last = keys.last().and_then(|(_, key)| shown(key)).unwrap_or_else(|| "what is here".to_string());
        let others = keys.iter().rev().skip(1).rev();
        let others: Vec<_> = others
            .map(|(place, key)| format!("{} of {place}", shown(key).unwrap_or_else(|| "what is there".to_string())))
            .collect();
        format!("{name} takes one of {}: {last} stands beside {}", one_of(names), others.join(" and "))
    }

    /// Where a message about this says that it is.
    pub(super) fn place_shown(&self, what: &What, spot: &Spot) -> Place {
        let part = match what {
            What::NoSecret | What::Twice(_) => Part::Key,
            What::Unknown { key, .. } if spot.way.last() == Some(&Step::Key(key.clone())) => Part::Key,
            _ => Part::Value,
        };
        match what {
            What::Variants { keys, .. } => {
                self.located_keys(spot, keys).pop().map_or_else(|| self.layers.place(spot, part), |(place, _)| place)
            }
            // It is reported in a file, where a person writes: a flag may have set another part of the mapping.
            What::Missing { .. } if !self.layers.is_taken_whole(spot) => {
                let entry = self.layers.file_of_mapping(spot).unwrap_or(spot.entry);
                self.layers.place(&Spot { entry, ..spot.clone() }, part)
            }
            _ => self.layers.place(spot, part),
        }
    }

    /// Keys of a mapping with their places, sorted by place.
    fn located_keys<'k>(&self, spot: &Spot, keys: &'k [String]) -> Vec<(Place, &'k str)> {
        let place = |key: &'k String| {
            let way = inner(&spot.way, key);
            (self.layers.place(&Spot { way, ..spot.clone() }, Part::Key), key.as_str())
        };
        let mut keys: Vec<_> = keys.iter().map(place).collect();
        sort_few(&mut keys, |one, other| one > other);
        keys
    }

    /// The key as its source spells it.
    fn key_as_written(&self, spot: &Spot) -> String {
        let mut path = spot.path.clone();
        if let (Some(last), Some(written)) = (path.last_mut(), self.layers.written(spot)) {
            *last = written;
        }
        format!("{}.{}", self.section.name, path.join("."))
    }
}

/// `others`: other required keys that may be missing, too.
fn help_for_missing(spot: &Spot, others: &[&str]) -> String {
    let of = match spot.path.last() {
        Some(key) => format!("the type of `{key}`"),
        None => "the section's type".to_string(),
    };
    let help = format!("set it: {of} has no default for it alone");
    if others.is_empty() {
        return help;
    }
    format!("{help}; not set either, and perhaps needed, too: `{}`", others.join("`, `"))
}

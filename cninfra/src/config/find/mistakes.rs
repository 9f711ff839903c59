//! [`Mistakes`]: what is wrong with a section. Each mistake is reported once, without what only follows from it.

use super::{culprit::Nearness, looks, trial::Trial};
use crate::{
    config::{
        read::{named::Named, reading::Notes},
        said::{
            layers::{Dropped, Duplicate, Layers},
            meant::{other_form, suggestion_as_written},
            texts::OriginalTexts,
        },
        written::{
            key::{kebab, same},
            place::{Part, Place},
            way::{Step, Way, inner},
        },
        wrong::{
            failure::{NO_NAME, What, one_of},
            mistake::{self, Mistake},
            spot::Spot,
        },
    },
    order::sort_few,
};
use figment::{Figment, value::Value};
use std::{cell::Cell, collections::HashSet, time::Instant};

const TAG: &str = "what begins with `!` is a tag of YAML: remove it, or put all of it in quotes where it is a text";

/// Where something is wrong, as far as it is known.
#[derive(Clone, Copy)]
pub(super) struct At<'s> {
    pub(super) spot: &'s Spot,
    pub(super) nearness: Nearness,
}

/// The mistakes of a section, and the state of the search for them.
pub(super) struct Mistakes<'a> {
    pub(super) section: Named<'a>,
    pub(super) layers: &'a Layers,
    /// All layers merged.
    pub(super) whole: &'a Figment,
    /// The most mistakes that are reported.
    pub(super) most: usize,
    pub(super) began: Instant,
    /// It took so long that there may be more mistakes than were found.
    pub(super) is_late: bool,
    /// If the name of a variant is made up: what is read, and the place in it that is searched for mistakes.
    pub(super) within: Option<(&'a Value, &'a [Step])>,
    /// The places about which something has been reported.
    seen: HashSet<(usize, Way)>,
    /// The first required key of the section itself that no source sets.
    pub(super) missing: Option<&'static str>,
    pub(super) all: Vec<Mistake>,
    /// Something that the sources say has been left out, because it is wrong.
    pub(super) lost: bool,
    /// Mappings that are left out because several layers together say something wrong.
    pub(super) lent: Dropped,
    /// The paths at which something was left out because one key was set by two of its names.
    pub(super) named_twice: Vec<Vec<String>>,
    /// A value was made up for something missing or wrong.
    pub(super) is_made_up: bool,
    /// The known keys that unknown ones were probably meant to be.
    pub(super) meant: Vec<String>,
    /// Where unknown keys are in values that serde buffers.
    pub(super) unknown: HashSet<(usize, Way)>,
    /// The mistakes of secrets whose files do not answer.
    pub(super) unanswered: Vec<Mistake>,
    /// For each layer, the texts that look like something else.
    pub(super) texts: Vec<OriginalTexts>,
    /// How many more values may be read to find such texts.
    pub(super) left_for_texts: usize,
    /// How many more values may be read to find out where mistakes are.
    pub(super) left: &'a Cell<usize>,
}

impl<'a> Mistakes<'a> {
    /// No mistakes so far.
    pub(super) fn new(section: Named<'a>, layers: &'a Layers, whole: &'a Figment, left: &'a Cell<usize>) -> Self {
        let most = layers.most_mistakes();
        Mistakes {
            section,
            layers,
            whole,
            most,
            began: Instant::now(),
            is_late: false,
            within: None,
            seen: HashSet::new(),
            missing: None,
            all: Vec::new(),
            lost: false,
            lent: Dropped::new(),
            named_twice: Vec::new(),
            is_made_up: false,
            meant: Vec::new(),
            unknown: HashSet::new(),
            unanswered: Vec::new(),
            texts: vec![OriginalTexts::new(); layers.len()],
            left_for_texts: looks::MOST_TRIED,
            left,
        }
    }

    pub(super) fn add(&mut self, spot: &Spot, mistake: impl FnOnce() -> Mistake) {
        if self.seen.insert((spot.entry, spot.way.clone())) {
            let mistake = mistake();
            if !self.all.contains(&mistake) {
                self.all.push(mistake);
            }
        }
    }

    /// No mistakes so far, for a search at this place with a made-up name of a variant.
    pub(super) fn with_a_name<'l>(&self, within: (&'l Value, &'l [Step]), left: &'l Cell<usize>) -> Mistakes<'l>
    where
        'a: 'l,
    {
        let (texts, left_for_texts, began) = (self.texts.clone(), self.left_for_texts, self.began);
        let new = Mistakes::new(self.section, self.layers, self.whole, left);
        Mistakes { texts, left_for_texts, began, within: Some(within), ..new }
    }

    /// Is it around the value that is searched?
    pub(super) fn is_around(&self, way: &[Step]) -> bool {
        self.within.is_some_and(|(_, within)| within.len() > way.len() && within.starts_with(way))
    }

    /// Takes these values as the texts that they are, in spite of what they look like.
    pub(super) fn take_for_texts(&mut self, texts: OriginalTexts) {
        texts.into_iter().for_each(|(way, text)| self.texts[self.layers.layer_of(text.tag(), &way)].push((way, text)));
    }

    /// Is something reported about what a layer says at this place, or inside it?
    pub(super) fn is_told_within(&self, entry: usize, way: &[Step]) -> bool {
        self.seen.iter().any(|(of, told)| *of == entry && told.starts_with(way))
    }

    /// Reports the keys that are set by two files, or by two spellings of a variable.
    pub(super) fn twice(&mut self) {
        for Duplicate { first, second } in self.layers.duplicates().into_iter().take(self.most + 1) {
            let (first, place) = (self.layers.place(&first, Part::Key), self.layers.place(&second, Part::Key));
            let what = format!("key `{}.{}` is also set in {first}", self.section.name, second.path.join("."));
            self.all.push(Mistake::new(place, what).in_section(self.section.name).help("keep one of them"));
        }
    }

    /// Reports why a reading stopped, unless that follows from something else.
    pub(super) fn tell(&mut self, what: &What, at: At<'_>, notes: &Notes, dropped: &Dropped, trial: &Trial<'_>) {
        if self.follows(what, at, notes, dropped, trial) {
            return;
        }
        let spot = at.spot;
        if let What::Missing { field, .. } = what
            && spot.path.is_empty()
        {
            self.missing.get_or_insert(field);
        }
        let name = if spot.path.is_empty() {
            format!("section `{}`", self.section.name)
        } else {
            format!("key `{}.{}`", self.section.name, spot.path.join("."))
        };
        let (text, help) = match what {
            What::Takes(what) => {
                let help = match spot.way.is_empty() {
                    true => Some("write `key: value`, one to a line".to_string()),
                    false if trial.is_text_wanted(what, spot) || trial.is_right_in_quotes(spot) => {
                        Some("put a text that looks like something else in quotes".to_string())
                    }
                    false if trial.is_text_in_brackets(what, spot) => {
                        Some("put a text in brackets in quotes: `'[a]'`".to_string())
                    }
                    // The tag is not shown, since it may be a secret.
                    false if self.layers.has_tag(spot) => Some(TAG.to_string()),
                    false => what.brackets(self.layers.is_process(spot.entry)).map(str::to_string),
                };
                let what = match what.of_any && trial.may_hold_secret(spot) {
                    true => what.hidden(),
                    false => self.layers.as_written(&what.shown(), spot).into_owned(),
                };
                (format!("{name} takes {what}"), help)
            }
            What::NoVariant { names, .. } if trial.may_hold_secret(spot) => {
                let hidden = "(it is not shown, since a secret may be there)";
                (format!("{name} takes {}, not what is there {hidden}", one_of(names)), None)
            }
            What::NoVariant { found, .. } => (format!("{name} takes {found}"), None),
            What::Variants { keys, names } => {
                (self.variants(&name, keys, names, spot), Some("take one of them out".into()))
            }
            What::OfFile(words, help) => (format!("key `{}`{words}", self.written(spot)), help.map(str::to_string)),
            What::Says(what) => (format!("{name}: {}", what.trim_start_matches(NO_NAME)), None),
            What::NoContent => (format!("{name}: what belongs to this name is missing"), None),
            What::NoSecret => {
                let help = "only a secret has a second key that names a file: `password-file` beside `password`";
                (format!("key `{}` is unknown", self.written(spot)), Some(help.to_string()))
            }
            What::Unknown { key, known } => {
                let agent_keys = if spot.path.is_empty() { self.section.agent_keys } else { &[] };
                let inner = if spot.path.is_empty() { String::new() } else { format!("{}.", spot.path.join(".")) };
                let form = other_form(key);
                // In a value that serde buffers, a secret cannot be told from other keys.
                let help = match known.iter().find(|known| key.len() > form.len() && same(known, &form)) {
                    Some(known) => {
                        format!("here a secret is in no file of its own: set `{known}`, be it by a variable")
                    }
                    None => suggestion_as_written(key, known, agent_keys),
                };
                let is_spelling = key != &form && known.iter().any(|known| same(known, key));
                let help = match is_spelling && self.layers.is_process(spot.entry) {
                    true => format!("{help}; each letter counts here, in the name of a variable, too"),
                    false => help,
                };
                (format!("key `{}.{inner}{key}` is unknown", self.section.name), Some(help))
            }
            What::Missing { field, others, .. } => {
                let of = match spot.path.last() {
                    Some(key) => format!("the type of `{key}`"),
                    None => "the section's type".to_string(),
                };
                let mut help = format!("set it: {of} has no default for it alone");
                let others = others.iter().filter(|other| !self.is_told(other, at, notes, dropped, trial));
                let others: Vec<&str> = others.map(String::as_str).collect();
                if !others.is_empty() {
                    help = format!("{help}; not set either, and perhaps needed, too: `{}`", others.join("`, `"));
                }
                let field = if trial.takes_any_spelling(spot, field) { kebab(field) } else { field.to_string() };
                (format!("{name}: the key `{field}` is missing"), Some(help))
            }
            What::Twice(field) => (format!("{name} is there twice: `{}` is another name of it", kebab(field)), None),
            What::Unanswered(path) => {
                let help = "look at the file system that it is on".to_string();
                (format!("key `{}`: the file {} does not answer", self.written(spot), path.display()), Some(help))
            }
            What::Asked => return,
        };
        let part = match what {
            What::NoSecret | What::Twice(_) => Part::Key,
            What::Unknown { key, .. } if spot.way.last() == Some(&Step::Key(key.clone())) => Part::Key,
            _ => Part::Value,
        };
        let place = match what {
            What::Variants { keys, .. } => {
                self.keys(spot, keys).pop().map_or_else(|| self.layers.place(spot, part), |(place, _)| place)
            }
            // It is reported in a file, where a person writes: a flag may have set another part of the mapping.
            What::Missing { .. } if !self.layers.is_taken_whole(spot) => {
                let entry = self.layers.file_of_mapping(spot).unwrap_or(spot.entry);
                self.layers.place(&Spot { entry, ..spot.clone() }, part)
            }
            _ => self.layers.place(spot, part),
        };
        let mistake = Mistake::new(place, text).in_section(self.section.name).help_if(help);
        // A layer may be read by itself more than once.
        if self.all.contains(&mistake) {
            return;
        }
        self.seen.insert((spot.entry, spot.way.clone()));
        if matches!(what, What::Unknown { .. }) {
            self.unknown.insert((spot.entry, spot.way.clone()));
        }
        if matches!(what, What::Unanswered(_)) { self.unanswered.push(mistake) } else { self.all.push(mistake) }
    }

    /// The variants that stand beside each other. Names that the choice does not have are not shown: they may be
    /// secrets.
    fn variants(&self, name: &str, keys: &[String], names: &[&str], spot: &Spot) -> String {
        let shown = |key: &str| names.iter().find(|name| same(name, key)).map(|name| format!("`{}`", kebab(name)));
        let keys = self.keys(spot, keys);
        let what = keys.last().and_then(|(_, key)| shown(key)).unwrap_or_else(|| "what is here".to_string());
        let others = keys.iter().rev().skip(1).rev();
        let others: Vec<_> = others
            .map(|(place, key)| format!("{} of {place}", shown(key).unwrap_or_else(|| "what is there".to_string())))
            .collect();
        format!("{name} takes one of {}: {what} stands beside {}", one_of(names), others.join(" and "))
    }

    /// Keys of a mapping with their places, sorted by place.
    fn keys<'k>(&self, spot: &Spot, keys: &'k [String]) -> Vec<(Place, &'k str)> {
        let place = |key: &'k String| {
            let way = inner(&spot.way, key);
            (self.layers.place(&Spot { way, ..spot.clone() }, Part::Key), key.as_str())
        };
        let mut keys: Vec<_> = keys.iter().map(place).collect();
        sort_few(&mut keys, |one, other| one > other);
        keys
    }

    /// The key as its source spells it.
    fn written(&self, spot: &Spot) -> String {
        let mut path = spot.path.clone();
        if let (Some(last), Some(written)) = (path.last_mut(), self.layers.written(spot)) {
            *last = written;
        }
        format!("{}.{}", self.section.name, path.join("."))
    }

    /// The mistakes in the order of their places.
    pub(super) fn sorted(mut self) -> Vec<Mistake> {
        mistake::sort(&mut self.all);
        if self.all.len() > self.most || self.is_late {
            let is_sure = self.all.len() > self.most;
            let last = if is_sure { self.all.drain(self.most..).next() } else { self.all.last().cloned() };
            let last = last.and_then(|mistake| mistake.place);
            let more = last.map(|place| Mistake::more(place, &format!("section `{}`", self.section.name), is_sure));
            self.all.extend(more.map(|more| more.in_section(self.section.name)));
        }
        self.all
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Section as _, given::Given, samples::Span};
    use serde::{Deserialize, Serialize};
    use std::collections::BTreeMap;

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Odd {
        tls: Option<Tls>,
        by_name: BTreeMap<String, Tls>,
        tagged: Option<Tagged>,
        untagged: Option<Untagged>,
        auth: Option<Auth>,
        flat: Option<Flat>,
        around: Option<Around>,
        span: Option<Span>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Around {
        port: u16,
        tagged: Tagged,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Tls {
        cert: String,
        key: String,
        #[serde(default)]
        port: u16,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
    enum Tagged {
        Some { tls: Tls, port: u16 },
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Auth {
        Basic(Tls),
        Token(String),
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        Port(u16),
        Both { host: String, port: u16 },
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Flat {
        name: String,
        #[serde(flatten)]
        tls: Tls,
    }

    fn wrong(file: &str, variables: &[(&str, &str)], flags: &[(&str, &str)]) -> Vec<String> {
        Given::file(Odd::META, file).variables(variables).flags(flags).wrong()
    }

    #[test]
    fn a_key_that_is_wrong_further_in_hides_none_of_its_name_that_is_missing() {
        let told = wrong("around: {tagged: {kind: some, tls: {cert: a, key: b}, port: x}}", &[], &[]);
        assert_eq!(
            told,
            [
                "odd.conf:1:9: key `odd.around`: the key `port` is missing",
                "odd.conf:1:61: key `odd.around.tagged.port` takes a whole number from 0 to 65535, not the text `x`",
            ]
        );
        let told = wrong("tagged: {kind: some, tls: {cert: a, key: b, port: x}}", &[], &[]);
        assert_eq!(
            told,
            [
                "odd.conf:1:9: key `odd.tagged`: the key `port` is missing",
                "odd.conf:1:51: key `odd.tagged.tls.port` takes a whole number from 0 to 65535, not the text `x`",
            ]
        );
    }

    #[test]
    fn a_whole_that_is_wrong_is_told_and_not_what_it_is_over() {
        let files = [
            ("tls", "tls: {cert: a, key: b}"),
            ("by-name.a", "by-name: {a: {cert: a, key: b}}"),
            ("tagged", "tagged: {kind: some, port: 1, tls: {cert: a, key: b}}"),
            ("tagged.tls", "tagged: {kind: some, port: 1, tls: {cert: a, key: b}}"),
            ("auth.basic", "auth: {basic: {cert: a, key: b}}"),
            ("flat", "flat: {name: x, cert: a, key: b}"),
        ];
        for (key, file) in files {
            for text in ["5", "x", "[x]", "true"] {
                let is_one =
                    |told: &[String], of: &str| told.len() == 1 && told[0].starts_with(&format!("{of}: key `"));
                let told = wrong(file, &[], &[(key, text)]);
                assert!(is_one(&told, &format!("flag --{key}")), "{key} {text}: {told:?}");
                // And a part again that overrides it.
                let variable = format!("variable {}", key.to_uppercase());
                let told = wrong(file, &[(key, text)], &[(&format!("{key}.port"), "2")]);
                assert!(is_one(&told, &variable), "{key} {text}: {told:?}");
                let told = wrong(file, &[(key, text)], &[(&format!("{key}.port"), "y")]);
                assert!(told.len() == 2 && told[0].contains(".port`") && is_one(&told[1..], &variable), "{told:?}");
            }
        }
        // A value of another variant is not wrong, and a part that overrides it gets nothing from the layers below.
        let told = wrong("untagged: {host: x, port: 1}", &[("untagged", "7")], &[("untagged.port", "2")]);
        assert_eq!(told, ["flag --untagged.port: key `odd.untagged`: what is there fits nothing that it takes"]);
        let told = wrong("tls: {cert: a, key: b}", &[("tls", "")], &[("tls.port", "2")]);
        let missing = ["cert", "key"].map(|key| format!("odd.conf:1:6: key `odd.tls`: the key `{key}` is missing"));
        assert_eq!(told, missing);
    }

    #[test]
    fn a_whole_of_several_layers_that_is_wrong_hides_nothing_of_one_of_them() {
        let ends = "key `odd.span`: it ends before it begins";
        let byte = "key `odd.span.high` takes a whole number from 0 to 255, not the text `x`";
        let [ends, byte] = [ends, byte].map(str::to_string);
        let told = wrong("span: {low: 5, high: 9}", &[], &[("span.high", "2")]);
        assert_eq!(told, [format!("flag --span.high: {ends}")]);
        let told = wrong("span: {low: 5}", &[], &[("span.high", "2")]);
        assert_eq!(told, [format!("flag --span.high: {ends}")]);
        // The wrong value is overridden.
        let told = wrong("span: {low: 5, high: x}", &[], &[("span.high", "2")]);
        assert_eq!(told, [format!("odd.conf:1:22: {byte}"), format!("flag --span.high: {ends}")]);
        let told = wrong("span: {low: 5}", &[("span.high", "x")], &[("span.high", "2")]);
        assert_eq!(told, [format!("flag --span.high: {ends}"), format!("variable SPAN.HIGH: {byte}")]);
    }
}

//! [`Lack`]: finds the mapping in which a key is missing, where serde does not name it. Serde reports only the first
//! key that is missing, and reads nothing of what is flattened beside it.

use super::{marked::find, trial::Trial};
use crate::config::{
    written::{
        value,
        way::{Step, Way, inner},
    },
    wrong::{
        failure::{Failure, Mark, NO_NAME, What},
        spot::Spot,
    },
};
use figment::value::{Tag, Value};
use serde::de::Unexpected;

/// The most mappings that are looked at, and the most of them that read the key.
const MOST: usize = 4000;
pub(super) const MOST_READ: usize = 100;

/// A missing key.
#[derive(Clone, Copy)]
pub(super) struct Lack<'t, 'a> {
    pub(super) field: &'t str,
    /// The failure that reports it, and its place.
    pub(super) what: &'t What,
    pub(super) spot: &'t Spot,
    pub(super) trial: &'t Trial<'a>,
}

/// Finds mappings that refuse unknown keys. Each is given an unknown key of its own.
struct Strangers<'w> {
    all: &'w [Way],
    with: Value,
}

impl<'w> Strangers<'w> {
    fn of(all: &'w [Way], merged: &Value) -> Self {
        let mut with = merged.clone();
        for (at, mapping) in all.iter().enumerate() {
            value::insert(&mut with, &inner(mapping, &key_of(at)), value::unreadable(number(at), Tag::Default));
        }
        Strangers { all, with }
    }

    /// The next mapping that does not know the missing key, in the order in which they are read.
    fn next(&mut self, lack: &Lack<'_, '_>) -> Option<Way> {
        while !lack.trial.is_spent() {
            let told = lack.trial.reads(&self.with).err()?.what;
            let is_it = |at: &usize| match &told {
                What::Unknown { key, .. } => *key == key_of(*at),
                // The mapping accepts any keys.
                other => is_read(other, number(*at)).is_some(),
            };
            let at = (0..self.all.len()).find(is_it)?;
            value::remove(&mut self.with, &inner(&self.all[at], &key_of(at)));
            if matches!(told, What::Unknown { known, .. } if !known.contains(&lack.field)) {
                return Some(self.all[at].clone());
            }
        }
        None
    }
}

/// A key that nobody writes.
fn key_of(at: usize) -> String {
    format!("{NO_NAME}{at}")
}

fn number(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

impl Lack<'_, '_> {
    /// The mapping that lacks the key, and a value that fits there, if one is known. `None` if the mapping cannot be
    /// found.
    ///
    /// The key is inserted into all mappings without it, with values that no type reads, so those that read the key are
    /// revealed one after the other. A mapping is the one if the original failure occurs when it alone does not have
    /// the key. Otherwise it gets a value that fits, and the next one is revealed.
    pub(super) fn found(&self) -> Option<(Way, Option<Value>)> {
        let mut all = Vec::new();
        let lacks_it = |value: &Value| value.as_dict().is_some_and(|dict| !dict.contains_key(self.field));
        find(
            value::at(self.trial.merged, &self.spot.way)?,
            &mut self.spot.way.clone(),
            &lacks_it,
            self.trial,
            &mut all,
        );
        if all.len() > MOST {
            return None;
        }
        if let Some((mapping, fits)) = self.first(&all) {
            return Some((mapping, Some(fits)));
        }
        all.retain(|mapping| !self.is_choice(mapping));
        let mut with = self.trial.merged.clone();
        for (at, mapping) in all.iter().enumerate() {
            value::insert(&mut with, &inner(mapping, self.field), value::unreadable(number(at), Tag::Default));
        }
        let mut strangers = Strangers::of(&all, self.trial.merged);
        let mut read_so_far: Vec<(usize, Option<Value>)> = Vec::new();
        for _ in 0..MOST_READ {
            let failure = self.trial.reads(&with).err();
            if self.trial.is_spent() {
                return None;
            }
            let read = failure.as_ref().and_then(|failure| {
                let is_it = |at: &usize| is_read(&failure.what, number(*at)).or_else(|| self.is_at(failure, &all[*at]));
                (0..all.len()).find_map(|at| Some((at, is_it(&at)?)))
            });
            match (failure, read) {
                (_, Some((at, may_be_name))) => {
                    let way = inner(&all[at], self.field);
                    let mut without = with.clone();
                    value::remove(&mut without, &way);
                    let is_it = self.is_said_of(&without);
                    let fits = self.fitting(&all[at], may_be_name, &without);
                    if is_it {
                        return Some((all[at].clone(), fits));
                    }
                    // If it is not known whether the value fits, the key stays out: the mapping may do without it.
                    let fits = fits.filter(|fits| !self.is_in_words(&way, fits, &without));
                    if let Some(value) = &fits {
                        value::insert(&mut without, &way, value.clone());
                    }
                    with = without;
                    read_so_far.push((at, fits));
                }
                (Some(Failure { what: What::Unknown { key, .. }, .. }), _) if key == self.field => {
                    let stranger = strangers.next(self)?;
                    let keys = |mapping: &[Step]| {
                        let dict = value::at(self.trial.merged, mapping).and_then(Value::as_dict);
                        dict.map(|dict| dict.keys().collect::<Vec<_>>())
                    };
                    // Mappings with the same keys do not know it either.
                    let is_alike = |mapping: &&Way| keys(mapping) == keys(&stranger);
                    let alike: Vec<&Way> = all.iter().filter(is_alike).collect();
                    alike.into_iter().for_each(|mapping| value::remove(&mut with, &inner(mapping, self.field)));
                }
                (Some(failure), _) if self.is_it(&failure) => {
                    // All other mappings have the key.
                    let mut without = read_so_far.iter().filter(|(_, fits)| fits.is_none());
                    let (at, _) = without.next().filter(|_| without.next().is_none())?;
                    return Some((all[*at].clone(), None));
                }
                _ => break,
            }
        }
        let is_it = |(at, fits): &(usize, Option<Value>)| {
            let mut without = with.clone();
            value::remove(&mut without, &inner(&all[*at], self.field));
            fits.is_some() && self.is_said_of(&without)
        };
        let (at, fits) = read_so_far.into_iter().find(is_it)?;
        Some((all[at].clone(), fits))
    }

    /// Is the mapping a variant under its name, which can have no other key?
    fn is_choice(&self, mapping: &Way) -> bool {
        let dict = value::at(self.trial.merged, mapping).and_then(Value::as_dict);
        if dict.is_none_or(|dict| dict.len() != 1) || self.trial.is_spent() {
            return false;
        }
        let mut other = self.trial.merged.clone();
        value::insert(&mut other, &inner(mapping, self.field), value::unreadable(0, Tag::Default));
        let failure = self.trial.reads(&other).err();
        // If the failure is about the inserted value, another enum reads the key.
        let is_it = |what| matches!(&what, What::Takes(takes) if takes.wants_choice() && is_read(&what, 0).is_none());
        failure.is_some_and(|failure| is_it(failure.what))
    }

    /// Is the key read in this mapping, and if so, as the name of a variant? `None` if it is not read.
    pub(super) fn may_be_name(&self, mapping: &[Step]) -> Option<bool> {
        self.is_name(mapping, self.trial.merged)
    }

    pub(super) fn is_name(&self, mapping: &[Step], around: &Value) -> Option<bool> {
        let mut other = around.clone();
        value::insert(&mut other, &inner(mapping, self.field), value::unreadable(0, Tag::Default));
        let failure = self.trial.reads(&other).err()?;
        is_read(&failure.what, 0).or_else(|| self.is_at(&failure, mapping))
    }

    /// `Some(false)` if the failure has the place of the key in this mapping, as it has where serde does not buffer.
    fn is_at(&self, failure: &Failure, mapping: &[Step]) -> Option<bool> {
        let spot = failure.spot.as_ref()?;
        (spot.way == inner(mapping, self.field)).then_some(false)
    }

    pub(super) fn is_said_of(&self, value: &Value) -> bool {
        self.trial.reads(value).is_err_and(|failure| self.is_it(&failure))
    }

    pub(super) fn is_it(&self, failure: &Failure) -> bool {
        self.trial.is_it(failure, self.what, self.spot)
    }
}

/// Is the failure about this unreadable value, and if so, as the name of a variant? `None` if it is not.
pub(super) fn is_read(what: &What, number: u16) -> Option<bool> {
    let bytes = value::bytes(number);
    match what {
        What::Takes(takes) => (takes.mark == Some(Mark::of(&Unexpected::Bytes(&bytes)))).then_some(false),
        What::NoVariant { found, .. } => {
            found.ends_with(&format!("`{}`", String::from_utf8_lossy(&bytes))).then_some(true)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{PluginName, Secret, Section as _, given::Given, samples::Even};
    use serde::{Deserialize, Serialize};
    use std::{collections::BTreeMap, net::IpAddr};

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Odd {
        flat: Option<Flat>,
        tagged: Option<Tagged>,
        all: BTreeMap<String, Tagged>,
        needy: Option<Needy>,
        many: Vec<Flat>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Flat {
        name: String,
        zone: String,
        #[serde(flatten)]
        inner: Inner,
        #[serde(flatten)]
        more: More,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Inner {
        host: IpAddr,
        port: u16,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct More {
        ratio: f32,
        #[serde(default)]
        password: Secret,
        deep: Option<Deep>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Deep {
        user: String,
        level: u8,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case")]
    enum Tagged {
        Flat {
            label: String,
            #[serde(flatten)]
            inner: Inner,
            #[serde(flatten)]
            more: More,
        },
        Other {
            label: String,
        },
        Around {
            deny: Option<Strict>,
            label: String,
            zone: String,
        },
        Evens {
            of: Vec<Odder>,
            count: u8,
        },
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Strict {
        zip: Option<u8>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Odder {
        odd: Even,
        other: Option<u8>,
    }

    /// None of the keys has a default.
    #[derive(Debug, Serialize, Deserialize)]
    struct Needy {
        plugin: PluginName,
        choice: Choice,
        by_name: BTreeMap<String, u8>,
        std_time: std::time::Duration,
        letter: char,
        odd: Even,
        #[serde(flatten)]
        inner: Inner,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Choice {
        Of(u8),
        Plain,
    }

    fn wrong(file: &str) -> Vec<String> {
        Given::file(Odd::META, file).wrong_in_line()
    }

    const PORT: &str = "takes a whole number from 0 to 65535, not the text `x`";

    fn missing(at: usize, key: &str, all: &[&str]) -> Vec<String> {
        all.iter().map(|missing| format!("{at}: key `odd.{key}`: the key `{missing}` is missing")).collect()
    }

    #[test]
    fn a_key_that_is_missing_hides_nothing_that_is_flattened_beside_it() {
        let keys = "port: x, ratio: y, deep: {level: 300}";
        let beside = |at: usize, key: &str| {
            [
                format!("{}: key `odd.{key}.port` {PORT}", at + 7),
                format!("{}: key `odd.{key}.ratio` takes a number, not the text `y`", at + 17),
                format!("{}: key `odd.{key}.deep`: the key `user` is missing", at + 26),
                format!("{}: key `odd.{key}.deep.level` takes a whole number from 0 to 255, not `300`", at + 34),
            ]
        };
        let told = |at: usize, key: &str, all: &[&str], beside: [String; 4]| {
            missing(at, key, all).into_iter().chain(beside).collect::<Vec<_>>()
        };
        assert_eq!(wrong(&format!("flat: {{{keys}}}")), told(7, "flat", &["name", "zone", "host"], beside(7, "flat")));
        assert_eq!(
            wrong(&format!("many: [{{{keys}}}]")),
            told(8, "many[0]", &["name", "zone", "host"], beside(8, "many[0]"))
        );
        assert_eq!(
            wrong(&format!("tagged: {{kind: flat, {keys}}}")),
            told(9, "tagged", &["label", "host"], beside(21, "tagged"))
        );
        assert_eq!(
            wrong(&format!("all: {{a: {{kind: other, label: l}}, b: {{kind: flat, {keys}}}}}")),
            told(38, "all.b", &["label", "host"], beside(50, "all.b"))
        );
        // A required key that is wrong hides no more than a missing one.
        let told = wrong("flat: {name: [x], zone: [y], host: 127.0.0.1, port: x, ratio: 1}");
        assert_eq!(
            told,
            [
                "14: key `odd.flat.name` takes a text, not a list".to_string(),
                "25: key `odd.flat.zone` takes a text, not a list".to_string(),
                format!("53: key `odd.flat.port` {PORT}"),
            ]
        );
    }

    #[test]
    fn all_that_are_missing_are_told_whatever_their_types_are() {
        let told = wrong("needy: {odd: even, port: x}");
        let all = ["plugin", "choice", "by_name", "std_time", "letter", "host"];
        let mut expected = missing(8, "needy", &all);
        expected.push(format!("26: key `odd.needy.port` {PORT}"));
        assert_eq!(told, expected);
        // No trial value fits `odd`, so what is flattened behind it is not read.
        let told = wrong("needy: {plugin: p, choice: plain, port: x}");
        assert_eq!(told, missing(8, "needy", &["by_name", "std_time", "letter", "odd"]));
    }

    /// A type's own message about a text has the place of the buffered mapping, so the key has to be searched for
    /// there.
    #[test]
    fn what_a_type_says_in_its_own_words_is_told_beside_a_key_that_is_missing() {
        let told = wrong("flat: {zone: z, host: bad, port: x, ratio: 1}");
        assert_eq!(
            told,
            [
                "7: key `odd.flat`: the key `name` is missing".to_string(),
                "23: key `odd.flat.host`: invalid IP address syntax".to_string(),
                format!("34: key `odd.flat.port` {PORT}"),
            ]
        );
        let told = wrong("tagged: {kind: flat, host: bad, port: x, ratio: 1}");
        assert_eq!(
            told,
            [
                "9: key `odd.tagged`: the key `label` is missing".to_string(),
                "28: key `odd.tagged.host`: invalid IP address syntax".to_string(),
                format!("39: key `odd.tagged.port` {PORT}"),
            ]
        );
        // Several keys have the same message.
        let told = wrong(
            "many: [{zone: z, host: bad, port: x, ratio: 1}, {name: n, zone: z, host: worse, port: 1, ratio: 1}, {port: 1}]",
        );
        let mut expected = missing(8, "many[0]", &["name"]);
        expected.push("24: key `odd.many[0].host`: invalid IP address syntax".to_string());
        expected.push(format!("35: key `odd.many[0].port` {PORT}"));
        expected.push("74: key `odd.many[1].host`: invalid IP address syntax".to_string());
        expected.extend(missing(101, "many[2]", &["name", "zone", "host", "ratio"]));
        assert_eq!(told, expected);
        let mut expected = missing(8, "needy", &["choice", "by_name", "std_time", "letter"]);
        expected.push("28: key `odd.needy.plugin` names `p`, but this agent has no such plugin".to_string());
        expected.push("37: key `odd.needy.host`: invalid IP address syntax".to_string());
        expected.push(format!("48: key `odd.needy.port` {PORT}"));
        assert_eq!(wrong("needy: {odd: even, plugin: p, host: bad, port: x}"), expected);
        // No trial value fits `odd`, but the message contains its text. What is behind it is not read.
        let mut expected = missing(8, "needy", &["choice", "by_name", "std_time", "letter"]);
        expected.push("14: key `odd.needy.odd`: `seven` is odd".to_string());
        assert_eq!(wrong("needy: {odd: seven, plugin: p}"), expected);
    }

    #[test]
    fn of_several_mappings_each_that_lacks_a_key_is_told() {
        let told = wrong("all: {a: {kind: other}, b: {kind: other, label: l}, c: {kind: other}, d: {label: l}}");
        let label = |at: usize, key: &str| missing(at, key, &["label"]).remove(0);
        assert_eq!(told, [label(10, "all.a"), label(56, "all.c"), missing(74, "all.d", &["kind"]).remove(0)]);
    }

    #[test]
    fn what_does_not_know_the_key_hides_nothing_of_what_is_around_it() {
        assert_eq!(wrong("tagged: {kind: around, deny: {zip: 1}}"), missing(9, "tagged", &["label", "zone"]));
    }

    /// No value is known that fits there.
    #[test]
    fn a_mapping_that_has_been_left_out_lacks_nothing() {
        let mut expected = vec!["34: key `odd.tagged.of[0].odd`: `seven` is odd".to_string()];
        expected.extend(missing(42, "tagged.of[1]", &["odd"]));
        expected
            .push("50: key `odd.tagged.of[1].other` takes a whole number from 0 to 255, not the text `x`".to_string());
        assert_eq!(wrong("tagged: {kind: evens, of: [{odd: seven}, {other: x}], count: 1}"), expected);
    }

    #[test]
    fn there_is_no_value_with_what_nobody_says() {
        let given = Given::file(Odd::META, "flat: {port: 1}");
        assert!(given.config.section_without_wrong_values::<Odd>("odd").is_none());
        assert!(given.config.section_without_wrong_values::<Odd>("none").is_some());
    }
}

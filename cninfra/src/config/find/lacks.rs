//! [`Lack`]: finds the mapping in which a key is missing, where serde does not name it. Serde reports only the first
//! key that is missing, and reads nothing of what is flattened beside it.

use super::{marked::collect_ways, trial::Trial};
use crate::config::{
    written::{
        value,
        way::{Step, Way, inner},
    },
    wrong::{
        failure::{Failure, Mark, What},
        spot::Spot,
    },
};
use figment::value::{Tag, Value};
use serde::de::Unexpected;

/// The most mappings that are looked at.
const MOST_MAPPINGS: usize = 4000;

/// A missing key.
#[derive(Clone, Copy)]
pub(super) struct Lack<'t, 'a> {
    pub(super) field: &'t str,
    /// The failure that reports it, and its place.
    pub(super) what: &'t What,
    pub(super) spot: &'t Spot,
    pub(super) trial: &'t Trial<'a>,
}

/// As what a type reads a value that no type accepts.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum ReadAs {
    /// As the name of a variant, to which what is beside it belongs.
    VariantName,
    Value,
}

impl Lack<'_, '_> {
    /// The mapping that lacks the key, and a value that fits there, if one is known. `None` if the mapping cannot be
    /// found.
    pub(super) fn find_mapping(&self) -> Option<(Way, Option<Value>)> {
        let (merged, mut all) = (self.trial.merged, Vec::new());
        let lacks_it = |value: &Value| value.as_dict().is_some_and(|dict| !dict.contains_key(self.field));
        let here = value::at(merged, &self.spot.way)?;
        collect_ways(here, &mut self.spot.way.clone(), &lacks_it, self.trial, &mut all);
        if all.len() > MOST_MAPPINGS {
            return None;
        }
        if let Some((mapping, fits)) = self.find_by_halves(&all) {
            return Some((mapping, Some(fits)));
        }
        all.retain(|mapping| !self.is_variant(mapping));
        self.find_one_by_one(&all)
    }

    /// Is the mapping a variant under its name, which can have no other key?
    fn is_variant(&self, mapping: &Way) -> bool {
        let dict = value::at(self.trial.merged, mapping).and_then(Value::as_dict);
        if dict.is_none_or(|dict| dict.len() != 1) || self.trial.is_spent() {
            return false;
        }
        let failure = self.failure_with_unreadable(mapping, self.trial.merged);
        // If the failure is about the inserted value, another enum reads the key.
        let is_of_choice =
            |what: &What| matches!(what, What::Takes(takes) if takes.wants_choice() && read_as(what, 0).is_none());
        failure.is_some_and(|failure| is_of_choice(&failure.what))
    }

    /// As what the key is read in this mapping; `None` if it is not read.
    pub(super) fn key_read_as(&self, mapping: &[Step], around: &Value) -> Option<ReadAs> {
        let failure = self.failure_with_unreadable(mapping, around)?;
        self.read_as_in(mapping, &failure, 0)
    }

    /// The failure if the key in this mapping has a value that no type reads.
    fn failure_with_unreadable(&self, mapping: &[Step], around: &Value) -> Option<Failure> {
        let mut other = around.clone();
        value::insert(&mut other, &inner(mapping, self.field), value::unreadable(0, Tag::Default));
        self.trial.try_read(&other).err()
    }

    /// As what the unreadable value with this number was read in this mapping; `None` if the failure is not about it.
    pub(super) fn read_as_in(&self, mapping: &[Step], failure: &Failure, number: u16) -> Option<ReadAs> {
        read_as(&failure.what, number).or_else(|| {
            // Where serde does not buffer, the failure has the place of the key.
            let spot = failure.spot.as_ref()?;
            (spot.way == inner(mapping, self.field)).then_some(ReadAs::Value)
        })
    }

    /// Does reading this value fail with the failure that reports the missing key?
    pub(super) fn fails_alike(&self, value: &Value) -> bool {
        self.trial.try_read(value).is_err_and(|failure| self.is_same_failure(&failure))
    }

    pub(super) fn is_same_failure(&self, failure: &Failure) -> bool {
        self.trial.is_same_at(failure, self.what, self.spot)
    }
}

/// As what the unreadable value with this number was read; `None` if the failure is not about it.
pub(super) fn read_as(what: &What, number: u16) -> Option<ReadAs> {
    let bytes = value::bytes(number);
    match what {
        What::Takes(takes) => (takes.mark == Some(Mark::of(&Unexpected::Bytes(&bytes)))).then_some(ReadAs::Value),
        What::NoVariant { found, .. } => {
            found.ends_with(&format!("`{}`", String::from_utf8_lossy(&bytes))).then_some(ReadAs::VariantName)
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

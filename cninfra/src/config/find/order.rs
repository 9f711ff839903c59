//! Finds the key of a mapping that is read last before a failure. Each key gets a value that no type reads, and the
//! failure reveals which of them is read first; that key gets its own value back, and so on. The failure is about the
//! last key, or about several keys that have been read, but not about those that are read only later.

use super::{lacks::read_as, narrow::Narrow};
use crate::config::{
    written::value,
    wrong::failure::{Failure, What},
};
use figment::value::{Dict, Tag, Value};

/// The most keys that are told apart.
const MOST_KEYS: u16 = 100;

/// A key that nobody writes, and that sorts after all others.
const AFTER_ALL: &str = "\u{10ffff}";

/// What is read of a mapping until the failure occurs.
pub(super) struct ReadOrder<'d> {
    pub(super) last: &'d String,
    /// The keys that are read, including the last one.
    pub(super) read: Dict,
    unread: Vec<&'d String>,
}

/// What the failure is about, as far as the order shows it.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum About {
    /// The key that is read last, alone.
    Last,
    /// The key that is read last, or the whole mapping.
    LastOrWhole,
    /// Perhaps several keys together.
    Several,
}

impl Narrow<'_, '_> {
    /// `None` if the order cannot be seen.
    pub(super) fn read_order<'d>(&self, tag: Tag, dict: &'d Dict) -> Option<ReadOrder<'d>> {
        let mut unread: Vec<(u16, &String)> = (0..=MOST_KEYS).zip(dict.keys()).collect();
        let numbered = |(number, key): &(u16, &String)| ((*key).clone(), value::unreadable(*number, tag));
        let (mut with, mut last, mut read) = (value::dict(unread.iter().map(numbered)), None, Dict::new());
        if with.len() > usize::from(MOST_KEYS) {
            return None;
        }
        loop {
            let failure = self.failure_with(Value::Dict(tag, with.clone()))?;
            if self.is_same_failure(&failure) {
                return Some(ReadOrder { last: last?, read, unread: unread.into_iter().map(|(_, key)| key).collect() });
            }
            let at = unread.iter().position(|(number, _)| read_as(&failure.what, *number).is_some())?;
            let (_, key) = unread.remove(at);
            with.insert(key.clone(), dict[key].clone());
            read.insert(key.clone(), dict[key].clone());
            last = Some(key);
        }
    }

    /// What the failure is about: it is certainly about the last key alone only if something is read after the last key, or if a required key is not missed before the last
    /// one is read: then the failure cannot be about the whole mapping.
    pub(super) fn about(&self, order: &ReadOrder<'_>, tag: Tag) -> About {
        // Keys that are read later might fail in the same way.
        let unread = order.unread.iter().map(|key| ((*key).clone(), value::unreadable(1, tag)));
        let all = value::dict(order.read.iter().map(|(key, value)| (key.clone(), value.clone())).chain(unread));
        let without = |keys: &[&String], unreadable: Option<&String>| {
            let mut other = all.clone();
            keys.iter().for_each(|key| drop(other.remove(*key)));
            other.extend(unreadable.map(|key| (key.clone(), value::unreadable(0, tag))));
            self.failure_with(Value::Dict(tag, other))
        };
        let is_same = |failure: &Option<Failure>| failure.as_ref().is_some_and(|failure| self.is_same_failure(failure));
        let reveals = |failure: &Option<Failure>, number| {
            failure.as_ref().is_some_and(|failure| read_as(&failure.what, number).is_some())
        };
        let is_read = |failure: Option<Failure>| reveals(&failure, 0);
        let last = order.last;
        let without_last = without(&[last], None);
        if is_same(&without_last) {
            return About::Several;
        }
        // If any keys are accepted, one that sorts after all others is also read later.
        let after = &AFTER_ALL.to_string();
        let mut is_sure =
            reveals(&without_last, 1) || is_same(&without(&[], Some(after))) && is_read(without(&[last], Some(after)));
        for key in order.read.keys().filter(|key| *key != last) {
            if is_same(&without(&[key], None)) {
                let is_needed = |failure| matches!(failure, Some(Failure { what: What::Missing { field, .. }, .. }) if field == *key);
                is_sure = is_sure || is_needed(without(&[key, last], None));
            } else if is_read(without(&[key], Some(last))) {
                return About::Several;
            }
        }
        if is_sure { About::Last } else { About::LastOrWhole }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Section as _, given::Given, samples::Lower};
    use serde::{Deserialize, Serialize};
    use std::{collections::BTreeMap, net::IpAddr};

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Odd {
        flat: Option<Flat<Tagged>>,
        beside: Option<Flat<Beside>>,
        either: Option<Flat<Either>>,
        named: Option<Named>,
        checked: Option<Checked>,
        two: Option<Two>,
        all: Vec<Outer>,
        entries: Option<Flat<Entries>>,
        parts: Option<Flat<Parts>>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Flat<T> {
        n: u8,
        #[serde(flatten)]
        of: T,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Named {
        name: String,
        #[serde(flatten)]
        of: Either,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case")]
    enum Tagged {
        Of { of: Vec<Lower>, port: u16 },
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "t", content = "c", rename_all = "kebab-case")]
    enum Beside {
        Of(Vec<Lower>),
        Row(Row),
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Either {
        Row(Row),
        By(BTreeMap<String, Lower>),
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Row {
        a: Lower,
        b: Lower,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case")]
    enum Entries {
        Words { by: BTreeMap<String, Lower> },
        Hosts { by: BTreeMap<String, IpAddr> },
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Parts {
        list: Vec<Lower>,
        by: BTreeMap<String, Lower>,
        port: u16,
        size: u16,
    }

    /// Right without any words.
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(try_from = "Flat<Beside>")]
    struct Checked(Flat<Beside>);
    impl TryFrom<Flat<Beside>> for Checked {
        type Error = &'static str;
        fn try_from(checked: Flat<Beside>) -> Result<Self, &'static str> {
            match &checked.of {
                Beside::Of(words) if words.is_empty() => Ok(Checked(checked)),
                _ => Err("they do not go together"),
            }
        }
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Two {
        label: String,
        #[serde(flatten)]
        from: From,
        #[serde(flatten)]
        to: To,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct From {
        from: Lower,
        low: u8,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct To {
        high: u8,
        to: Lower,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
    enum Outer {
        Of(Inner),
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "sort", rename_all = "kebab-case")]
    enum Inner {
        Host { host: IpAddr },
        Several { list: Vec<Inner>, row: Row },
    }

    fn wrong(file: &str) -> Vec<String> {
        let told = Given::file(Odd::META, file).wrong_in_line();
        told.iter().map(|told| told.split_once(": ").unwrap().1.to_string()).collect()
    }

    fn word(key: &str) -> String {
        format!("key `odd.{key}`: a word is not as it should be")
    }

    #[test]
    fn an_item_in_what_is_flattened_is_told_beside_whatever_else_is_wrong() {
        let n = |of: &str| format!("key `odd.{of}.n` takes a whole number from 0 to 255, not `-1`");
        assert_eq!(wrong("flat: {kind: of, n: 1, of: [wrong], port: 1}"), [word("flat.of[0]")]);
        assert_eq!(wrong("flat: {kind: of, n: -1, of: [lower, wrong], port: 1}"), [n("flat"), word("flat.of[1]")]);
        let port = "key `odd.flat`: the key `port` is missing";
        assert_eq!(wrong("flat: {kind: of, n: -1, of: [wrong]}"), [port.to_string(), n("flat"), word("flat.of[0]")]);
        assert_eq!(
            wrong("beside: {t: of, c: [wrong, lower, wrong], n: 1}"),
            [word("beside.c[0]"), word("beside.c[2]")]
        );
        assert_eq!(wrong("beside: {t: row, c: {a: lower, b: wrong}, n: -1}"), [word("beside.c.b"), n("beside")]);
        assert_eq!(wrong("either: {n: 1, row: {a: wrong, b: lower}}"), [word("either.row.a")]);
        assert_eq!(
            wrong("either: {n: 1, by: {a: wrong, b: lower, c: wrong}}"),
            [word("either.by.a"), word("either.by.c")]
        );
        let none = |key: &str| [format!("key `odd.{key}`: none of the keys is there of which it takes one")];
        assert_eq!(wrong("either: {n: 1}"), none("either"));
        assert_eq!(wrong("named: {name: n}"), none("named"));
    }

    #[test]
    fn of_two_that_are_alike_the_one_that_is_wrong_is_told() {
        assert_eq!(wrong("two: {label: l, from: wrong, low: 1, high: 1, to: lower}"), [word("two.from")]);
        assert_eq!(wrong("two: {label: l, from: lower, low: 1, high: 1, to: wrong}"), [word("two.to")]);
        // No value is known that fits, so the other one is not read.
        assert_eq!(wrong("two: {label: l, from: wrong, low: 1, high: 1, to: wrong}"), [word("two.from")]);
    }

    #[test]
    fn each_entry_of_a_map_in_what_is_flattened_is_told() {
        let words = ["a", "b", "d"].map(|key| word(&format!("entries.by.{key}")));
        assert_eq!(wrong("entries: {n: 1, kind: words, by: {a: x, b: x, c: lower, d: y}}"), words);
        let hosts = ["b", "c"].map(|key| format!("key `odd.entries.by.{key}`: invalid IP address syntax"));
        assert_eq!(wrong("entries: {n: 1, kind: hosts, by: {a: '::1', b: x, c: y}}"), hosts);
        let n = "key `odd.entries.n` takes a whole number from 0 to 255, not `-1`".to_string();
        let words = [word("entries.by.a"), word("entries.by.b")];
        assert_eq!(wrong("entries: {n: -1, kind: words, by: {a: x, b: x}}"), [&[n][..], &words].concat());
        // And beside items that are wrong.
        let parts = ["list[0]", "list[2]", "by.a", "by.c"].map(|key| word(&format!("parts.{key}")));
        assert_eq!(wrong("parts: {n: 1, list: [x, lower, x], by: {a: x, b: lower, c: x}, port: 1, size: 1}"), parts);
        // A map requires no keys.
        let told = wrong("parts: {n: 1, list: [x], by: {a: x}}");
        let [port, size] = ["port", "size"].map(|key| format!("key `odd.parts`: the key `{key}` is missing"));
        assert_eq!(told, [port, size, word("parts.list[0]"), word("parts.by.a")]);
    }

    #[test]
    fn a_tag_within_another_one_hides_nothing_in_a_list() {
        let host = |key: &str| format!("key `odd.{key}.host`: invalid IP address syntax");
        let row = "row: {a: lower, b: lower}";
        let told = wrong(&format!("all: [{{kind: of, sort: several, {row}, list: [{{sort: host, host: bad}}]}}]"));
        assert_eq!(told, [host("all[0].list[0]")]);
    }

    #[test]
    fn what_may_be_said_of_the_whole_is_told_of_that() {
        let whole = ["key `odd.checked`: they do not go together"];
        assert_eq!(wrong("checked: {t: of, c: [lower], n: 1}"), whole);
        assert_eq!(wrong("checked: {t: row, c: {a: lower, b: lower}, n: 1}"), whole);
        assert_eq!(wrong("checked: {t: of, c: [wrong], n: 1}"), [word("checked.c[0]")]);
    }
}

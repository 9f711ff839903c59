//! Finds the key of a mapping that a type's own message is about. Such a message names no place. If a key is required,
//! leaving it out does not show whether the message is about it.

use super::{
    alternatives::alternatives,
    narrow::Narrow,
    order::{About, ReadOrder},
};
use crate::config::{
    read::unexpected::unexpected,
    written::value,
    wrong::failure::{Failure, Mark, NO_NAME, NO_VARIANT, PANICKED, What},
};
use figment::value::{Dict, Tag, Value};

/// The most keys that are tried one by one.
const MOST_KEYS: usize = 100;

/// Is the failure due to a key?
#[derive(PartialEq)]
enum Due {
    Yes,
    /// Only one other value made it disappear.
    Perhaps,
    No,
}

impl Narrow<'_, '_> {
    /// The part of a mapping that the failure is due to, and what of the mapping is still to be read for it. `name`:
    /// the key with the variant's name. A part that fails in the same way beside that alone is blamed.
    pub(super) fn due_part<'d>(
        &mut self,
        tag: Tag,
        dict: &'d Dict,
        name: Option<&String>,
        found: Option<(&'d String, Value)>,
    ) -> Option<(&'d String, Value)> {
        let order = self.read_order(tag, dict);
        let about = order.as_ref().map_or(About::Several, |order| self.about(order, tag));
        let last = order.map(|ReadOrder { last, read, .. }| (last, Value::Dict(tag, read))).or(found);
        let is_alone = |(part, _): &(&String, Value)| self.fails_alone(part, name, tag, dict);
        if about == About::Last || last.as_ref().is_some_and(is_alone) {
            self.doubtful_from = self.doubtful_from.filter(|_| about != About::Last);
            return last;
        }
        if let Some(minimal) = self.minimal(tag, dict)
            && let Some(part) = self.only_cause(tag, &minimal)
        {
            return Some((dict.get_key_value(part)?.0, Value::Dict(tag, minimal)));
        }
        if about == About::Several {
            return None;
        }
        self.doubtful_from.get_or_insert(self.way.len());
        last
    }

    /// Does this part alone, beside the variant's name that it belongs to, fail in the same way, and due to its value?
    fn fails_alone(&self, part: &String, name: Option<&String>, tag: Tag, dict: &Dict) -> bool {
        let all = name.into_iter().chain([part]).filter_map(|key| dict.get_key_value(key));
        let all = value::dict(all.map(|(key, value)| (key.clone(), value.clone())));
        let Some(value) = all.get(part) else { return false };
        let is_due = |alternative: Value| {
            let mut other = all.clone();
            other.insert(part.clone(), alternative.clone());
            match self.failure_with(Value::Dict(tag, other)) {
                Some(Failure { what: What::Takes(takes), .. }) => {
                    takes.mark != Some(Mark::of(&unexpected(&alternative)))
                }
                // The failure is about the other value, or about a default.
                Some(failure) if failure.what.is_panic() && !self.is_same_failure(&failure) => false,
                failure => failure.is_none_or(|failure| !self.is_same_failure(&failure)),
            }
        };
        // The failure may be about something that is not there.
        let may_be_any = matches!(value, Value::Num(..) | Value::Bool(..))
            || self.words().is_some_and(|words| words.starts_with(PANICKED) || words == NO_VARIANT);
        self.fails_alike(Value::Dict(tag, all.clone())) && (!may_be_any || alternatives(value, &all).any(is_due))
    }

    /// No more keys than are needed for the failure. Other keys might fail in the same way.
    fn minimal(&self, tag: Tag, dict: &Dict) -> Option<Dict> {
        if dict.len() > MOST_KEYS {
            return None;
        }
        let mut minimal = dict.clone();
        for (key, value) in dict {
            minimal.remove(key);
            if !self.fails_alike(Value::Dict(tag, minimal.clone())) {
                minimal.insert(key.clone(), value.clone());
            }
        }
        Some(minimal)
    }

    /// The only key that the failure is due to, if that is certain.
    fn only_cause<'d>(&self, tag: Tag, dict: &'d Dict) -> Option<&'d String> {
        let due = |(key, value): (&'d String, &Value)| (key, self.due(key, value, tag, dict));
        let mut causes = dict.iter().map(due).filter(|(_, due)| *due != Due::No);
        causes.next().filter(|(_, due)| *due == Due::Yes && causes.next().is_none()).map(|(key, _)| key)
    }

    /// Does the failure disappear without this key, or, if the key is required, with other values of it?
    fn due(&self, key: &str, value: &Value, tag: Tag, dict: &Dict) -> Due {
        let mut other = dict.clone();
        other.remove(key);
        let is_due = match self.failure_with(Value::Dict(tag, other)) {
            Some(Failure { what: What::Missing { field, .. }, .. }) if *field == *key => {
                let mut others = alternatives(value, dict);
                let is_due = |alternative: Value| self.is_due_to_value(key, (value, alternative), tag, dict);
                if !others.any(is_due) {
                    return Due::No;
                }
                // A single value may be right only because of the others: as the last summand, or as a switch.
                others.any(is_due) && (dict.len() == 1 || !self.is_right_alone(key, tag))
            }
            // Another default has panicked.
            Some(failure) if failure.what.is_panic() && !self.is_same_failure(&failure) => return Due::No,
            failure if failure.as_ref().is_none_or(|failure| !self.is_same_failure(failure)) => true,
            _ => return Due::No,
        };
        if is_due { Due::Yes } else { Due::Perhaps }
    }

    /// Is nothing else required beside another text at this key? Then the text names a variant, and is right because
    /// nothing beside it is read.
    fn is_right_alone(&self, key: &str, tag: Tag) -> bool {
        self.failure_with(Value::Dict(tag, value::dict([(key.to_string(), value::text(NO_NAME))]))).is_none()
    }

    /// Does the failure disappear or change with the other value? A failure about that value itself does not count.
    fn is_due_to_value(&self, key: &str, (value, alternative): (&Value, Value), tag: Tag, dict: &Dict) -> bool {
        let mut other = dict.clone();
        other.insert(key.to_string(), alternative.clone());
        let Some(failure) = self.failure_with(Value::Dict(tag, other)) else { return true };
        match &failure.what {
            _ if self.is_same_failure(&failure) => false,
            // This mapping is right then.
            _ if self.is_elsewhere(&failure) => true,
            // The other value is empty, and fails because of that, unless the original lacks the same key.
            What::Missing { field, .. } if value.as_dict().is_some_and(|dict| dict.contains_key(*field)) => false,
            What::Takes(_) if matches!(value, Value::Dict(..) | Value::Array(..)) => false,
            What::Takes(takes) => takes.mark != Some(Mark::of(&unexpected(&alternative))),
            What::Says(words) => match (value.as_str(), alternative.as_str(), self.words()) {
                // It is the same message about both texts.
                (Some(text), Some(new), Some(said)) if words.contains(new) => words.replace(new, text) == said,
                // It is another mistake, or the same one in other words.
                _ => false,
            },
            // A key that was not read so far is missing, unless this is another variant.
            What::Missing { .. } => !self.is_variant_name_at(key, tag),
            What::NoVariant { .. } => false,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{
        Duration, Section as _,
        given::Given,
        samples::{Even, Lower, Span},
    };
    use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
    use std::{collections::BTreeMap, net::IpAddr};

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Odd {
        whole: Option<Whole>,
        lenient: Option<Lenient>,
        beside: Option<Beside>,
        pair: Option<Pair>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case")]
    enum Whole {
        Parts {
            on: bool,
            host: IpAddr,
            time: Duration,
            count: u8,
            name: Short,
        },
        Span(Span),
        Texts(Span<String>),
        Shares(Shares),
        Pool(Pool),
        Tls(Tls),
        Words {
            from: Lower,
            to: Lower,
        },
        Counted(Hosts<u8>),
        Switched(Hosts<bool>),
        Flat {
            label: String,
            #[serde(flatten)]
            inner: Inner,
        },
    }

    /// An unknown name is accepted, and what is beside it is not read.
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case")]
    enum Lenient {
        Shares {
            shares: Shares,
            count: u8,
        },
        #[serde(other)]
        Other,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Beside {
        label: String,
        #[serde(flatten)]
        words: Words,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Pair {
        pair: (u8, u8),
        #[serde(flatten)]
        word: Word,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Word {
        word: Short,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case")]
    enum Words {
        All { of: Vec<Lower>, port: u8 },
        By { by: BTreeMap<String, Lower>, port: u8 },
        Parts { pair: (u8, u8), shares: Shares, word: Short },
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(try_from = "PlainHosts<T>", bound(deserialize = "T: Deserialize<'de>"))]
    struct Hosts<T>(PlainHosts<T>);
    #[derive(Debug, Serialize, Deserialize)]
    struct PlainHosts<T> {
        of: T,
        #[serde(default)]
        hosts: Vec<String>,
    }
    impl<T> TryFrom<PlainHosts<T>> for Hosts<T> {
        type Error = &'static str;
        fn try_from(plain: PlainHosts<T>) -> Result<Self, &'static str> {
            let is_right = !plain.hosts.is_empty();
            all(Hosts(plain), is_right, "it has no hosts")
        }
    }

    /// The error of a type that checks all its keys together.
    fn all<T>(value: T, is_right: bool, words: &'static str) -> Result<T, &'static str> {
        if is_right { Ok(value) } else { Err(words) }
    }

    #[derive(Debug, Serialize)]
    struct Shares {
        one: u8,
        two: u8,
        rest: u8,
    }
    #[derive(Debug, Serialize)]
    struct Pool {
        least: u32,
        most: u32,
        sort: String,
    }
    #[derive(Debug, Serialize)]
    struct Tls {
        on: bool,
        cert: String,
        private: String,
    }

    #[derive(Deserialize)]
    #[serde(remote = "Shares")]
    struct PlainShares {
        one: u8,
        two: u8,
        rest: u8,
    }
    #[derive(Deserialize)]
    #[serde(remote = "Pool")]
    struct PlainPool {
        least: u32,
        most: u32,
        sort: String,
    }
    #[derive(Deserialize)]
    #[serde(remote = "Tls")]
    struct PlainTls {
        on: bool,
        cert: String,
        private: String,
    }

    impl<'de> Deserialize<'de> for Shares {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            let all_of = PlainShares::deserialize(from)?;
            let sum = u32::from(all_of.one) + u32::from(all_of.two) + u32::from(all_of.rest);
            all(all_of, sum == 100, "they are not 100 together").map_err(D::Error::custom)
        }
    }
    impl<'de> Deserialize<'de> for Pool {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            let pool = PlainPool::deserialize(from)?;
            let is_right = pool.sort != "fixed" || pool.least == pool.most;
            all(pool, is_right, "a fixed one has one size").map_err(D::Error::custom)
        }
    }
    impl<'de> Deserialize<'de> for Tls {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            let tls = PlainTls::deserialize(from)?;
            let is_right = !tls.on || !tls.cert.is_empty() && !tls.private.is_empty();
            all(tls, is_right, "it wants a certificate and its key").map_err(D::Error::custom)
        }
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Inner {
        on: bool,
        count: u8,
        short: Short,
        even: Even,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(try_from = "String")]
    struct Short(String);
    impl TryFrom<String> for Short {
        type Error = String;
        fn try_from(text: String) -> Result<Self, String> {
            if text.len() < 4 { Ok(Short(text)) } else { Err(format!("`{text}` is too long")) }
        }
    }

    fn wrong(whole: &str) -> Vec<String> {
        wrong_in(&format!("whole: {{kind: {whole}}}"))
    }

    fn wrong_in(file: &str) -> Vec<String> {
        let told = Given::file(Odd::META, file).wrong_in_line();
        told.iter().map(|told| told.split_once(": ").unwrap().1.to_string()).collect()
    }

    #[test]
    fn of_keys_each_of_which_is_needed_the_one_is_told_that_is_wrong() {
        assert_eq!(
            wrong("parts, on: true, host: bad, time: 5s, count: 1, name: n"),
            ["key `odd.whole.host`: invalid IP address syntax"]
        );
        assert_eq!(
            wrong("parts, on: true, host: bad, time: 5, count: 1, name: long"),
            [
                "key `odd.whole.host`: invalid IP address syntax",
                "key `odd.whole.time`: `5` has no unit: write `5s` for seconds, `5ms` for milliseconds",
                "key `odd.whole.name`: `long` is too long",
            ]
        );
    }

    #[test]
    fn the_words_may_be_about_the_text() {
        let told = wrong("flat, label: l, on: true, count: 1, short: s, even: seven");
        assert_eq!(told, ["key `odd.whole.even`: `seven` is odd"]);
        let told = wrong("flat, on: true, count: 1, short: long, even: even");
        assert_eq!(told, ["key `odd.whole`: the key `label` is missing", "key `odd.whole.short`: `long` is too long"]);
    }

    #[test]
    fn what_is_due_to_two_is_told_of_both_together() {
        let both = ["key `odd.whole`: it ends before it begins"];
        for (low, high) in [(5, 2), (1, 1), (254, 1), (201, 200)] {
            assert_eq!(wrong(&format!("span, low: {low}, high: {high}")), both, "{low} {high}");
        }
        assert_eq!(wrong("texts, low: z, high: a"), ["key `odd.whole`: it ends before it begins"]);
        // With this `high`, no `low` is right.
        assert_eq!(wrong("span, low: 5, high: 0"), ["key `odd.whole.high`: it ends before it begins"]);
        // If one of them is missing, and made up, nothing is reported about both.
        assert_eq!(wrong("span, low: 254"), ["key `odd.whole`: the key `high` is missing"]);
        assert_eq!(wrong("span, high: 1"), ["key `odd.whole`: the key `low` is missing"]);
        assert_eq!(wrong("texts, low: z"), ["key `odd.whole`: the key `high` is missing"]);
        assert_eq!(wrong("texts, high: a"), ["key `odd.whole`: the key `low` is missing"]);
    }

    #[test]
    fn one_of_several_is_not_blamed_since_what_is_tried_is_right_for_it_alone() {
        let whole = |words: &str| [format!("key `odd.whole`: {words}")];
        for shares in ["one: 50, two: 50, rest: 1", "one: 98, two: 2, rest: 3", "one: 33, two: 33, rest: 33"] {
            assert_eq!(wrong(&format!("shares, {shares}")), whole("they are not 100 together"), "{shares}");
        }
        assert_eq!(wrong("pool, least: 5, most: 6, sort: fixed"), whole("a fixed one has one size"));
        let certificate = whole("it wants a certificate and its key");
        assert_eq!(wrong("tls, on: true, cert: '', private: ''"), certificate);
        assert_eq!(wrong("tls, on: true, cert: c, private: ''"), certificate);
    }

    #[test]
    fn what_is_said_whatever_is_there_is_told_of_the_mapping() {
        let hosts = ["key `odd.whole`: it has no hosts"];
        assert_eq!(wrong("counted, of: 1"), hosts);
        assert_eq!(wrong("switched, of: true"), hosts);
    }

    /// With any other name, everything beside it is accepted.
    #[test]
    fn the_name_of_a_variant_is_not_blamed_for_what_belongs_to_it() {
        let shares = "key `odd.lenient`: they are not 100 together";
        assert_eq!(wrong_in("lenient: {kind: shares, shares: {one: 1, two: 1, rest: 1}, count: 1}"), [shares]);
    }

    #[test]
    fn of_what_has_parts_the_one_is_told_that_is_wrong_where_more_is_wrong_beside_it() {
        let port = "key `odd.beside.port` takes a whole number from 0 to 255, not `256`";
        let word = |key: &str| format!("key `odd.beside.{key}`: a word is not as it should be");
        let told = wrong_in("beside: {label: l, kind: all, port: 256, of: [upper]}");
        assert_eq!(told, [port.to_string(), word("of[0]")]);
        let told = wrong_in("beside: {label: l, kind: by, port: 256, by: {a: lower, b: upper}}");
        assert_eq!(told, [port.to_string(), word("by.b")]);
        // A text beside values that have required parts.
        let told =
            wrong_in("beside: {label: l, kind: parts, pair: [1, 2], shares: {one: 50, two: 50, rest: 0}, word: long}");
        assert_eq!(told, ["key `odd.beside.word`: `long` is too long"]);
        let told = wrong_in("pair: {pair: [1, 2], word: long}");
        assert_eq!(told, ["key `odd.pair.word`: `long` is too long"]);
    }

    /// No trial value is right, and the message does not contain the value.
    #[test]
    fn where_nothing_else_fits_it_is_the_one_without_which_it_is_not_said() {
        for (values, wrong_ones) in [
            ("from: lower, to: upper", ["to"].as_slice()),
            ("from: upper, to: lower", &["from"]),
            ("from: upper, to: upper", &["from", "to"]),
        ] {
            let told: Vec<_> =
                wrong_ones.iter().map(|key| format!("key `odd.whole.{key}`: a word is not as it should be")).collect();
            assert_eq!(wrong(&format!("words, {values}")), told);
        }
    }
}

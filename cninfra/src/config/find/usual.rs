//! Values that types of the usual kinds accept: they are tried in the place of something that is missing or wrong.

use crate::config::written::{value, way::Step};
use figment::value::{Dict, Num, Tag, Value};

/// Texts that types of the most usual kinds accept, and that are no names of variants; then texts of further kinds:
/// names, numbers, dates and times, versions, ids, networks, sizes, encoded bytes, schedules.
const TEXTS: &str = "\0|1s|127.0.0.1|127.0.0.1:80|http://localhost/|http://127.0.0.1/|a|localhost|1|0.5|1%|1KB|2000-01-01|00:00:00|\
    2000-01-01T00:00:00|2000-01-01T00:00:00Z|2000-01-01T00:00:00+00:00[UTC]|UTC|+00:00|PT1S|1.0.0|\
    00000000-0000-0000-0000-000000000000|::1|[::1]:80|127.0.0.1/32|::/0|00:00:00:00:00:00|a@example.org|info|en|GET|AAAA|\
    0000000000000000000000000000000000000000000000000000000000000000|#000000|644|0 0 * * *|0 0 0 * * *|a: b|a=b|a/b|1-2|true|/";
/// How many of the texts are tried before values that are not texts.
const MOST_USUAL: usize = 5;
const NUMBERS: [Num; 5] = [Num::U64(1), Num::U64(0), Num::U64(8080), Num::U64(200), Num::F64(0.5)];

/// The most values from elsewhere in the section that are tried.
const MOST_ALIKE: usize = 3;

pub(super) fn texts() -> std::str::Split<'static, char> {
    TEXTS.split('|')
}

/// Values that may fit at the end of this way, beginning with those at places of the same name elsewhere in the
/// section.
pub(super) fn usual(tag: Tag, way: &[Step], whole: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    collect_alike(whole, way.len(), &way[way.len().saturating_sub(1)..], &mut all);
    let wrong = value::at(whole, way);
    all.retain(|alike| Some(alike) != wrong);
    for (at, text) in texts().enumerate() {
        if at == MOST_USUAL {
            for number in NUMBERS {
                all.push(Value::Num(tag, number));
            }
            all.push(Value::Bool(tag, false));
            all.push(Value::Array(tag, Vec::new()));
            all.push(Value::Dict(tag, Dict::new()));
        }
        all.push(Value::String(tag, text.to_string()));
    }
    all
}

/// Collects values at the same depth and of the same name, but no nulls and no trial values.
fn collect_alike(value: &Value, depth: usize, name: &[Step], all: &mut Vec<Value>) {
    match value {
        value if depth < 2 => {
            if let Some(here) = value::at(value, name)
                && !matches!(here, Value::Empty(..) | Value::Char(..))
                && all.len() < MOST_ALIKE
                && !all.contains(here)
            {
                all.push(here.clone());
            }
        }
        Value::Dict(_, dict) => dict.values().for_each(|inner| collect_alike(inner, depth - 1, name, all)),
        Value::Array(_, items) => items.iter().for_each(|inner| collect_alike(inner, depth - 1, name, all)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{
        Section as _,
        given::Given,
        samples::{Lower, Span},
    };
    use serde::{Deserialize, Serialize};
    use std::{collections::BTreeMap, net::IpAddr};

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Odd {
        flat: Option<Flat>,
        all: Vec<Words>,
        by: BTreeMap<String, Words>,
        needy: Option<Needy>,
        deep: Option<Deep>,
    }

    /// The type that is read first accepts texts of forms that its messages do not tell.
    #[derive(Debug, Serialize, Deserialize)]
    struct Flat {
        label: String,
        #[serde(flatten)]
        first: First,
        #[serde(flatten)]
        second: Second,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct First {
        version: Version,
        time: Clock,
        size: u8,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Second {
        host: IpAddr,
        port: u8,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Words {
        #[serde(flatten)]
        word: Word,
        #[serde(flatten)]
        second: Second,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Word {
        word: Lower,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Needy {
        plain: Plain,
        span: Span,
        #[serde(flatten)]
        second: Second,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Deep {
        #[serde(flatten)]
        needs: Needs,
        #[serde(flatten)]
        second: Second,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Needs {
        plain: Plain,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Plain {
        host: IpAddr,
        pair: (u8, Version, Vec<u8>),
        span: Span,
        inner: Second,
    }

    fn numbers<const COUNT: usize>(text: &str, end: char) -> Result<[u32; COUNT], &'static str> {
        let parts: Result<Vec<u32>, _> = text.split(end).map(str::parse).collect();
        parts.map_err(|_| "it has other characters")?.try_into().map_err(|_| "it is too short, or too long")
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(try_from = "String")]
    struct Version(String);

    impl TryFrom<String> for Version {
        type Error = &'static str;
        fn try_from(text: String) -> Result<Self, &'static str> {
            let [_major, _minor, _patch] = numbers(&text, '.')?;
            Ok(Version(text))
        }
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(try_from = "String")]
    struct Clock(String);

    impl TryFrom<String> for Clock {
        type Error = &'static str;
        fn try_from(text: String) -> Result<Self, &'static str> {
            let [hour, minute, second] = numbers(&text, ':')?;
            if hour < 24 && minute < 60 && second < 60 { Ok(Clock(text)) } else { Err("there is no such time") }
        }
    }

    fn wrong(file: &str) -> Vec<String> {
        let told = Given::file(Odd::META, file).wrong_in_line();
        told.iter().map(|told| told.split_once(": key `odd.").unwrap().1.replacen('`', "", 1)).collect()
    }

    fn second(key: &str) -> [String; 2] {
        [
            format!("{key}.host: invalid IP address syntax"),
            format!("{key}.port takes a whole number from 0 to 255, not the text `x`"),
        ]
    }

    fn told(first: &[&str], key: &str) -> Vec<String> {
        first.iter().map(ToString::to_string).chain(second(key)).collect()
    }

    #[test]
    fn a_text_of_a_usual_form_hides_nothing_that_is_flattened_behind_it() {
        let size = "flat.size takes a whole number from 0 to 255, not the text `x`";
        let first = ["flat.version: it has other characters", "flat.time: there is no such time", size];
        let file = "flat: {label: l, version: 1.x.0, time: '25:00:00', size: x, host: bad, port: x}";
        assert_eq!(wrong(file), told(&first, "flat"));
        let first = ["flat: the key `version` is missing", "flat: the key `time` is missing", size];
        assert_eq!(wrong("flat: {label: l, size: x, host: bad, port: x}"), told(&first, "flat"));
    }

    #[test]
    fn what_stands_by_the_same_name_may_fit() {
        let right = "{word: lower, host: '::1', port: 1}";
        let bad = "a word is not as it should be";
        for (around, key) in [("all: [RIGHT, WRONG]", "all[1]"), ("by: {a: WRONG, b: RIGHT}", "by.a")] {
            let file = |wrong: &str| around.replace("RIGHT", right).replace("WRONG", wrong);
            let first = format!("{key}.word: {bad}");
            assert_eq!(wrong(&file("{word: bad, host: bad, port: x}")), told(&[&first], key));
            let first = format!("{key}: the key `word` is missing");
            assert_eq!(wrong(&file("{host: bad, port: x}")), told(&[&first], key));
        }
        // If there is none, what is behind it is not read.
        assert_eq!(wrong("all: [{word: bad, host: bad, port: x}]"), [format!("all[0].word: {bad}")]);
    }

    #[test]
    fn a_mapping_that_is_missing_hides_nothing_whatever_it_takes() {
        for (key, all) in [("needy", &["plain", "span"][..]), ("deep", &["plain"])] {
            let first: Vec<String> = all.iter().map(|field| format!("{key}: the key `{field}` is missing")).collect();
            let first: Vec<&str> = first.iter().map(String::as_str).collect();
            assert_eq!(wrong(&format!("{key}: {{host: bad, port: x}}")), told(&first, key));
        }
    }
}

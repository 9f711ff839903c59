//! Finds the wrong key in a value that serde buffers before reading it: a failure in there has no place of its own.

use super::{
    fits::failing_default,
    found_spot::{found_spot, show},
    lacks::{Lack, ReadAs},
    left_out::mapping_without,
    marked::find_marked,
    narrow::Narrow,
    trial::{MadeUp, Trial},
};
use crate::config::{
    said::shape::Kind,
    written::{
        value,
        way::{Step, Way, inner},
    },
    wrong::{failure::What, spot::Spot},
};
use figment::value::Value;

/// What is wrong.
pub(super) struct Culprit {
    /// The place, as far as it can be known; without the names of keys if it is in a secret.
    pub(super) spot: Spot,
    /// The length of the part of the way that exists, and is to be left out.
    pub(super) left_out_len: usize,
    /// If a key is missing, or its default is wrong: a value that fits there, if one is known.
    pub(super) fits: Option<Value>,
    pub(super) nearness: Nearness,
}

/// How near the known place is to the mistake.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Nearness {
    /// The mistake is at this place.
    Here,
    /// The mistake is at this place, or further in.
    Within,
}

/// Finds what is wrong within a mapping, apart from made-up values.
pub(super) fn culprit(what: &What, spot: &Spot, trial: &Trial<'_>, made_up: &MadeUp) -> Option<Culprit> {
    let may_be_within = matches!(
        what,
        What::Says(_) | What::Takes(_) | What::Unknown { .. } | What::NoVariant { .. } | What::Missing { .. }
    );
    if !may_be_within || trial.is_spent() {
        return None;
    }
    // The key of a choice may be a secret in the place of a name. No type can be asked about an item of a tuple.
    let kind = trial.wanted_at(&spot.way).shape.map_or(Kind::Any, |shape| shape.kind);
    if !matches!(kind, Kind::Any | Kind::Map | Kind::Struct(_)) {
        return None;
    }
    if let What::Missing { field, .. } = what {
        let (way, fits, nearness) = lacking(Lack { field, what, spot, trial }, kind, made_up);
        let left_out_len = way.len();
        return Some(Culprit { left_out_len, spot: found_spot(what, spot, way, trial)?, fits, nearness });
    }
    let way = wrong_part(what, spot, trial)?;
    let left_out_len = way.len();
    let default = if what.is_panic() { failing_default(what, spot, &way, trial) } else { None };
    let mut spot = found_spot(what, spot, way, trial)?;
    let Some((field, fits)) = default else {
        return Some(Culprit { spot, left_out_len, fits: None, nearness: Nearness::Here });
    };
    let step = Step::Key(field.to_string());
    show(&step, &mut spot.path);
    spot.way.push(step);
    Some(Culprit { spot, left_out_len, fits: Some(fits), nearness: Nearness::Here })
}

/// The mapping that lacks the key, a value that fits there, if one is known, and how near that is.
fn lacking(lack: Lack<'_, '_>, kind: Kind, made_up: &MadeUp) -> (Way, Option<Value>, Nearness) {
    let Lack { field, what, spot, trial } = lack;
    let is_own = value::at(trial.merged, &inner(&spot.way, field)).is_none();
    // A struct that lacks a key has its own place, unless the key is missing in the content beside a tag.
    if matches!(kind, Kind::Struct(of) if is_own && of.contains(&field)) {
        let fits = lack.fitting(&spot.way, ReadAs::Value, trial.merged);
        return (spot.way.clone(), fits, Nearness::Here);
    }
    // The key was there, but wrong.
    if let Some(mapping) = mapping_without(field, spot, trial, made_up) {
        let (value, dropped) = trial.reduced_from(spot.way.len(), &mapping);
        let near = trial.of_part(&value, &dropped);
        let [near, all] = [&near, trial].map(|trial| Lack { trial, ..lack });
        let read_as = |lack: Lack<'_, '_>| lack.key_read_as(&mapping, lack.trial.merged);
        let read = [near, all].into_iter().find_map(|lack| Some((read_as(lack)?, lack)));
        let fits = read.and_then(|(read_as, lack)| lack.fitting(&mapping, read_as, lack.trial.merged));
        return (mapping, fits, Nearness::Here);
    }
    match trial.with_half_budget(|half| Lack { trial: half, ..lack }.find_mapping()) {
        Some((mapping, fits)) => (mapping, fits, Nearness::Here),
        // This is as near as the search can get.
        None => (Narrow::new(trial, what, spot).find_way(), None, Nearness::Within),
    }
}

/// The way to what does not fit.
fn wrong_part(what: &What, spot: &Spot, trial: &Trial<'_>) -> Option<Way> {
    if let Some(way) = find_marked(what, spot, trial) {
        return Some(way);
    }
    let mut narrow = Narrow::new(trial, what, spot);
    let mut way = narrow.find_way();
    // A key that stands alone may itself be what is no variant, and a secret in the place of a name.
    if let (What::NoVariant { .. }, Some((Step::Key(_), around))) = (what, way.split_last())
        && way.len() > spot.way.len()
    {
        let is_alone = value::at(trial.merged, around)?.as_dict().is_some_and(|dict| dict.len() == 1);
        if is_alone && !narrow.is_at_variant_name() {
            way.pop();
        }
    }
    Some(way)
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Duration, Files, Known, Section as _, given::Given, samples::Span};
    use cninfra_testbed::Folder;
    use serde::{Deserialize, Serialize};
    use std::collections::BTreeMap;

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Odd {
        tagged: Option<Tagged>,
        by_name: BTreeMap<String, Inner>,
        beside: Option<Beside>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
    enum Inner {
        Basic {
            user: String,
            port: u16,
            #[serde(default)]
            peers: Vec<Host>,
            more: Option<Box<Inner>>,
        },
        Token {
            token: String,
        },
    }

    /// The content comes before the name.
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "t", content = "c", rename_all = "kebab-case")]
    enum Beside {
        Hosts(Vec<Host>),
        Inner(Inner),
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
    enum Tagged {
        Some {
            #[serde(default)]
            ports: Vec<u16>,
            #[serde(default)]
            hosts: Vec<Host>,
            #[serde(default)]
            ends: Vec<End>,
            #[serde(default)]
            times: Vec<Duration>,
            pair: Option<(u8, String)>,
            side: Option<Side>,
            span: Option<Span>,
            more: Option<u8>,
            least: Option<u8>,
            inner: Option<Inner>,
            #[serde(default)]
            by_name: BTreeMap<String, Inner>,
            #[serde(default)]
            several: Vec<Inner>,
            beside: Option<Beside>,
            needy: Option<Needy>,
        },
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Needy {
        host: Host,
        name: String,
        other: Option<Host>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Host {
        name: String,
        port: Option<u16>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(untagged)]
    enum End {
        Port(u16),
        Both { host: String, port: u16 },
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Side {
        Left,
        Right,
    }

    fn wrong(tagged: &str) -> Vec<String> {
        wrong_in(&format!("tagged: {{kind: some, {tagged}}}"))
    }

    /// The mistakes in a file of one line, with their columns.
    fn wrong_in(file: &str) -> Vec<String> {
        Given::file(Odd::META, file).wrong_in_line()
    }

    #[test]
    fn each_of_those_that_are_wrong_alike_is_told_where_it_is() {
        let small = "takes a whole number from 0 to 255, not the text `x`";
        assert_eq!(
            wrong("more: x, least: x"),
            [format!("28: key `odd.tagged.more` {small}"), format!("38: key `odd.tagged.least` {small}")]
        );
        let port = "takes a whole number from 0 to 65535, not the text `x`";
        assert_eq!(
            wrong("ports: [1, x, 2, x, x], more: x"),
            [
                format!("33: key `odd.tagged.ports[1]` {port}"),
                format!("39: key `odd.tagged.ports[3]` {port}"),
                format!("42: key `odd.tagged.ports[4]` {port}"),
                format!("52: key `odd.tagged.more` {small}"),
            ]
        );
        assert_eq!(
            wrong("hosts: [{name: a, port: x}, {name: b}, {name: c, port: x}, {name: d, prot: 1}, {name: e, prot: 1}]"),
            [
                format!("46: key `odd.tagged.hosts[0].port` {port}"),
                format!("77: key `odd.tagged.hosts[2].port` {port}"),
                "91: key `odd.tagged.hosts[3].prot` is unknown".to_string(),
                "111: key `odd.tagged.hosts[4].prot` is unknown".to_string(),
            ]
        );
        // Some keys are missing, and one only seems to be, since it is wrong.
        assert_eq!(
            wrong("hosts: [{name: [x]}, {port: 1}, {name: b}, {port: x}]"),
            [
                "37: key `odd.tagged.hosts[0].name` takes a text, not a list".to_string(),
                "43: key `odd.tagged.hosts[1]`: the key `name` is missing".to_string(),
                "65: key `odd.tagged.hosts[3]`: the key `name` is missing".to_string(),
                "72: key `odd.tagged.hosts[3].port` takes a whole number from 0 to 65535, not the text `x`".to_string(),
            ]
        );
        let nothing = "what is there fits nothing that it takes";
        assert_eq!(
            wrong("ends: [1, {host: a, port: x}, {host: b, port: 2}, x], times: [1s, 5, 2s, 5]"),
            [
                format!("32: key `odd.tagged.ends[1]`: {nothing}"),
                format!("72: key `odd.tagged.ends[3]`: {nothing}"),
                "88: key `odd.tagged.times[1]`: `5` has no unit: write `5s` for seconds, `5ms` for milliseconds"
                    .to_string(),
                "95: key `odd.tagged.times[3]`: `5` has no unit: write `5s` for seconds, `5ms` for milliseconds"
                    .to_string(),
            ]
        );
    }

    #[test]
    fn what_is_wrong_only_together_is_told_of_the_whole() {
        assert_eq!(wrong("span: {low: 5, high: 2}"), ["28: key `odd.tagged.span`: it ends before it begins"]);
        assert_eq!(wrong("pair: [1, 2]"), ["32: key `odd.tagged.pair[1]` takes a text, not `2`"]);
        assert_eq!(wrong("pair: [1]"), ["28: key `odd.tagged.pair` takes 2 values, not 1"]);
        let side = wrong("side: up, pair: [x, y]");
        assert_eq!(side.len(), 2, "{side:?}");
        assert!(
            side[0].starts_with("28: key `odd.tagged.side` takes `left` or `right`, not what is there"),
            "{side:?}"
        );
        assert!(side[1].starts_with("39: key `odd.tagged.pair[0]` takes a whole number"), "{side:?}");
    }
    /// Finding the place of each one would take the time of a start.
    #[test]
    fn of_thousands_few_are_looked_for() {
        let ports = |count: usize| format!("ports: [{}]", vec!["x"; count].join(", "));
        let located = |told: &[String]| told.iter().filter(|told| told.contains("ports[")).count();
        assert_eq!(located(&wrong(&ports(20))), 20);
        let many = wrong(&ports(8000));
        assert!(!many.is_empty() && located(&many) < 20, "{many:?}");
    }

    const PORT: &str = "takes a whole number from 0 to 65535, not the text `x`";
    const NO_KIND: &str = "takes `basic` or `token`, not what is there (it is not shown, since a secret may be there)";

    #[test]
    fn what_is_wrong_in_an_enum_in_another_one_is_told_at_its_key() {
        let text = "takes a text, not `5`";
        assert_eq!(
            wrong("inner: {kind: basic, user: 5, port: x}, more: x"),
            [
                format!("49: key `odd.tagged.inner.user` {text}"),
                format!("58: key `odd.tagged.inner.port` {PORT}"),
                "68: key `odd.tagged.more` takes a whole number from 0 to 255, not the text `x`".to_string(),
            ]
        );
        let more = "more: {kind: basic, user: 5, port: x, peers: [{name: a}, {name: b, port: x}, {port: 1}]}";
        assert_eq!(
            wrong(&format!("inner: {{kind: basic, user: u, port: x, {more}}}")),
            [
                format!("58: key `odd.tagged.inner.port` {PORT}"),
                format!("87: key `odd.tagged.inner.more.user` {text}"),
                format!("96: key `odd.tagged.inner.more.port` {PORT}"),
                format!("134: key `odd.tagged.inner.more.peers[1].port` {PORT}"),
                "138: key `odd.tagged.inner.more.peers[2]`: the key `name` is missing".to_string(),
            ]
        );
    }

    #[test]
    fn a_wrong_name_of_a_variant_hides_nothing_beside_it() {
        let entries = "{a: {kind: x}, b: {kind: basic, user: u, port: x}, c: {kind: [x]}, d: {}, e: {kind: x}}";
        let told = |before: usize, key: &str| {
            [
                format!("{}: key `odd.{key}.a.kind` {NO_KIND}", before + 11),
                format!("{}: key `odd.{key}.b.port` {PORT}", before + 47),
                format!("{}: key `odd.{key}.c.kind` takes a name, not a list", before + 61),
                format!("{}: key `odd.{key}.d`: the key `kind` is missing", before + 70),
                format!("{}: key `odd.{key}.e.kind` {NO_KIND}", before + 84),
            ]
        };
        assert_eq!(wrong_in(&format!("by-name: {entries}")), told(10, "by-name"));
        assert_eq!(wrong(&format!("by_name: {entries}")), told(31, "tagged.by_name"));
    }

    #[test]
    fn what_belongs_to_a_name_is_looked_into_wherever_the_name_stands() {
        let told = |before: usize, key: &str| {
            [
                format!("{}: key `odd.{key}.c[1].port` {PORT}", before + 41),
                format!("{}: key `odd.{key}.c[2]`: the key `name` is missing", before + 45),
            ]
        };
        let hosts = "beside: {t: hosts, c: [{name: a}, {name: b, port: x}, {port: 1}]}";
        assert_eq!(wrong_in(hosts), told(10, "beside"));
        assert_eq!(wrong(hosts), told(31, "tagged.beside"));
        let inner = "beside: {t: inner, c: {kind: basic, user: 5, port: x}}";
        assert_eq!(
            wrong_in(inner),
            [
                "43: key `odd.beside.c.user` takes a text, not `5`".to_string(),
                format!("52: key `odd.beside.c.port` {PORT}")
            ]
        );
    }

    #[test]
    fn what_is_missing_is_told_of_the_mapping_that_needs_it() {
        let missing = "key `odd.tagged.needy`: the key `name` is missing";
        assert_eq!(wrong("needy: {host: {name: x}}"), [format!("29: {missing}")]);
        assert_eq!(wrong("needy: {host: {name: x, port: 1}, other: {name: x}}"), [format!("29: {missing}")]);
        assert_eq!(
            wrong("needy: {name: x, host: {port: 1}}"),
            ["45: key `odd.tagged.needy.host`: the key `name` is missing"]
        );
        assert_eq!(wrong("needy: {name: x}"), ["29: key `odd.tagged.needy`: the key `host` is missing"]);
    }

    #[test]
    fn a_key_that_is_needed_and_misspelled_is_one_mistake() {
        let told = wrong("several: [{kind: token, tokn: x}, {kind: basic, usr: u, prot: 1}, {kind: token, key: x}]");
        assert_eq!(
            told,
            [
                "46: key `odd.tagged.several[0].tokn` is unknown",
                "70: key `odd.tagged.several[1].usr` is unknown",
                "78: key `odd.tagged.several[1].prot` is unknown",
                "88: key `odd.tagged.several[2]`: the key `token` is missing",
                "102: key `odd.tagged.several[2].key` is unknown",
            ]
        );
    }

    #[test]
    fn of_hundreds_in_one_value_those_that_are_told_have_their_keys() {
        let port = |at: usize| if at.is_multiple_of(10) { "x" } else { "1" };
        let item = |at: usize| format!("{{kind: basic, user: u, port: {}}}", port(at));
        let entries = |count| (0..count).map(|at| format!("k{at}: {}", item(at))).collect::<Vec<_>>().join(", ");
        let items = |count| (0..count).map(item).collect::<Vec<_>>().join(", ");
        // There are few enough that a slow machine finds them within the time for the search.
        for tagged in [format!("by_name: {{{}}}", entries(200)), format!("several: [{}]", items(200))] {
            let told = wrong(&tagged);
            let located = told.iter().filter(|told| told.contains(".port` ")).count();
            assert!(located >= 10 && told.len() <= located + 1, "{told:?}");
        }
        // Where serde does not buffer the mapping, all mistakes that are reported have their keys.
        let told = wrong_in(&format!("by-name: {{{}}}", entries(400)));
        assert_eq!(told.iter().filter(|told| told.contains(".port` ")).count(), 30, "{told:?}");
    }

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default)]
    struct Mixed {
        by_name: BTreeMap<String, Newtype>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "type", rename_all = "kebab-case")]
    enum Newtype {
        Numbers(BTreeMap<String, u8>),
        Flat(Flat),
        Deep { external: External, ends: Vec<End>, pair: (u8, u8) },
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Flat {
        zone: String,
        time: Option<Duration>,
        #[serde(flatten)]
        inner: Inner,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum External {
        One(Inner),
        Many { all: Vec<Inner>, beside: Option<Beside> },
    }

    #[test]
    fn enums_of_all_kinds_in_each_other_are_looked_into() {
        let wrong = |file: &str| {
            let (folder, known) = (Folder::new(), Known::none().plugin("mixed", Mixed::META));
            folder.write("mixed.conf", file);
            let mut config = Config::new();
            config.read_files(&Files { dir: folder.path().into(), named: Vec::new() }, &known);
            let told = config.check(&known).into_iter().map(|told| told.what.replace("key `mixed.by-name.", "`"));
            told.collect::<Vec<_>>()
        };
        let byte = "takes a whole number from 0 to 255, not";
        let many = "{many: {all: [{kind: tokn}, {kind: token}, {kind: token, token: t, prt: 1}], beside: {t: hosts, c: [{port: 1}]}}}";
        assert_eq!(
            wrong(&format!(
                "by-name:\n  a: {{type: numbers, b: 300, c: x}}\n  b: {{type: hst}}\n  \
                 c: {{type: deep, external: {many}, ends: [1, x], pair: [1, 300]}}\n  \
                 d: {{type: deep, external: {{on: {{}}}}, ends: x, pair: [1]}}\n  \
                 e: {{type: deep, external: {{one: {{kind: basic, user: 5, port: x}}}}, ends: [], pair: [1, 2]}}"
            )),
            [
                format!("`a.b` {byte} `300`"),
                format!("`a.c` {byte} the text `x`"),
                "`b.type` takes `numbers`, `flat` or `deep`, not what is there (it is not shown, since a secret may be there)".to_string(),
                format!("`c.external.many.all[0].kind` {NO_KIND}"),
                "`c.external.many.all[1]`: the key `token` is missing".to_string(),
                "`c.external.many.all[2].prt` is unknown".to_string(),
                "`c.external.many.beside.c[0]`: the key `name` is missing".to_string(),
                "`c.ends[1]`: what is there fits nothing that it takes".to_string(),
                format!("`c.pair[1]` {byte} `300`"),
                "`d.external` takes `one` or `many`, not what is there (it is not shown, since a secret may be there)".to_string(),
                "`d.ends` takes a list, not a text".to_string(),
                "`d.pair` takes 2 values, not 1".to_string(),
                "`e.external.one.user` takes a text, not `5`".to_string(),
                format!("`e.external.one.port` {PORT}"),
            ]
        );
        // Keys of a flattened enum.
        let flat = |keys: &str| wrong(&format!("by-name: {{a: {{type: flat, zone: z, {keys}}}}}"));
        assert_eq!(flat("kind: basic, user: u, port: x"), [format!("`a.port` {PORT}")]);
        assert_eq!(flat("kind: bsc, user: u"), [format!("`a.kind` {NO_KIND}")]);
        assert_eq!(
            flat("kind: basic, user: u, port: 1, more: {kind: token}"),
            ["`a.more`: the key `token` is missing"]
        );
    }
}

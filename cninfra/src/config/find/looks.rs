//! Texts of flags and variables that look like something else, where only the type's own code knows what is wanted (it
//! is tagged, untagged or flattened). Each is read as what it looks like and, if that does not fit, as a text.

use super::{marked::find_marked, trial::Trial};
use crate::config::{
    read::{number, unexpected::unexpected},
    said::texts::{OriginalTexts, restore},
    written::value,
    wrong::{
        failure::{Failure, Mark, Takes, What},
        spot::Spot,
    },
};

/// The most texts that are tried in all combinations, each as a text or not.
const MOST_COMBINED: usize = 6;

/// The most values of a section that are read to find such texts: each is a source of its own, and there may be many.
pub(super) const TEXT_BUDGET: usize = 1_000_000;

/// The texts in a value that does not fit that are to be restored so that it does; none if that does not help.
///
/// The failure says what was found, but not where. Of the texts that look like that (or of all if it does not say),
/// each alone is tried, then combinations of a few, then all.
pub(super) fn texts_to_restore(failure: (&What, &Spot), trial: &Trial<'_>, budget: &mut usize) -> OriginalTexts {
    let mark = match failure.0 {
        // It was read as a number, and is too large.
        What::Takes(takes) if takes.wanted == number::WANTED => return OriginalTexts::new(),
        What::Takes(takes) => takes.mark,
        What::Says(_) => None,
        _ => return OriginalTexts::new(),
    };
    // The failure can be traced to this text.
    if let What::Takes(takes) = failure.0
        && takes.wants_text()
        && let Some(way) = find_marked(failure.0, failure.1, trial)
    {
        return trial.layers.originals(trial.merged, &way).into_iter().filter(|(other, _)| *other == way).collect();
    }
    let candidates = candidates(failure.1, mark, trial);
    let mut perhaps = None;
    for (tried, set) in combinations(&candidates).into_iter().enumerate() {
        if set.is_empty() || tried == candidates.len() && perhaps.is_some() || *budget == 0 {
            break;
        }
        *budget = budget.saturating_sub(value::count(trial.merged));
        let mut other = trial.merged.clone();
        restore(&mut other, &set);
        match trial.try_read(&other).map_or_else(|after| better(failure, &after, &set), |()| Better::Yes) {
            Better::Yes => return set,
            Better::Perhaps => perhaps = perhaps.or(Some(set)),
            Better::No => {}
        }
    }
    perhaps.unwrap_or_default()
}

/// The texts at this place that were read as what was found; all of them if that is not known. They are sorted by way,
/// so that the order of the flags does not matter.
fn candidates(spot: &Spot, mark: Option<Mark>, trial: &Trial<'_>) -> OriginalTexts {
    let mut all = OriginalTexts::new();
    for (way, text) in trial.layers.originals(trial.merged, &spot.way) {
        let here = || value::at(trial.merged, &way).map(|here| Mark::of(&unexpected(here)));
        if mark.is_none() || mark == here() {
            let at = all.iter().take_while(|(other, _)| *other < way).count();
            all.insert(at, (way, text));
        }
    }
    all
}

/// Each of these texts alone, then several of the first few, then all.
fn combinations(all: &OriginalTexts) -> Vec<OriginalTexts> {
    let few = &all[..all.len().min(MOST_COMBINED)];
    let mut sets: Vec<OriginalTexts> = all.iter().map(|one| vec![one.clone()]).collect();
    let some = |set: u32| (0..few.len()).filter(|at| set >> at & 1 == 1).map(|at| few[at].clone()).collect();
    for size in 2..=few.len() {
        sets.extend((1..1_u32 << few.len()).filter(|set| set.count_ones() as usize == size).map(some));
    }
    sets.push(all.clone());
    sets
}

enum Better {
    Yes,
    /// Something else is reported, which may be another mistake, or may be due to the text.
    Perhaps,
    No,
}

/// Has the failure disappeared? Then the next key may be wrong, but not because something is a text now.
fn better((what, spot): (&What, &Spot), after: &Failure, texts: &OriginalTexts) -> Better {
    let is_new = |takes: &Takes| texts.iter().any(|(_, text)| takes.mark == Some(Mark::of(&unexpected(text))));
    let is_of_text = after.spot.as_ref().is_some_and(|other| texts.iter().any(|(way, _)| *way == other.way));
    match (what, &after.what) {
        // The type does not accept the text.
        (What::Says(_), _) if is_of_text => Better::No,
        _ if after.spot.as_ref().is_some_and(|other| other.way != spot.way) => Better::Yes,
        (What::Takes(before), _) if !before.wants_text() => Better::No,
        (What::Takes(before), What::Takes(after)) => {
            let is_same = (&before.wanted, before.mark) == (&after.wanted, after.mark);
            if is_same || after.is_text() && is_new(after) { Better::No } else { Better::Yes }
        }
        (What::Takes(_), What::Says(_)) => Better::Perhaps,
        (What::Takes(_), _) => Better::Yes,
        _ => Better::No,
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Duration, Files, Known, Secret, Section as _, print, samples::Span};
    use cninfra_testbed::Folder;
    use serde::{Deserialize, Deserializer, Serialize};
    use std::collections::BTreeMap;

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Odd {
        tagged: Option<Tagged>,
        untagged: Option<Untagged>,
        beside: Option<Beside>,
        either: Option<Either>,
        span: Option<Span>,
        port: u16,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Either {
        High { a: u8, b: String },
        Low { a: String, b: u8 },
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
    enum Tagged {
        Plain,
        Basic { user: String, password: Secret, port: u16, on: Option<bool> },
        Pin { user: String, pin: Secret<u16> },
        Timed { times: Secret<BTreeMap<String, Duration>>, side: Option<Side>, time: Option<Duration> },
        Wide { user: Secret, token: Secret, ports: Ports, label: Secret, more: u8, least: u8, most: u8, size: u8 },
        Many { name: String, labels: BTreeMap<String, String> },
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Ports {
        One(u16),
        Several(Vec<u16>),
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Side {
        Left { token: Secret },
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        Number(u16),
        Word(Secret),
        Both { name: String, password: Secret, port: u16, time: Option<Duration> },
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "kind", content = "of", rename_all = "kebab-case")]
    enum Beside {
        Token(Secret),
        Basic { user: String, password: Secret },
    }

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Flat {
        name: String,
        #[serde(flatten)]
        login: Login,
    }

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default)]
    struct Login {
        user: String,
        password: Secret,
        port: u16,
    }

    /// A config with a file and flags.
    fn config(file: &str, flags: &[(&str, &str)]) -> (Config, Known, Folder) {
        let (folder, known) = (Folder::new(), Known::none().plugin("odd", Odd::META).plugin("flat", Flat::META));
        folder.write("agent.yaml", file);
        let mut config = Config::new();
        config.read_files(&Files { dir: folder.path().into(), named: Vec::new() }, &known);
        for (key, text) in flags {
            let (section, key) = key.split_once('.').unwrap();
            config.set_flag(section, key, text, key);
        }
        (config, known, folder)
    }

    fn wrong(file: &str, flags: &[(&str, &str)]) -> Vec<String> {
        let (config, known, folder) = config(file, flags);
        let told = config.check(&known).into_iter().map(|told| match &told.help {
            Some(help) => format!("{told} | {help}"),
            None => told.to_string(),
        });
        told.map(|told| told.replace(&format!("{}/", folder.path().display()), "")).collect()
    }

    fn read(file: &str, flags: &[(&str, &str)]) -> (Odd, Flat) {
        let (config, known, _folder) = config(file, flags);
        assert_eq!(config.check(&known), [], "{file} {flags:?}");
        (config.section("odd").unwrap(), config.section("flat").unwrap())
    }

    fn basic(user: &str, password: &str, port: u16) -> Option<Tagged> {
        Some(Tagged::Basic { user: user.into(), password: Secret::new(password.into()), port, on: None })
    }

    #[test]
    fn what_is_said_of_two_numbers_together_is_no_reason_to_take_one_for_a_text() {
        let both = [("odd.span.low", "5"), ("odd.span.high", "2")];
        assert_eq!(wrong("", &both), ["flag --span.high: key `odd.span`: it ends before it begins"]);
        let one = wrong("odd: {span: {low: 5, high: 9}}", &both[1..]);
        assert_eq!(one, ["flag --span.high: key `odd.span`: it ends before it begins"]);
        assert_eq!(wrong("", &[("odd.span.low", "2"), ("odd.span.high", "5")]), [""; 0]);
    }

    #[test]
    fn a_text_that_looks_like_a_number_is_one_where_a_text_is_wanted() {
        let file = "odd: {tagged: {kind: basic, user: u, password: x, port: 1}}";
        assert_eq!(read(file, &[("odd.tagged.password", "4711")]).0.tagged, basic("u", "4711", 1));
        assert_eq!(read(file, &[("odd.tagged.password", "true")]).0.tagged, basic("u", "true", 1));
        let all = [("odd.tagged.port", "80"), ("odd.tagged.user", "7"), ("odd.tagged.password", "1e3")];
        assert_eq!(read(file, &all).0.tagged, basic("7", "1e3", 80));
        let lone = [("odd.tagged.kind", "basic"), all[0], all[1], all[2]];
        assert_eq!(read("", &lone).0.tagged, basic("7", "1e3", 80));
        assert_eq!(read(file, &[("odd.tagged.password", "'{a: [b]}'")]).0.tagged, basic("u", "{a: [b]}", 1));
        assert_eq!(read("", &[("odd.tagged", "kind: plain")]).0.tagged, Some(Tagged::Plain));
        // No variant of an untagged enum reports which of its keys does not fit.
        let both = |name: &str, password: &str, port| {
            let password = Secret::new(password.into());
            Some(Untagged::Both { name: name.into(), password, port, time: None })
        };
        let file = "odd: {untagged: {name: a, password: x, port: 1}}";
        let all = [("odd.untagged.name", "1"), ("odd.untagged.password", "2"), ("odd.untagged.port", "3")];
        assert_eq!(read(file, &all[1..2]).0.untagged, both("a", "2", 1));
        assert_eq!(read(file, &all).0.untagged, both("1", "2", 3));
        assert_eq!(read("", &[("odd.untagged", "7")]).0.untagged, Some(Untagged::Number(7)));
        let word = |text: &str| Some(Untagged::Word(Secret::new(text.into())));
        for text in ["70000", "true", "ab #c", "&a b", "1 2", "x: y", "- a"] {
            assert_eq!(read("", &[("odd.untagged", text)]).0.untagged, word(text), "{text}");
        }
        let token = [("odd.beside.kind", "token"), ("odd.beside.of", "4711")];
        assert_eq!(read("", &token).0.beside, Some(Beside::Token(Secret::new("4711".into()))));
        let flags = [("flat.password", "4711"), ("flat.port", "80"), ("flat.user", "7"), ("flat.name", "8")];
        let login = Login { user: "7".into(), password: Secret::new("4711".into()), port: 80 };
        assert_eq!(read("flat: {user: u}", &flags).1, Flat { name: "8".into(), login });
        assert_eq!(read("", &[("flat.password", "ab #c")]).1.login.password.reveal(), "ab #c");
        // Numbers and truth values are spelled as in files, whether or not the type says beforehand that it wants one.
        for (text, number) in [("0x10", 16), ("0o17", 15), ("7", 7)] {
            assert_eq!(read("", &[("odd.port", text)]).0.port, number, "{text}");
            assert_eq!(read("", &[("flat.port", text)]).1.login.port, number, "{text}");
        }
        let file = "odd: {tagged: {kind: basic, user: u, password: x, port: 1}}";
        let Some(Tagged::Basic { on: Some(true), .. }) = read(file, &[("odd.tagged.on", "True")]).0.tagged else {
            panic!("it is not on")
        };
    }

    #[test]
    fn which_of_many_are_texts_is_not_a_matter_of_their_order() {
        let keys = ["kind", "user", "token", "ports", "label", "more", "least", "most", "size"];
        let texts = ["wide", "5", "6", "80", "7", "1", "2", "3", "4"];
        let mut flags: Vec<_> = keys.iter().map(|key| format!("odd.tagged.{key}")).zip(texts).collect();
        for _ in 0..flags.len() {
            flags.rotate_left(1);
            let flags: Vec<_> = flags.iter().map(|(key, text)| (key.as_str(), *text)).collect();
            let secret = |text: &str| Secret::new(text.to_string());
            let [user, token, label] = ["5", "6", "7"].map(secret);
            let expected =
                Tagged::Wide { user, token, ports: Ports::One(80), label, more: 1, least: 2, most: 3, size: 4 };
            assert_eq!(read("", &flags).0.tagged, Some(expected));
        }
        // Either of the two could be the text.
        for flags in [[("odd.either.a", "1"), ("odd.either.b", "2")], [("odd.either.b", "2"), ("odd.either.a", "1")]] {
            assert_eq!(read("", &flags).0.either, Some(Either::Low { a: "1".into(), b: 2 }));
        }
        // A mistake beside such a text is the only one that is reported.
        let found = wrong("odd: {tagged: {kind: many, name: 5}}", &[("odd.tagged.labels.a", "80")]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("key `odd.tagged.name` takes a text, not `5`"), "{found:?}");
        // Many texts, the same and different ones.
        for text in [|_| 7, |number| number] {
            let labels: Vec<_> =
                (0..100).map(|number| (format!("odd.tagged.labels.k{number}"), text(number).to_string())).collect();
            let flags: Vec<_> = labels.iter().map(|(key, text)| (key.as_str(), text.as_str())).collect();
            let Some(Tagged::Many { labels, .. }) = read("odd: {tagged: {kind: many, name: x}}", &flags).0.tagged
            else {
                panic!("it is another one")
            };
            assert_eq!((labels.len(), &*labels["k99"]), (100, &*text(99).to_string()));
        }
    }

    /// Accepts texts that look like numbers, and says in its own words what it wants.
    #[derive(Debug, PartialEq, Serialize)]
    struct Zone(String);
    impl<'de> Deserialize<'de> for Zone {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl serde::de::Visitor<'_> for Visitor {
                type Value = Zone;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("the name of a zone")
                }
                fn visit_str<E>(self, text: &str) -> Result<Zone, E> {
                    Ok(Zone(text.to_string()))
                }
            }
            deserializer.deserialize_str(Visitor)
        }
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case")]
    enum Zoned {
        All { ports: Vec<u16>, sizes: BTreeMap<String, u16>, zone: Zone },
    }

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default)]
    struct Zones {
        zoned: Option<Zoned>,
    }

    #[test]
    fn only_what_serde_tells_of_is_tried_as_a_text() {
        let (mut config, known) = (Config::new(), Known::none().plugin("zones", Zones::META));
        config = config.set("zones", "zoned.kind", "all").set("zones", "zoned.ports", vec![80; 10_000]);
        for at in 0..110 {
            config.set_flag("zones", &format!("zoned.sizes.k{at}"), &at.to_string(), "f");
        }
        config.set_flag("zones", "zoned.zone", "4711", "f");
        assert_eq!(config.check(&known), []);
        let Zones { zoned: Some(Zoned::All { zone, .. }) } = config.section("zones").unwrap() else { panic!("none") };
        assert_eq!(zone, Zone("4711".to_string()));
    }

    #[test]
    fn what_is_printed_and_read_again_is_a_text() {
        let (config, known, _folder) =
            config("odd: {tagged: {kind: basic, password: x, port: 1}}", &[("odd.tagged.user", "4711")]);
        let printed = print(&config.effective(&known, &Config::new(), &Config::new()));
        assert!(printed.contains("\"4711\""), "{printed}");
        let figment = config.canonical_figment(&known);
        assert_eq!(figment.extract_inner::<String>("odd.tagged.user").unwrap(), "4711");
    }

    #[test]
    fn what_is_wrong_beside_it_is_told_once_and_where_it_is() {
        let file = "odd: {tagged: {kind: basic, user: u, password: x}}";
        let flags = [("odd.tagged.password", "4711"), ("odd.tagged.port", "x"), ("odd.port", "y")];
        let number = "takes a whole number from 0 to 65535, not";
        assert_eq!(
            wrong(file, &flags),
            [
                format!("flag --port: key `odd.port` {number} the text `y`"),
                format!("flag --tagged.port: key `odd.tagged.port` {number} the text `x`"),
            ]
        );
        let quotes = "put a text that looks like something else in quotes";
        assert_eq!(
            wrong("odd:\n  tagged: {kind: basic, user: 5, password: x, port: 1}", &[]),
            [format!("agent.yaml:2:31: key `odd.tagged.user` takes a text, not `5` | {quotes}")]
        );
        assert_eq!(
            wrong("odd:\n  tagged: {kind: basic, user: u, password: 4711, port: 1}", &[]),
            [format!("agent.yaml:2:44: key `odd.tagged` takes a text, not a number | {quotes}")]
        );
        // The key of a secret is not shown, and a key that is missing only since it was left out is not reported.
        assert_eq!(
            wrong("odd: {tagged: {kind: pin, user: u}}", &[("odd.tagged.pin", "x")]),
            ["flag --tagged.pin: key `odd.tagged` takes a whole number from 0 to 65535, not a text"]
        );
        // Neither are keys inside a secret shown, nor what may be a secret.
        let timed = |text: &str| wrong(&format!("odd: {{tagged: {{kind: timed, {text}}}}}"), &[]);
        let hidden = "its value does not fit (it is not shown, since it is a secret)";
        assert_eq!(timed("times: {hunter2: soon}"), [format!("agent.yaml:1:46: key `odd.tagged`: {hidden}")]);
        for text in ["times: {}, side: hunter2", "times: {}, side: {hunter2: x}", "times: {hunter2: [x]}"] {
            let found = timed(text);
            assert!(found.len() == 1 && !found[0].contains("hunter2"), "{found:?}");
        }
        let file = wrong("odd: {tagged: {kind: basic, user: u, password-file: x, port: 1}}", &[]);
        let words = "key `odd.tagged.password-file` is unknown | here a secret is in no file of its own: set `password`, be it by a variable";
        assert_eq!(file, [format!("agent.yaml:1:38: {words}")]);
        // A type's own message about its value has the place of its key, too.
        assert_eq!(
            timed("times: {}, time: 5"),
            ["agent.yaml:1:46: key `odd.tagged.time`: `5` has no unit: write `5s` for seconds, `5ms` for milliseconds"]
        );
        // Flattened keys.
        assert_eq!(
            wrong("flat:\n  name: 7\n  nmae: x\n  user: 5\n  password: 6\n  port: x\n", &[("flat.port", "300000")]),
            [
                format!("agent.yaml:2:9: key `flat.name` takes a text, not `7` | {quotes}"),
                "agent.yaml:3:9: key `flat.nmae`: the key `nmae` is unknown".to_owned(),
                format!("agent.yaml:4:9: key `flat.user` takes a text, not `5` | {quotes}"),
                format!("agent.yaml:5:13: section `flat` takes a text, not a number | {quotes}"),
                format!("agent.yaml:6:9: key `flat.port` {number} the text `x`"),
                format!("flag --port: key `flat.port` {number} `300000`"),
            ]
        );
        // What is in brackets is meant as a list.
        assert_eq!(
            wrong("odd: {tagged: {kind: many, labels: {}}}", &[("odd.tagged.name", "[a]")]),
            [
                "flag --tagged.name: key `odd.tagged.name` takes a text, not a list | put a text in brackets in quotes: `'[a]'`"
            ]
        );
        // Several mistakes at once.
        let found = wrong("odd:\n  tagged: {kind: basic, user: 5, password: x, port: z, prot: 1}", &[]);
        assert_eq!(found.len(), 3, "{found:?}");
        for text in ["{kind: 1, user: u}", "{kind: basc}"] {
            let found = wrong(&format!("odd: {{tagged: {text}}}"), &[]);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(
                found[0]
                    .contains("key `odd.tagged.kind` takes `plain`, `basic`, `pin`, `timed`, `wide` or `many`, not"),
                "{found:?}"
            );
        }
    }
}

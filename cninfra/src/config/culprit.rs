//! Which key is wrong in a value that serde has put by before it has read it: a failure there names no place.

use super::{
    failure::{HIDDEN, PANICKED, Spot, What},
    source::{Step, Way},
    trial::Trial,
    value,
};
use figment::value::Value;

/// So many keys are tried in one mapping, for each mistake that may be told: for each of them, all of the section is read, once or twice.
const MOST: usize = 4;

/// Where it is that is wrong, within a mapping, as far as that can be known; of a secret without the names of keys. It is what this would not be said without.
/// With how much of the way to it is to be left out, so that the others have their places.
pub(super) fn culprit(what: &What, spot: &Spot, trial: &Trial<'_>) -> Option<(Spot, usize)> {
    // the key of a choice may be a secret, in the place of a name
    if trial.is_spent() || !trial.has_keys(spot) {
        return None;
    }
    let (mut found, mut whole) = (spot.clone(), usize::MAX);
    match what {
        What::Unknown { key, .. } => {
            if unknown(trial.merged, key, &mut found).is_none() {
                whole = descend(trial, &mut found);
                // it is told as a key of what it is in
                if found.way.last() == Some(&Step::Key(key.clone())) {
                    found.path.pop();
                }
            }
        }
        // it is told once
        What::Says(words) if words.starts_with(PANICKED) => return None,
        What::Takes(_) | What::Says(_) => whole = descend(trial, &mut found),
        What::Missing { .. } if trial.is_open(spot) => whole = descend_lists(trial, &mut found),
        What::NoVariant { .. } => {
            whole = descend(trial, &mut found);
            // a key that stands alone may be what is no variant, and a secret in its place
            let (last, around) = found.way.split_last()?;
            let is_alone = value::at(trial.merged, around)?.as_dict().is_some_and(|dict| dict.len() == 1);
            if matches!(last, Step::Key(_)) && is_alone && found.way.len() > spot.way.len() {
                found.way.pop();
                found.path.pop();
            }
        }
        _ => return None,
    }
    found.entry = trial.layers.number(value::at(trial.merged, &found.way)?.tag(), &found.way);
    let of_secret = match what {
        What::Takes(takes) => takes.of_secret,
        What::Says(words) => words.ends_with(HIDDEN),
        What::Missing { of_secret, .. } => *of_secret,
        _ => false,
    };
    // which of the keys on the way is the secret, nobody knows
    let found = if of_secret { Spot { path: spot.path.clone(), ..found } } else { found };
    let whole = whole.min(found.way.len());
    Some((found, whole))
}

/// What is wrong with a value, to be compared.
type Said = Option<Words>;

#[derive(PartialEq)]
struct Words {
    what: String,
    way: Option<Way>,
    /// It is how many items there are.
    of_length: bool,
}

fn said(trial: &Trial<'_>, value: &Value) -> Said {
    let failure = trial.reads(value).err()?;
    let of_length = matches!(&failure.what, What::Takes(takes) if takes.mark.is_none());
    Some(Words { what: format!("{:?}", failure.what), way: failure.spot.map(|spot| spot.way), of_length })
}

/// Goes as far in as it can be known what is wrong; how far the way leads to a list in which each has its place, if it does.
fn descend(trial: &Trial<'_>, found: &mut Spot) -> usize {
    let said = said(trial, trial.merged);
    let (mut here, mut whole) = (trial.merged.clone(), usize::MAX);
    while let Some((step, has_places)) = inner(trial, &said, &mut here, &found.way) {
        if has_places {
            whole = whole.min(found.way.len());
        }
        show(&step, &mut found.path);
        found.way.push(step);
    }
    whole
}

/// The same of what is missing: in which item of a list can be known, in which of several mappings can not.
fn descend_lists(trial: &Trial<'_>, found: &mut Spot) -> usize {
    let said = said(trial, trial.merged);
    let (mut here, mut whole) = (trial.merged.clone(), usize::MAX);
    loop {
        let mut lists = Vec::new();
        if let Some(around) = value::at(&here, &found.way) {
            collect_lists(around, &mut found.way.clone(), &mut lists);
        }
        lists.truncate(MOST * trial.layers.most_mistakes());
        let is_in = |list: &&Way| {
            let mut other = here.clone();
            value::replace(&mut other, list, Vec::<Value>::new().into());
            self::said(trial, &other) != said
        };
        let Some(list) = lists.iter().find(is_in) else { return whole };
        let Some((step, has_places)) = inner(trial, &said, &mut here, list) else { return whole };
        if has_places {
            whole = whole.min(list.len());
        }
        list[found.way.len()..].iter().chain([&step]).for_each(|step| show(step, &mut found.path));
        found.way.clone_from(list);
        found.way.push(step);
    }
}

/// The lists that are in no other list.
fn collect_lists(around: &Value, way: &mut Way, all: &mut Vec<Way>) {
    match around {
        Value::Array(..) => all.push(way.clone()),
        Value::Dict(_, dict) => {
            for (key, value) in dict {
                way.push(Step::Key(key.clone()));
                collect_lists(value, way, all);
                way.pop();
            }
        }
        _ => {}
    }
}

/// What is wrong in a value, which is left without what comes behind that: there the same may be said of something else. With whether it is an item
/// of a list of so many, each of which has its place.
fn inner(trial: &Trial<'_>, said: &Said, whole: &mut Value, around: &[Step]) -> Option<(Step, bool)> {
    // what has been found is something, too
    if trial.is_spent() {
        return None;
    }
    let read = |here: Value| {
        let mut other = whole.clone();
        value::replace(&mut other, around, here);
        self::said(trial, &other)
    };
    let mut has_places = false;
    let (step, rest) = match value::at(whole, around)? {
        Value::Array(tag, items) => {
            let first = |len: usize| Value::Array(*tag, items[..len].to_vec());
            // by itself: those before it have their places
            let alone = |at: usize| read(Value::Array(*tag, vec![items[at].clone(); at + 1])) == *said;
            let at = wrong(items.len(), &|len| read(first(len)) == *said, &alone)?;
            // that it has too few of them is said of the list
            let is_length = |said: &Said| said.as_ref().is_some_and(|said| said.of_length);
            has_places = is_length(&read(first(at)));
            if has_places && is_length(said) {
                return None;
            }
            (Step::Index(at), Some(first(at + 1)))
        }
        Value::Dict(tag, dict) if dict.len() <= MOST * trial.layers.most_mistakes() => {
            // without the tag of an enum nothing is read, but another one is told at itself
            let is_tag = |(key, value): &(&String, &Value)| {
                let way: Way = around.iter().cloned().chain([Step::Key(key.to_string())]).collect();
                let mut other = whole.clone();
                value::replace(&mut other, &way, value::text("\0"));
                let is_name = !matches!(value, Value::Dict(..) | Value::Array(..));
                is_name && trial.reads(&other).is_err_and(|failure| failure.spot.is_some_and(|spot| spot.way == way))
            };
            let (tags, keys): (Vec<_>, Vec<_>) = dict.iter().partition(is_tag);
            let with = |some: &dyn Fn(usize) -> bool| {
                let some = keys.iter().enumerate().filter(|(at, _)| some(*at)).map(|(_, entry)| entry);
                let all = tags.iter().chain(some).map(|(key, value)| ((*key).clone(), (*value).clone()));
                Value::Dict(*tag, value::dict(all))
            };
            let is_said = |some: &dyn Fn(usize) -> bool| read(with(some)) == *said;
            let first = |len: usize| is_said(&|at| at < len);
            let step = |at: usize| Step::Key(keys[at].0.clone());
            match wrong(keys.len(), &first, &|at| is_said(&|other| other == at)) {
                Some(at) => (step(at), Some(with(&|other| other <= at))),
                // else the only one without which something else is said, or nothing
                None => {
                    let mut causes = (0..keys.len()).filter(|at| !is_said(&|other| other != *at));
                    let at = causes.next().filter(|_| causes.next().is_none())?;
                    (step(at), None)
                }
            }
        }
        _ => return None,
    };
    if let Some(rest) = rest {
        value::replace(whole, around, rest);
    }
    Some((step, has_places))
}

/// Which of so many parts is wrong. serde reads one after the other, and stops at the first: it is the one up to which the same is said, and not
/// before it, as also of two that are wrong alike; but one that only does not fit to those before it is not wrong by itself.
fn wrong(len: usize, first: &dyn Fn(usize) -> bool, alone: &dyn Fn(usize) -> bool) -> Option<usize> {
    if len == 0 || first(0) {
        return None;
    }
    let (mut without, mut with) = (0, len);
    while with - without > 1 {
        let middle = without.midpoint(with);
        if first(middle) {
            with = middle;
        } else {
            without = middle;
        }
    }
    Some(without).filter(|at| alone(*at))
}

/// Goes to the only key of that name; it is told as a key of what it is in.
fn unknown(merged: &Value, key: &str, spot: &mut Spot) -> Option<()> {
    let mut all = Vec::new();
    collect(value::at(merged, &spot.way)?, key, &mut Way::new(), &mut all);
    let [way] = <[_; 1]>::try_from(all).ok()?;
    let (_, around) = way.split_last()?;
    around.iter().for_each(|step| show(step, &mut spot.path));
    spot.way.extend(way);
    Some(())
}

/// Adds a step to what is shown of a way.
fn show(step: &Step, path: &mut Vec<String>) {
    match (step, path.last_mut()) {
        (Step::Index(index), Some(last)) => *last = format!("{last}[{index}]"),
        (Step::Key(key), _) => path.push(key.clone()),
        _ => {}
    }
}

fn collect(around: &Value, key: &str, way: &mut Way, all: &mut Vec<Way>) {
    let mut inner = |step: Step, value: &Value| {
        let is_it = matches!(&step, Step::Key(here) if here == key);
        way.push(step);
        if is_it {
            all.push(way.clone());
        }
        collect(value, key, way, all);
        way.pop();
    };
    match around {
        Value::Dict(_, dict) => dict.iter().for_each(|(key, value)| inner(Step::Key(key.clone()), value)),
        Value::Array(_, items) => items.iter().enumerate().for_each(|(at, value)| inner(Step::Index(at), value)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Duration, Files, Known, Section as _};
    use cninfra_testbed::Folder;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Odd {
        tagged: Option<Tagged>,
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
        },
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

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(try_from = "Ends")]
    struct Span {
        low: u8,
        high: u8,
    }
    #[derive(Deserialize)]
    struct Ends {
        low: u8,
        high: u8,
    }
    impl TryFrom<Ends> for Span {
        type Error = &'static str;
        fn try_from(Ends { low, high }: Ends) -> Result<Self, Self::Error> {
            if low < high { Ok(Span { low, high }) } else { Err("it ends before it begins") }
        }
    }

    fn wrong(tagged: &str) -> Vec<String> {
        let (folder, known) = (Folder::new(), Known::none().plugin("odd", Odd::META));
        folder.write("odd.conf", &format!("tagged: {{kind: some, {tagged}}}"));
        let mut config = Config::new();
        config.read_files(&Files { dir: folder.path().into(), named: Vec::new() }, &known);
        let folder = format!("{}/odd.conf:1:", folder.path().display());
        config.check(&known).iter().map(|told| told.to_string().replace(&folder, "")).collect()
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
        // what is missing, and what only seems so since it is wrong
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
    /// To find each of them would take the time of a start.
    #[test]
    fn of_thousands_few_are_looked_for() {
        let ports = |count: usize| format!("ports: [{}]", vec!["x"; count].join(", "));
        let located = |told: &[String]| told.iter().filter(|told| told.contains("ports[")).count();
        assert_eq!(located(&wrong(&ports(20))), 20);
        let many = wrong(&ports(4000));
        assert!(!many.is_empty() && located(&many) < 20, "{many:?}");
    }
}

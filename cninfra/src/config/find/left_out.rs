//! Keys that are set, maybe by another name, but wrong. Once they have been left out, serde reports them as missing.

use super::trial::{MadeUp, Trial};
use crate::config::{
    written::{
        value,
        way::{Step, Way},
    },
    wrong::{
        failure::{Failure, What},
        spot::Spot,
    },
};
use figment::value::Value;

/// The first mapping in which this key was wrong, and has been left out without a made-up value in its place.
pub(super) fn mapping_without(field: &str, spot: &Spot, trial: &Trial<'_>, made_up: &MadeUp) -> Option<Way> {
    let is_inner = |way: &[Step]| {
        let is_key = matches!(way.last(), Some(Step::Key(key)) if key == field);
        is_key && way.starts_with(&spot.way) && way.len() > spot.way.len()
    };
    let mapping_of = |(_, way): &(usize, Way)| {
        let mapping = &way[..way.len().checked_sub(1)?];
        let is_left_out = || trial.dropped.iter().any(|(_, out)| mapping.starts_with(out));
        if !is_inner(way) || made_up.iter().any(|(of, _)| of == way) || is_left_out() {
            return None;
        }
        let dict = value::at(trial.merged, mapping)?.as_dict()?;
        (!dict.contains_key(field)).then(|| mapping.to_vec())
    };
    trial.dropped.iter().filter_map(mapping_of).min()
}

/// Has this key been left out by another name? If both names have a value that fits, serde reports a duplicate.
pub(super) fn has_other_name(lacks: &Way, fits: &Value, trial: &Trial<'_>) -> bool {
    let Some((Step::Key(field), mapping)) = lacks.split_last() else { return false };
    let is_beside =
        |way: &&Way| matches!(way.split_last(), Some((Step::Key(key), around)) if around == mapping && key != field);
    trial.dropped.iter().map(|(_, way)| way).filter(is_beside).any(|other| {
        let mut both = trial.merged.clone();
        for way in [lacks, other] {
            value::insert(&mut both, way, fits.clone());
        }
        matches!(trial.try_read(&both), Err(Failure { what: What::Twice(twice), .. }) if twice == field)
    })
}

#[cfg(test)]
mod tests {
    use crate::config::{Duration, Section as _, given::Given};
    use serde::{Deserialize, Serialize};
    use std::net::IpAddr;

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Odd {
        plain: Option<Plain>,
        all: Vec<Tagged>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Plain {
        #[serde(alias = "addr", alias = "ip")]
        host: IpAddr,
        #[serde(alias = "after")]
        time: Duration,
        count: u8,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case")]
    enum Tagged {
        Of(Plain),
    }

    fn wrong(file: &str) -> Vec<String> {
        let told = Given::file(Odd::META, file).wrong_in_line();
        told.iter().map(|told| told.split_once(": ").unwrap().1.to_string()).collect()
    }

    #[test]
    fn a_key_that_is_wrong_by_another_name_is_not_missing() {
        for (file, of) in [("plain: {", "plain"), ("all: [{kind: of, ", "all[0]")] {
            let end = if of == "plain" { "}" } else { "}]" };
            let host = format!("key `odd.{of}.addr`: invalid IP address syntax");
            assert_eq!(wrong(&format!("{file}addr: bad, after: 1s, count: 1{end}")), [&*host]);
            let time = format!("key `odd.{of}.after`: `5` has no unit: write `5s` for seconds, `5ms` for milliseconds");
            assert_eq!(wrong(&format!("{file}addr: bad, after: 5, count: 1{end}")), [&*host, &*time]);
        }
    }

    #[test]
    fn one_that_is_missing_beside_it_is_told() {
        let told = wrong("plain: {count: 300, after: 5, host: '::1'}");
        assert_eq!(
            told,
            [
                "key `odd.plain.count` takes a whole number from 0 to 255, not `300`",
                "key `odd.plain.after`: `5` has no unit: write `5s` for seconds, `5ms` for milliseconds",
            ]
        );
        let told = wrong("plain: {after: 5, count: 300}");
        assert!(told.contains(&"key `odd.plain`: the key `host` is missing".to_string()), "{told:?}");
        assert_eq!(told.len(), 3, "{told:?}");
    }
}

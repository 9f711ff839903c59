//! Finds numbers that are too large for an `f32` in values that serde buffers: serde makes them infinite, without an
//! error. (Where serde does not buffer, the reader reports them.)

use super::trial::Trial;
use crate::config::{
    read::{number::WANTED, unexpected::unexpected},
    written::value,
    wrong::{
        failure::{Failed, Failure, Mark, NO_NAME, Takes, What},
        spot::Spot,
    },
};
use figment::value::Value;

/// The failure for the first of these large numbers that is read as an `f32`. The failure for a text in its place shows
/// which type reads it.
pub(super) fn first_infinite(numbers: &[Spot], trial: &Trial<'_>) -> Option<Failure> {
    numbers.iter().find_map(|spot| {
        if trial.is_spent() {
            return None;
        }
        let number = value::at(trial.merged, &spot.way)?;
        let mut other = trial.merged.clone();
        value::replace(&mut other, &spot.way, Value::String(number.tag(), NO_NAME.to_string()));
        let Err(Failure { what: What::Takes(takes), spot: around }) = trial.try_read(&other) else { return None };
        if !takes.of_f32 || takes.mark != Some(Mark::of(&serde::de::Unexpected::Str(NO_NAME))) {
            return None;
        }
        let found: Failed = serde::de::Error::invalid_value(unexpected(number), &WANTED);
        // It is not known which of the keys on the way is a secret.
        let path = if takes.of_secret { around.map(|spot| spot.path).unwrap_or_default() } else { spot.path.clone() };
        let what = match found.what {
            What::Takes(what) if takes.of_secret => {
                What::Takes(Takes { found: what.kind.clone(), of_secret: true, ..*what }.into())
            }
            what => what,
        };
        Some(Failure { what, spot: Some(Spot { path, ..spot.clone() }) })
    })
}

#[cfg(test)]
mod tests {
    use crate::config::{Secret, Section as _, given::Given};
    use serde::{Deserialize, Serialize};
    use std::collections::BTreeMap;

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Odd {
        tagged: Option<Tagged>,
        any: Option<serde_json::Value>,
        hidden: Option<Secret<Tagged>>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
    enum Tagged {
        Some {
            #[serde(default)]
            ratios: Vec<f32>,
            low: Option<f32>,
            wide: Option<f64>,
            weights: Option<Secret<BTreeMap<String, f32>>>,
        },
    }

    #[test]
    fn what_would_be_infinite_is_told() {
        let wrong = |file: &str| Given::file(Odd::META, file).wrong();
        let takes = "takes a number up to 3.4e38, not";
        assert_eq!(
            wrong("tagged: {kind: some, wide: 1e300, ratios: [1e38, 1e39, .inf, -1e300], low: 1e39}"),
            [
                format!("odd.conf:1:50: key `odd.tagged.ratios[1]` {takes} `1e39`"),
                format!("odd.conf:1:62: key `odd.tagged.ratios[3]` {takes} `-1e300`"),
                format!("odd.conf:1:76: key `odd.tagged.low` {takes} `1e39`"),
            ]
        );
        let secret = wrong("tagged: {kind: some, weights: {hunter2: 1e39}}");
        assert_eq!(secret, [format!("odd.conf:1:41: key `odd.tagged` {takes} a number")]);
        assert_eq!(wrong("tagged: {kind: some, wide: 1e300, low: .inf}\nany: [1e300]"), [""; 0]);
        let hidden = wrong("hidden: {kind: some, low: 1e39}");
        assert_eq!(hidden, [format!("odd.conf:1:27: key `odd.hidden` {takes} a number")]);
        assert_eq!(wrong("hidden: {kind: some, low: 1e38, wide: 1e39}"), [""; 0]);
    }

    #[test]
    fn it_is_no_text_of_a_flag() {
        let given = Given::file(Odd::META, "").flags(&[("tagged.kind", "some"), ("tagged.low", "1e39")]);
        let told = "flag --tagged.low: key `odd.tagged.low` takes a number up to 3.4e38, not `1e39`";
        assert_eq!(given.wrong(), [told]);
    }
}

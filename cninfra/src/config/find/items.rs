//! Mistakes in items of tuples. Without a wrong item, those behind it would be read as something else. So a value that
//! fits is put in its place.

use super::{
    lacks::Lack,
    trial::{MadeUp, Trial},
    usual::usual,
};
use crate::config::{
    said::shape::{Kind, Shape, Wanted},
    written::{
        value,
        way::{Step, Way, inner_at},
    },
    wrong::{failure::What, spot::Spot},
};
use figment::value::Value;

/// The length of the way that is to be left out because of a mistake at its end: lists whose items have fixed places
/// are left out as a whole. If a value is known that fits in the place of such an item, nothing around the item is left
/// out, and the item's way and that value are returned, too.
pub(super) fn what_to_leave_out(
    way: &[Step],
    (what, spot): (&What, &Spot),
    made_up: &MadeUp,
    trial: &Trial<'_>,
) -> (usize, Option<(Way, Value)>) {
    let mut len = way.len();
    while let Some((Step::Index(at), list)) = way[..len].split_last() {
        if !has_fixed_places(list, trial) {
            break;
        }
        // A value that was already made up for this item was not right.
        let is_made_up = made_up.iter().any(|(made, _)| *made == way[..len]);
        if !is_made_up && let Some(fits) = fitting_item(*at, list, (what, spot), trial) {
            return (len, Some((way[..len].to_vec(), fits)));
        }
        len -= 1;
    }
    (len, None)
}

/// Does each item of this list have a fixed place? Then the type reports for an empty list how many items it takes.
fn has_fixed_places(list: &[Step], trial: &Trial<'_>) -> bool {
    match value::at(trial.merged, list) {
        // If there is only one item, no other one can move into its place.
        Some(Value::Array(tag, items)) if items.len() > 1 => {
            if let Wanted { shape: Some(Shape { kind: Kind::List, .. }), open, .. } = trial.wanted_at(list) {
                return open;
            }
            let mut other = trial.merged.clone();
            value::replace(&mut other, list, Value::Array(*tag, Vec::new()));
            let is_around = |at: &Option<Spot>| at.as_ref().is_some_and(|at| list.starts_with(&at.way));
            trial.try_read(&other).is_err_and(|failure| is_about_length(&failure.what) && is_around(&failure.spot))
        }
        _ => false,
    }
}

/// Is the failure about the number of items? If it occurs for an empty list, each item has a fixed place.
pub(super) fn is_about_length(what: &What) -> bool {
    matches!(what, What::Takes(takes) if takes.mark.is_none())
}

/// A value that fits in the place of an item.
fn fitting_item(at: usize, list: &[Step], (what, spot): (&What, &Spot), trial: &Trial<'_>) -> Option<Value> {
    if trial.is_spent() {
        return None;
    }
    // Where serde does not buffer, no more is read than this list, or a list around it. What panics is not read again.
    let (mut len, mut near) = (list.len().min(spot.way.len().saturating_sub(1)), None);
    while len > 0 && near.is_none() && !what.is_panic() && matches!(spot.way[len], Step::Index(_)) {
        let (value, dropped) = trial.reduced_to(&list[..len]);
        let fails_there_too = trial.of_part(&value, &dropped).fails_with(what, spot);
        near = fails_there_too.then_some((value, dropped));
        len -= 1;
    }
    let near = near.as_ref().map(|(near, dropped)| trial.of_part(near, dropped));
    let trial = near.as_ref().unwrap_or(trial);
    let way = inner_at(list, at);
    let tag = value::at(trial.merged, &way)?.tag();
    let candidates = usual(tag, &way, trial.whole);
    let mut around = trial.merged.clone();
    // The items behind it might fail in the same way, so they are made unreadable.
    let count = value::at(&around, list).and_then(Value::as_array).map_or(0, <[Value]>::len);
    for behind in at + 1..count {
        value::replace(&mut around, &inner_at(list, behind), value::unreadable(0, tag));
    }
    // No key is missing: only what may stand at this place is asked for.
    Lack { field: "", what: &What::Asked, spot, trial }.first_fitting(&way, candidates, &around)
}

#[cfg(test)]
mod tests {
    use crate::config::{
        Duration, Secret, Section as _,
        given::Given,
        samples::{Ends, Lower, Span},
    };
    use serde::{Deserialize, Serialize};
    use std::net::IpAddr;

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Odd {
        row: Option<Row>,
        rows: Vec<(IpAddr, u8)>,
        tagged: Option<Tagged>,
        pairs: Vec<(u8, Tagged)>,
        secret: Option<(u8, Secret<Tagged>, Hidden)>,
        port: u16,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Row(u8, (u8, Duration), Lower, u8);

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case")]
    enum Tagged {
        Of { row: (u8, (u8, Duration), IpAddr, Plain, IpAddr), port: u8 },
        Ends { ends: Ends, port: u8 },
        Words { words: (Lower, u8), port: u8 },
        Alike { alike: (u8, Vec<Lower>), ends: (u8, Ends), port: u8 },
        Last { last: (u8, Plain), pair: (IpAddr, Ends), list: (u8, Vec<Lower>), at_least: (u8, Few), port: u8 },
    }

    /// Its error is about all items together.
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(try_from = "Vec<u8>")]
    struct Few(Vec<u8>);

    impl TryFrom<Vec<u8>> for Few {
        type Error = &'static str;
        fn try_from(all: Vec<u8>) -> Result<Self, Self::Error> {
            if all.len() < 3 { Ok(Few(all)) } else { Err("there are too many") }
        }
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Plain {
        host: IpAddr,
        span: Span,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Hidden {
        Nothing,
        By(Secret),
    }

    fn wrong(file: &str) -> Vec<String> {
        let told = Given::file(Odd::META, file).wrong_in_line();
        told.iter().map(|told| told.split_once(": key `odd.").unwrap().1.replacen('`', "", 1)).collect()
    }

    const BYTE: &str = "takes a whole number from 0 to 255, not the text `x`";
    const UNIT: &str = "`5` has no unit: write `5s` for seconds, `5ms` for milliseconds";
    const IP: &str = "invalid IP address syntax";

    #[test]
    fn each_item_that_is_wrong_is_told() {
        let port = "port takes a whole number from 0 to 65535, not the text `x`".to_string();
        let row = |rest: &[&str]| {
            let mut told = vec![format!("row[0] {BYTE}"), format!("row[1][0] {BYTE}"), format!("row[1][1]: {UNIT}")];
            told.extend(rest.iter().map(ToString::to_string));
            told.push(port.clone());
            told
        };
        let last = format!("row[3] {BYTE}");
        assert_eq!(wrong("{row: [x, [x, 5], lower, x], port: x}"), row(&[&last]));
        // No value is known that fits the third item, so those behind it are not read.
        assert_eq!(wrong("{row: [x, [x, 5], bad, x], port: x}"), row(&["row[2]: a word is not as it should be"]));
        let rows = wrong("{rows: [[x, x], ['::1', x], ['::1', 1], [x, 1]], port: x}");
        let told = [
            format!("rows[0][0]: {IP}"),
            format!("rows[0][1] {BYTE}"),
            format!("rows[1][1] {BYTE}"),
            format!("rows[3][0]: {IP}"),
        ];
        assert_eq!(rows, told.into_iter().chain([port]).collect::<Vec<_>>());
    }

    #[test]
    fn each_that_is_put_by_is_told() {
        let told = wrong("tagged: {kind: of, row: [x, [x, 5], bad, {host: bad, span: {low: x}}, bad], port: x}");
        assert_eq!(
            told,
            [
                format!("tagged.row[0] {BYTE}"),
                format!("tagged.row[1][0] {BYTE}"),
                format!("tagged.row[1][1]: {UNIT}"),
                format!("tagged.row[2]: {IP}"),
                format!("tagged.row[3].host: {IP}"),
                "tagged.row[3].span: the key `high` is missing".to_string(),
                format!("tagged.row[3].span.low {BYTE}"),
                format!("tagged.row[4]: {IP}"),
                format!("tagged.port {BYTE}"),
            ]
        );
        // A value that fits is known only if another one of this type is in the section, and here there is none.
        let told = wrong("tagged: {kind: words, words: [bad, x], port: x}");
        assert_eq!(told, ["tagged.words[0]: a word is not as it should be".to_string(), format!("tagged.port {BYTE}")]);
    }

    #[test]
    fn what_fits_by_its_name_but_not_by_what_is_in_it_does_not_stand_in() {
        let told = wrong("tagged: {kind: alike, alike: [1, [lower, lower]], ends: [1, [5, 2]]}");
        assert_eq!(told, ["tagged: the key `port` is missing", "tagged.ends[1]: they end before they begin"]);
    }

    /// Serde buffers the second item of each pair, but not the pairs.
    #[test]
    fn what_is_put_by_in_an_item_behind_the_first_is_gone_into() {
        let told = wrong(
            "{pairs: [[1, {kind: ends, ends: [x, 1], port: x}], [x, {kind: words, words: [lower, x], port: x}]], port: x}",
        );
        let byte = |key: &str| format!("pairs{key} {BYTE}");
        let all =
            [byte("[0][1].ends[0]"), byte("[0][1].port"), byte("[1][0]"), byte("[1][1].words[1]"), byte("[1][1].port")];
        let port = "port takes a whole number from 0 to 65535, not the text `x`".to_string();
        assert_eq!(told, all.into_iter().chain([port]).collect::<Vec<_>>());
        // Secrets are not shown.
        for (tagged, hidden) in [
            ("{kind: words, words: [lower, 4711], port: 1}", "nothing"),
            ("{kind: words, words: [lower, 1], port: hunter2}", "nothing"),
            ("{kind: ends, ends: [1, 2], port: 1}", "hunter2"),
            ("{kind: ends, ends: [1, 2], port: 1}", "{hunter2: x}"),
            ("{kind: ends, ends: [1, 2], port: 1}", "{by: [hunter2]}"),
        ] {
            let told = wrong(&format!("secret: [1, {tagged}, {hidden}]"));
            assert!(!told.is_empty() && !format!("{told:?}").contains("hunter2"), "{told:?}");
            assert!(!format!("{told:?}").contains("4711"), "{told:?}");
        }
    }

    /// The types report these mistakes in their own words, whatever the last item contains.
    #[test]
    fn what_is_wrong_in_the_last_item_is_told_of_that() {
        let last = |last: &str, pair: &str, list: &str, few: &str| {
            let keys = format!("last: [1, {last}], pair: ['::1', {pair}], list: [1, {list}], at_least: [1, {few}]");
            wrong(&format!("tagged: {{kind: last, {keys}, port: x}}"))
        };
        let (begins, word) = ("it ends before it begins", "a word is not as it should be");
        let right = ("{host: '::1', span: {low: 1, high: 2}}", "[1, 2]", "[lower]", "[1, 2]");
        let port = format!("tagged.port {BYTE}");
        assert_eq!(last(right.0, right.1, right.2, right.3), [&*port]);
        let told = last("{host: '::1', span: {low: 5, high: 2}}", right.1, right.2, right.3);
        assert_eq!(told, [format!("tagged.last[1].span: {begins}"), port.clone()]);
        let told = last(right.0, "[5, 2]", "[lower, bad, lower, bad]", "[1, 2, 3]");
        assert_eq!(
            told,
            [
                "tagged.pair[1]: they end before they begin".to_string(),
                format!("tagged.list[1][1]: {word}"),
                format!("tagged.list[1][3]: {word}"),
                "tagged.at_least[1]: there are too many".to_string(),
                port,
            ]
        );
    }

    #[test]
    fn what_is_said_only_since_something_stands_in_the_place_of_an_item_is_not_told() {
        let told = |ends: &str| wrong(&format!("tagged: {{kind: ends, ends: {ends}, port: x}}"));
        let port = format!("tagged.port {BYTE}");
        let ends = |low: bool| [format!("tagged.ends[{}] {BYTE}", usize::from(!low)), port.clone()];
        assert_eq!(told("[x, 1]"), ends(true));
        assert_eq!(told("[x, 9]"), ends(true));
        assert_eq!(told("[5, x]"), ends(false));
        // Nor is a mistake of both items reported for the last one.
        let whole = ["tagged.ends: they end before they begin".to_string(), port.clone()];
        assert_eq!(told("[5, 2]"), whole);
    }
}

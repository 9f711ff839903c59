//! Handles a mapping in which the name of a variant is missing: reports what is wrong there whichever variant is meant.

use super::{
    again::Scope,
    mistakes::Mistakes,
    trial::{BUDGET, MadeUp, Trial},
};
use crate::config::{
    written::{
        value,
        way::{Step, Way},
    },
    wrong::{
        failure::{NO_NAME, What},
        mistake::Mistake,
    },
};
use figment::value::{Tag, Value};
use std::cell::Cell;

impl Mistakes<'_> {
    /// Reports what is wrong with all of the names that may stand at the end of `way`. Only the value at `around` is
    /// searched for that.
    pub(super) fn report_for_any_variant(
        &mut self,
        (way, around): (&Way, &[Step]),
        (trial, made_up): (&Trial<'_>, &MadeUp),
        scope: Scope<'_>,
    ) {
        let text = |name: &str| Value::String(Tag::Default, name.to_string());
        let mut other = trial.merged.clone();
        value::insert(&mut other, way, text(NO_NAME));
        let names = match trial.try_read(&other).map_err(|failure| failure.what) {
            Err(What::NoVariant { found, names }) if found.contains(NO_NAME) => names,
            _ => return,
        };
        let mut common: Option<Vec<Mistake>> = None;
        for name in names {
            let mut made_up = made_up.clone();
            made_up.push((way.clone(), Some(text(name))));
            // For each name as much may be read as for the section, as long as there is time.
            let budget = Cell::new(BUDGET);
            let mut of_variant = self.for_variant_name((trial.merged, around), &budget);
            of_variant.search_with(made_up, scope, &mut trial.dropped.clone());
            // A search that was cut short may have missed any mistake.
            let is_complete = budget.get() > 0 && !of_variant.is_late;
            let common = common.get_or_insert_with(|| of_variant.all.clone());
            common.retain(|mistake| is_complete && of_variant.all.contains(mistake) && !self.all.contains(mistake));
            if common.is_empty() {
                break;
            }
        }
        self.all.extend(common.unwrap_or_default());
        // What was read in this way is not the section's value.
        self.is_made_up = true;
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Duration, Section as _, given::Given};
    use serde::{Deserialize, Serialize};
    use std::net::IpAddr;

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Odd {
        flat: Option<Flat>,
        all: Vec<Kind>,
        many: Vec<Many>,
        beside: Vec<Beside>,
        port: u16,
    }

    macro_rules! many {
        ($($name:ident)*) => {
            #[derive(Debug, Serialize, Deserialize)]
            #[serde(tag = "of", deny_unknown_fields)]
            enum Many {
                $($name { name: String, count: u8, host: IpAddr, time: Option<Duration> },)*
            }
        };
    }

    many! {
        A0 A1 A2 A3 A4 A5 A6 A7 A8 A9 B0 B1 B2 B3 B4 B5 B6 B7 B8 B9 C0 C1 C2 C3 C4 C5 C6 C7 C8 C9
        D0 D1 D2 D3 D4 D5 D6 D7 D8 D9 E0 E1 E2 E3 E4 E5 E6 E7 E8 E9 F0 F1 F2 F3 F4 F5 F6 F7 F8 F9
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Flat {
        #[serde(flatten)]
        kind: Kind,
        #[serde(flatten)]
        second: Second,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case")]
    enum Kind {
        One { count: u8, name: String, time: Duration },
        Two { count: u8, size: u8 },
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Second {
        host: IpAddr,
        limit: u8,
        beside: Option<Beside>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "t", content = "c", rename_all = "kebab-case")]
    enum Beside {
        Count(u8),
        All(Vec<Beside>),
        Off,
    }

    fn wrong(file: &str) -> Vec<String> {
        let told = Given::file(Odd::META, file).wrong_in_line();
        told.iter().map(|told| told.split_once(": key `odd.").unwrap().1.replacen('`', "", 1)).collect()
    }

    const BYTE: &str = "takes a whole number from 0 to 255, not the text `x`";
    const IP: &str = "invalid IP address syntax";
    const PORT: &str = "port takes a whole number from 0 to 65535, not the text `x`";

    #[test]
    fn what_is_wrong_with_each_name_is_told_beside_one_that_is_missing() {
        let beside = [
            format!("flat.count {BYTE}"),
            "flat.host: invalid IP address syntax".to_string(),
            format!("flat.limit {BYTE}"),
            PORT.to_string(),
        ];
        let told = |first: &str| [first.to_string()].into_iter().chain(beside.clone()).collect::<Vec<_>>();
        // It depends on the name whether these keys are read, and as what.
        let keys = "count: x, size: x, time: 5, host: bad, limit: x";
        let missing = "flat: the key `kind` is missing";
        assert_eq!(wrong(&format!("{{flat: {{{keys}}}, port: x}}")), told(missing));
        let names = "flat.kind takes `one` or `two`, not what is there (it is not shown, since a secret may be there)";
        assert_eq!(wrong(&format!("{{flat: {{kind: three, {keys}}}, port: x}}")), told(names));
    }

    /// Whatever else is in the section.
    #[test]
    fn however_many_names_there_are_it_is_told() {
        let many = "{name: 5, count: x, host: bad}";
        let item = "{kind: two, count: 1, size: 1}";
        let items = [item; 40].join(", ");
        let wrong_items = ["{kind: two, count: x, size: 1}"; 5].join(", ");
        let told = wrong(&format!("{{all: [{items}, {wrong_items}], many: [{many}, {many}], port: x}}"));
        let all = (40..45).map(|at| format!("all[{at}].count {BYTE}"));
        let many = (0..2).flat_map(|at| {
            let key = format!("many[{at}]");
            [
                format!("{key}: the key `of` is missing"),
                format!("{key}.name takes a text, not `5`"),
                format!("{key}.count {BYTE}"),
                format!("{key}.host: {IP}"),
            ]
        });
        assert_eq!(told, all.chain(many).chain([PORT.to_string()]).collect::<Vec<_>>());
    }

    #[test]
    fn of_a_name_beside_its_content_only_that_is_told() {
        let names = "takes `count`, `all` or `off`, not what is there (it is not shown, since a secret may be there)";
        for (beside, told) in [
            ("{c: 5}", "flat.beside: the key `t` is missing".to_string()),
            ("{t: none, c: 5}", format!("flat.beside.t {names}")),
        ] {
            let file = format!("flat: {{kind: two, count: 1, size: 1, beside: {beside}, host: '::1', limit: x}}");
            assert_eq!(wrong(&file), [told, format!("flat.limit {BYTE}")]);
        }
        // Nothing is reported about the mapping around it, which has a name.
        let told = wrong("beside: [{t: all, c: [{t: none}, {c: 5}, {t: count, c: x}]}]");
        let [none, missing] = ["beside[0].c[0].t", "beside[0].c[1]"];
        assert_eq!(
            told,
            [
                format!("{none} {names}"),
                format!("{missing}: the key `t` is missing"),
                format!("beside[0].c[2].c {BYTE}"),
            ]
        );
    }

    #[test]
    fn each_is_told_once() {
        let item = "{count: x, name: 5, size: x}";
        let told = wrong(&format!("{{all: [{item}, {{kind: two, count: x, size: 1}}, {item}], port: x}}"));
        let of = |at: usize| [format!("all[{at}]: the key `kind` is missing"), format!("all[{at}].count {BYTE}")];
        let [first, second] = [of(0), of(2)];
        let between = format!("all[1].count {BYTE}");
        assert_eq!(
            told,
            first.into_iter().chain([between]).chain(second).chain([PORT.to_string()]).collect::<Vec<_>>()
        );
    }
}

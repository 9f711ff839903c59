//! A mapping in which the name of a variant is missing: what is wrong there whichever variant is meant.

use super::{
    again::Read,
    mistakes::Mistakes,
    trial::{MadeUp, Trial},
};
use crate::config::{
    read::reading::Reads,
    written::{value, way::Way},
    wrong::failure::{NO_NAME, What},
};
use figment::value::{Tag, Value};
use std::ops::Range;

/// Of an enum with more variants, nothing of this is looked for.
const MOST: usize = 20;

impl Mistakes<'_> {
    /// Tells what is wrong with each of the names that may stand at the end of this way.
    pub(super) fn tell_of_any(
        &mut self,
        way: &Way,
        (trial, made_up): (&Trial<'_>, &MadeUp),
        (read, reads, of): (Read<'_>, Reads, &Range<usize>),
    ) {
        let text = |name: &str| Value::String(Tag::Default, name.to_string());
        let mut other = trial.merged.clone();
        value::insert(&mut other, way, text(NO_NAME));
        let names = match trial.reads(&other).map_err(|failure| failure.what) {
            Err(What::NoVariant { found, names }) if found.contains(NO_NAME) && names.len() <= MOST => names,
            _ => return,
        };
        let mut told = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let mut made_up = made_up.clone();
            made_up.push((way.clone(), Some(text(name))));
            let mut with = self.with_a_name();
            with.read_with(made_up, &mut trial.dropped.clone(), read, reads, of);
            match at {
                0 => told = with.all,
                _ => told.retain(|told| with.all.contains(told)),
            }
        }
        told.retain(|told| !self.all.contains(told));
        self.all.append(&mut told);
        // what was read so is no value
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
        port: u16,
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
    }

    fn wrong(file: &str) -> Vec<String> {
        let told = Given::file(Odd::META, file).wrong_in_line();
        told.iter().map(|told| told.split_once(": key `odd.").unwrap().1.replacen('`', "", 1)).collect()
    }

    const BYTE: &str = "takes a whole number from 0 to 255, not the text `x`";
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
        // of which it depends whether it is read, and as what
        let keys = "count: x, size: x, time: 5, host: bad, limit: x";
        let missing = "flat: the key `kind` is missing";
        assert_eq!(wrong(&format!("{{flat: {{{keys}}}, port: x}}")), told(missing));
        let names = "flat.kind takes `one` or `two`, not what is there (it is not shown, since a secret may be there)";
        assert_eq!(wrong(&format!("{{flat: {{kind: three, {keys}}}, port: x}}")), told(names));
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

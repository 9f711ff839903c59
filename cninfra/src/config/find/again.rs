//! Reads what is said of a section again and again, until nothing in it is wrong: every mistake is kept, and what is wrong is dropped for the next reading. In the place of a
//! key that is missing stands something that fits, so that what is beside it is read.

use super::{
    alias::has_other_name,
    beyond::beyond,
    culprit::{Culprit, MadeUp, culprit},
    looks,
    mistakes::Mistakes,
    trial::{Trial, quietly},
};
use crate::config::{
    read::{
        reader::Reader,
        reading::{Notes, Reading, Reads},
    },
    said::{layers::Dropped, texts},
    written::{
        value,
        way::{Way, inner},
    },
    wrong::{
        failure::{Failure, What},
        spot::Spot,
    },
};
use std::{
    ops::Range,
    time::{Duration, Instant},
};

/// A reading that takes longer is not done again to find out where something is wrong: a type may look up each value.
const SLOW: Duration = Duration::from_secs(1);
/// After so long, what has been found is told, and that there may be more. A start has three times as long for all sections, if nothing else is said.
const LONGEST: Duration = Duration::from_secs(5);

/// Reads the section's type.
pub(super) type Read<'r> = &'r dyn Fn(Reader<'_, '_>) -> Result<(), Failure>;

impl Mistakes<'_> {
    /// Is this wrong, without what higher layers say of it? Then it is told.
    fn is_wrong(&mut self, (number, way): &(usize, Way), dropped: &Dropped, read: Read<'_>) -> bool {
        let above = (0..*number).map(|above| (above, way.clone()));
        let mut without = dropped.iter().cloned().chain(above).collect();
        self.read(&mut without, read, Reads::OneLayer, &self.layers.numbers());
        self.is_told_within(*number, way)
    }

    /// Reads what these layers say until nothing more is wrong, without what is dropped; adds to that what is wrong.
    pub(super) fn read(&mut self, dropped: &mut Dropped, read: Read<'_>, reads: Reads, of: &Range<usize>) -> Notes {
        let (layers, mut has_looked) = (self.layers, false);
        let are_all = *of == layers.numbers();
        let mut made_up = MadeUp::new();
        loop {
            // figment keeps what holds only: what is under a wrong value is there when it is merged again without it
            let merged = if are_all && dropped.is_empty() {
                layers.value(self.whole)
            } else {
                layers.value(&layers.merge(of, dropped))
            };
            let Some(mut merged) = merged else { return Notes::default() };
            self.texts[of.clone()].iter().for_each(|texts| texts::put(&mut merged, texts));
            for (way, value) in &made_up {
                value.iter().for_each(|value| value::insert(&mut merged, way, value.clone()));
            }
            let reading =
                Reading { section: self.section, layers, dropped, asked: None, reads, notes: Notes::default().into() };
            let reader = Reader::new(&reading, &merged);
            let root = reader.spot();
            // of what has been left out, and of what is made up, nobody has written that it is so
            let is_written = made_up.is_empty() && dropped.is_empty();
            let reading_began = Instant::now();
            let done = if is_written { read(reader) } else { quietly(read, reader) };
            if reading_began.elapsed() > SLOW {
                // to read it again and again would take the time of the whole start
                self.left.set(0);
            }
            let done = done.map_err(|failure| failure.at(|| root));
            let mut notes = reading.notes.into_inner();
            let (section, left) = (self.section, self.left);
            let all = Trial { section, layers, dropped, merged: &merged, read, left, is_unsteady: false };
            let done = done.and_then(|()| beyond(&notes.large, &all).map_or(Ok(()), Err));
            self.meant.append(&mut notes.meant);
            for (spot, mistake) in &notes.mistakes {
                self.add(spot, || mistake.clone());
            }
            notes.plugins.retain(|(spot, _)| !made_up.iter().any(|(way, _)| spot.way.starts_with(way)));
            let (before, mut is_new) = (dropped.len(), false);
            match done {
                Err(Failure { mut what, spot: Some(spot) }) => {
                    let (value, without) = all.near(&spot.way);
                    let near = Trial { merged: &value, dropped: &without, ..all };
                    let trial = match near.is_less_than(&all) && !all.is_spent() && near.says(&what, &spot) {
                        true => near,
                        false => Trial { is_unsteady: !all.is_spent() && all.says_otherwise(&what), ..all },
                    };
                    let mut texts = looks::texts((&what, &spot), &trial, &mut self.left_for_texts);
                    // what has been taken for a text already is of no use again
                    texts.retain(|text| !self.texts.iter().any(|taken| taken.contains(text)));
                    if !texts.is_empty() {
                        self.take_for_texts(texts);
                        if !std::mem::replace(&mut has_looked, true) {
                            let texts = looks::elsewhere(&all, &mut self.left_for_texts);
                            self.take_for_texts(texts);
                        }
                        continue;
                    }
                    let is_told = reads == Reads::All || !self.is_of_a_part(&what, &spot);
                    // of two names of one key, one has been read
                    match what {
                        What::Twice(_) => self.named_twice.push(spot.path.clone()),
                        _ => self.lost = true,
                    }
                    let found = if is_told { culprit(&what, &spot, &trial, &made_up) } else { None };
                    let found = found.unwrap_or(Culprit { spot, whole: usize::MAX, fits: None, is_somewhere: true });
                    let Culprit { spot, whole, fits, is_somewhere } = found;
                    let is_of_all = matches!(what, What::Missing { .. })
                        || matches!(what, What::Says(_)) && layers.is_mapping(&spot);
                    // what is wrong itself is to blame, and not what it is over
                    let is_asked = is_of_all && reads == Reads::All;
                    let over = is_asked.then(|| layers.whole_over_parts(&spot, dropped)).flatten();
                    if let Some(over) = over.filter(|over| self.is_wrong(over, dropped, read)) {
                        dropped.insert(over);
                        continue;
                    }
                    let lacks = match &what {
                        What::Missing { field, .. } => Some(inner(&spot.way, field)),
                        _ => None,
                    };
                    // what is said of what is made up, and of all around it, nobody has written
                    let follows = made_up.iter().any(|(way, _)| match &lacks {
                        Some(lacks) => lacks.starts_with(way) || is_somewhere && way.starts_with(&spot.way),
                        None => spot.way.starts_with(way) || way.starts_with(&spot.way),
                    });
                    let fits = fits.filter(|_| !follows);
                    if let (What::Missing { others, .. }, true) = (&mut what, fits.is_some()) {
                        // each is told by itself
                        others.clear();
                    }
                    let fitting = lacks.as_ref().zip(fits.as_ref());
                    let is_there = fitting.is_some_and(|(way, fits)| has_other_name(way, fits, &all));
                    if is_told && !follows && !is_there {
                        self.tell(&what, &spot, &notes, dropped, &trial);
                    }
                    let misfit = made_up.iter_mut().find(|(way, value)| value.is_some() && spot.way.starts_with(way));
                    if let Some((_, value)) = misfit {
                        (*value, is_new) = (None, true);
                    } else if let (Some(way), Some(_)) = (lacks, &fits) {
                        made_up.push((way, fits));
                        (self.is_made_up, is_new) = (true, true);
                    } else {
                        // of what is wrong with a mapping as a whole no layer's part is to be told alone
                        let others = of.clone().filter(|_| is_of_all).map(|entry| Spot { entry, ..spot.clone() });
                        let parts: Vec<_> = others.filter(|part| layers.is_mapping(part)).collect();
                        // what stands in there in a layer alone is still to be looked at
                        let is_lent = |part: &&Spot| part.entry != spot.entry || !layers.is_taken_whole(part);
                        let lent = parts.iter().filter(is_lent).map(|part| (part.entry, part.way.clone()));
                        self.lent.extend(lent);
                        let all = parts.into_iter().chain([spot]).map(|part| (part.entry, part.way));
                        dropped.extend(all.map(|(entry, way)| (entry, way[..whole.min(way.len())].to_vec())));
                    }
                }
                // the same unknown key may be in a lower layer, too
                _ if layers.len() > 1 => {
                    dropped.extend(notes.mistakes.iter().map(|(spot, _)| (spot.entry, spot.way.clone())));
                }
                _ => return notes,
            }
            // what is told by now is of use, and the next reading may take longer than anybody waits
            self.is_late |= !self.all.is_empty() && self.began.elapsed() > LONGEST;
            // to go on with the same would never end
            if dropped.len() == before && !is_new || self.all.len() > self.most || self.is_late {
                return notes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        config::{Section as _, given::Given},
        foreign::Panic,
    };
    use serde::{Deserialize, Serialize};
    use std::{
        net::IpAddr,
        sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::Relaxed},
        thread,
        time::Duration,
    };

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Odd {
        hasty: Option<Hasty>,
        port: u8,
        panics: Vec<Panics>,
        tagged: Option<Tagged>,
        counts: Vec<Counts>,
    }

    /// Panics at odd numbers, and has other words at 2, each time with how often it was read.
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(try_from = "u8")]
    struct Counts(u8);

    static COUNT: AtomicU32 = AtomicU32::new(0);

    impl TryFrom<u8> for Counts {
        type Error = String;
        fn try_from(number: u8) -> Result<Self, String> {
            let count = COUNT.fetch_add(1, Relaxed);
            assert!(number.is_multiple_of(2), "odd the {}time", "next ".repeat(count as usize % 9));
            if number == 2 { Err(format!("taken for {count} ms")) } else { Ok(Counts(number)) }
        }
    }

    /// Panics at odd numbers.
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(try_from = "u8")]
    struct Panics(u8);

    impl TryFrom<u8> for Panics {
        type Error = String;
        fn try_from(number: u8) -> Result<Self, String> {
            assert!(number.is_multiple_of(2), "{number} is odd");
            Ok(Panics(number))
        }
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
    enum Tagged {
        Leaf { name: String, panics: Panics, port: Option<u8> },
        All { of: Vec<Tagged>, last: Panics },
        Counts { of: Vec<Counts>, port: u8 },
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(try_from = "Plain")]
    struct Hasty {
        host: Option<IpAddr>,
    }
    #[derive(Deserialize)]
    struct Plain {
        host: Option<IpAddr>,
    }

    /// Was the log told of its panic?
    static LOUD: AtomicBool = AtomicBool::new(false);

    impl TryFrom<Plain> for Hasty {
        type Error = String;
        fn try_from(Plain { host }: Plain) -> Result<Self, String> {
            if host.is_none() {
                LOUD.fetch_or(!Panic::is_quiet(), Relaxed);
                panic!("no host");
            }
            Ok(Hasty { host })
        }
    }

    #[test]
    fn a_panic_over_what_has_been_left_out_is_no_event() {
        let wrong = |file: &str| Given::file(Odd::META, file).wrong_in_line();
        assert_eq!(wrong("hasty: {host: bad}"), ["15: key `odd.hasty.host`: invalid IP address syntax"]);
        assert!(!LOUD.load(Relaxed));
        let [panicked] = &wrong("hasty: {}")[..] else { panic!("not one") };
        assert!(panicked.contains("reading it panicked: no host"), "{panicked}");
        assert!(LOUD.load(Relaxed));
    }

    #[test]
    fn a_panic_hides_nothing_and_has_its_place() {
        let wrong = |file: &str| {
            let told = Given::file(Odd::META, file).wrong_in_line();
            told.iter().map(|told| told.split(" (at").next().unwrap_or(told).to_string()).collect::<Vec<_>>()
        };
        let panicked =
            |at: usize, key: &str, number: u8| format!("{at}: key `odd.{key}`: reading it panicked: {number} is odd");
        let byte = |at: usize, key: &str| {
            format!("{at}: key `odd.{key}` takes a whole number from 0 to 255, not the text `x`")
        };
        assert_eq!(
            wrong("{panics: [2, 3, x, 5, 4], port: x}"),
            [panicked(14, "panics[1]", 3), byte(17, "panics[2]"), panicked(20, "panics[3]", 5), byte(33, "port")]
        );
        let leaf = "{kind: leaf, name: n, panics: 2}";
        let odd = "{kind: leaf, name: n, panics: 3, port: x}";
        let lacks = "{kind: leaf, panics: 5}";
        let told = wrong(&format!("{{tagged: {{kind: all, of: [{leaf}, {odd}, {lacks}], last: 7}}, port: x}}"));
        assert_eq!(
            told,
            [
                panicked(91, "tagged.of[1].panics", 3),
                byte(100, "tagged.of[1].port"),
                "104: key `odd.tagged.of[2]`: the key `name` is missing".to_string(),
                panicked(125, "tagged.of[2].panics", 5),
                panicked(136, "tagged.last", 7),
                byte(146, "port"),
            ]
        );
    }

    #[test]
    fn words_that_are_others_each_time_have_their_places() {
        let odd = |at: usize, key: &str| format!("{at}: key `odd.{key}`: reading it panicked: odd the ");
        let taken = |at: usize, key: &str| format!("{at}: key `odd.{key}`: taken for ");
        let byte = |at: usize, key: &str| format!("{at}: key `odd.{key}` takes a whole number from 0 to 255, not ");
        for (file, told) in [
            (
                "{counts: [4, 3, 2, x, 5], port: x}",
                vec![
                    odd(14, "counts[1]"),
                    taken(17, "counts[2]"),
                    byte(20, "counts[3]"),
                    odd(23, "counts[4]"),
                    byte(33, "port"),
                ],
            ),
            (
                "{tagged: {kind: counts, of: [4, 3, 2, x, 5, 2], port: x}}",
                vec![
                    odd(33, "tagged.of[1]"),
                    taken(36, "tagged.of[2]"),
                    byte(39, "tagged.of[3]"),
                    odd(42, "tagged.of[4]"),
                    taken(45, "tagged.of[5]"),
                    byte(55, "tagged.port"),
                ],
            ),
        ] {
            let wrong = Given::file(Odd::META, file).wrong_in_line();
            assert_eq!(wrong.len(), told.len(), "{wrong:?}");
            assert!(wrong.iter().zip(&told).all(|(wrong, told)| wrong.starts_with(told)), "{wrong:?}");
        }
    }

    /// Where all of it takes long, what is wrong is told after some readings, and that there may be more.
    #[test]
    fn of_what_is_read_for_long_some_is_told() {
        static READ: AtomicUsize = AtomicUsize::new(0);
        #[derive(Debug, Default, Serialize)]
        struct Slow;
        impl<'de> Deserialize<'de> for Slow {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                READ.fetch_add(1, Relaxed);
                thread::sleep(Duration::from_millis(1100));
                u8::deserialize(from).map(|_| Slow)
            }
        }
        #[derive(Debug, Default, Serialize, Deserialize)]
        #[serde(default)]
        struct Has {
            a: Slow,
            ports: Vec<u8>,
            whole: Option<Whole>,
        }
        #[derive(Debug, Serialize, Deserialize)]
        #[serde(tag = "kind", rename_all = "kebab-case")]
        enum Whole {
            Of { a: Slow, ports: Vec<u8> },
        }
        let ports = ["x"; 12].join(", ");
        let told = Given::file(Has::META, &format!("a: 1\nports: [{ports}]")).wrong();
        assert!(told.len() > 2 && told.len() < 8 && READ.load(Relaxed) < 7, "{told:?}");
        assert!(
            told[0].contains("key `odd.ports[0]` takes")
                && told.concat().contains("there may be more mistakes in section `odd`"),
            "{told:?}"
        );
        // where it is, is not looked for
        READ.store(0, Relaxed);
        let told = Given::file(Has::META, "whole: {kind: of, a: 1, ports: [1, x]}").wrong();
        assert!(told.len() == 1 && told[0].contains("key `odd.whole`") && READ.load(Relaxed) == 1, "{told:?}");
    }
}

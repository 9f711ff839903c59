//! Tests with types that panic, or that word their mistakes differently each time, in various positions.

use crate::{
    config::{given::Given, sections::section::Section as _},
    foreign::Panic,
};
use serde::{Deserialize, Serialize};
use std::{
    net::IpAddr,
    sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
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

/// Panics at odd numbers, and reports 2 as wrong; each time with a message that depends on how often it was read.
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

/// Was the panic logged?
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
        let mistakes = Given::file(Odd::META, file).wrong_in_line();
        mistakes.iter().map(|mistake| mistake.split(" (at").next().unwrap_or(mistake).to_string()).collect::<Vec<_>>()
    };
    let panicked =
        |at: usize, key: &str, number: u8| format!("{at}: key `odd.{key}`: reading it panicked: {number} is odd");
    let byte =
        |at: usize, key: &str| format!("{at}: key `odd.{key}` takes a whole number from 0 to 255, not the text `x`");
    assert_eq!(
        wrong("{panics: [2, 3, x, 5, 4], port: x}"),
        [panicked(14, "panics[1]", 3), byte(17, "panics[2]"), panicked(20, "panics[3]", 5), byte(33, "port")]
    );
    let leaf = "{kind: leaf, name: n, panics: 2}";
    let odd = "{kind: leaf, name: n, panics: 3, port: x}";
    let lacks = "{kind: leaf, panics: 5}";
    let mistakes = wrong(&format!("{{tagged: {{kind: all, of: [{leaf}, {odd}, {lacks}], last: 7}}, port: x}}"));
    assert_eq!(
        mistakes,
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
    for (file, mistakes) in [
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
        assert_eq!(wrong.len(), mistakes.len(), "{wrong:?}");
        assert!(wrong.iter().zip(&mistakes).all(|(wrong, mistake)| wrong.starts_with(mistake)), "{wrong:?}");
    }
}

//! Tests with types that panic while they are read: each panic is reported at its key, and hides no other mistake.

use crate::{
    config::{Secret, given::Given, sections::section::Section as _},
    foreign::Panic,
};
use serde::{Deserialize, Serialize};
use std::{cell::Cell, collections::BTreeMap, mem};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Odd {
    odd: Even,
    pair: Option<(u8, Even)>,
    evens: Option<(Even, u8, Even)>,
    all: Vec<Even>,
    by: BTreeMap<String, Even>,
    inner: Option<Inner>,
    choice: Option<Choice>,
    hidden: Option<Secret<Inner>>,
    tagged: Option<Tagged>,
    beside: Option<Beside>,
    flat: Option<Flat>,
    bomb: Option<Holds>,
    calms: Option<Calms>,
    needs: Option<Needs>,
    made: Option<Made>,
    loose: Option<Loose>,
    long: Long,
    port: u8,
}

thread_local! {
    static PANICS: Cell<usize> = const { Cell::new(0) };
    /// How many of these panics were logged.
    static LOUD: Cell<usize> = const { Cell::new(0) };
}

/// Panics at odd numbers, and counts how often (except at 1, which is tried in the place of a missing key).
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "u8")]
struct Even(u8);

impl TryFrom<u8> for Even {
    type Error = String;
    fn try_from(number: u8) -> Result<Self, String> {
        if number % 2 == 1 {
            PANICS.set(PANICS.get() + usize::from(number > 1));
            LOUD.set(LOUD.get() + usize::from(!Panic::is_quiet()));
            panic!("{number} is odd");
        }
        Ok(Even(number))
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inner {
    even: Even,
    #[serde(default = "broken")]
    low: Even,
}

fn broken() -> Even {
    panic!("it is not made")
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Choice {
    One(Even),
    Named { even: Even },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Tagged {
    Some {
        #[serde(default = "broken")]
        low: Even,
        port: Option<u8>,
        even: Option<Even>,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum Made {
    Some {
        #[serde(default = "broken")]
        low: Even,
        #[serde(default = "broken")]
        high: Even,
        port: Option<u8>,
    },
    Unlike {
        #[serde(default = "broken")]
        low: Even,
        #[serde(default = "unmade")]
        high: Even,
        port: Option<u8>,
    },
}

fn unmade() -> Even {
    panic!("nobody makes it")
}

#[derive(Debug, Serialize, Deserialize)]
struct Loose {
    port: u8,
    #[serde(flatten)]
    part: Defaults,
}

#[derive(Debug, Serialize, Deserialize)]
struct Defaults {
    #[serde(default = "broken")]
    low: Even,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "t", content = "c", rename_all = "kebab-case")]
enum Beside {
    Inner(Inner),
}

#[derive(Debug, Serialize, Deserialize)]
struct Flat {
    name: Even,
    #[serde(flatten)]
    part: Part,
}

#[derive(Debug, Serialize, Deserialize)]
struct Part {
    even: Even,
    low: Even,
}

/// Panics when it is dropped, unless it is 0.
#[derive(Debug, Serialize, Deserialize)]
struct Bomb(u8);

impl Drop for Bomb {
    fn drop(&mut self) {
        assert_eq!(mem::take(&mut self.0), 0, "it is dropped");
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Holds {
    bomb: Bomb,
    port: u8,
}

#[derive(Debug, Serialize, Deserialize)]
struct Needs {
    port: u8,
}

/// Catches a panic itself, and ignores it.
#[derive(Debug, Serialize)]
struct Calm;

impl<'de> Deserialize<'de> for Calm {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let _ = crate::foreign::guard(|| Inner::deserialize(from).map(drop));
        Ok(Calm)
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Calms {
    calm: Calm,
    #[serde(default = "broken")]
    low: Even,
}

/// Panics with a message of this length.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "u16")]
struct Long(u16);

impl TryFrom<u16> for Long {
    type Error = String;
    fn try_from(length: u16) -> Result<Self, String> {
        panic!("{}", "é".repeat(length.into()))
    }
}

fn wrong(file: &str) -> Vec<String> {
    let mistakes = Given::file(Odd::META, file).wrong_in_line();
    mistakes.iter().map(|mistake| mistake.split(" (at").next().unwrap_or(mistake).to_string()).collect()
}

fn panicked(at: usize, key: &str, words: &str) -> String {
    format!("{at}: key `odd.{key}`: reading it panicked: {words}")
}

fn byte(at: usize, key: &str) -> String {
    format!("{at}: key `odd.{key}` takes a whole number from 0 to 255, not the text `x`")
}

#[test]
fn each_is_told_at_its_key_after_it_has_panicked_once() {
    for (file, mistakes) in [
        ("{odd: 3, port: x}", vec![panicked(7, "odd", "3 is odd"), byte(16, "port")]),
        ("{pair: [1, 3], port: x}", vec![panicked(12, "pair[1]", "3 is odd"), byte(22, "port")]),
        (
            "{all: [2, 3, x, 5], port: x}",
            vec![
                panicked(11, "all[1]", "3 is odd"),
                byte(14, "all[2]"),
                panicked(17, "all[3]", "5 is odd"),
                byte(27, "port"),
            ],
        ),
        ("{by: {a: 2, b: 3, c: x}}", vec![panicked(16, "by.b", "3 is odd"), byte(22, "by.c")]),
        (
            "{inner: {even: 3, low: 5}}",
            vec![panicked(16, "inner.even", "3 is odd"), panicked(24, "inner.low", "5 is odd")],
        ),
        ("{choice: {one: 3}, port: x}", vec![panicked(16, "choice.one", "3 is odd"), byte(26, "port")]),
        ("{choice: {named: {even: 3}}}", vec![panicked(25, "choice.named.even", "3 is odd")]),
        // A default has no place of its own.
        ("{inner: {even: 2}, port: x}", vec![panicked(9, "inner", "it is not made"), byte(26, "port")]),
    ] {
        PANICS.set(0);
        assert_eq!(wrong(file), mistakes, "{file}");
        let panics = mistakes.iter().filter(|mistake| mistake.contains("is odd")).count();
        assert_eq!(PANICS.get(), panics, "{file}");
    }
}

#[test]
fn one_that_is_looked_for_or_stands_beside_others_is_no_event_again() {
    for (file, mistakes) in [
        (
            "{evens: [3, x, 5]}",
            vec![panicked(10, "evens[0]", "3 is odd"), byte(13, "evens[1]"), panicked(16, "evens[2]", "5 is odd")],
        ),
        (
            "{flat: {name: 3, even: 5, low: 7}}",
            vec![
                panicked(15, "flat.name", "3 is odd"),
                panicked(24, "flat.even", "5 is odd"),
                panicked(32, "flat.low", "7 is odd"),
            ],
        ),
        (
            "{beside: {c: {even: 3, low: 2}, t: inner}, port: x}",
            vec![panicked(21, "beside.c.even", "3 is odd"), byte(50, "port")],
        ),
        (
            "{tagged: {kind: some, low: 2, even: 3, port: x}}",
            vec![panicked(37, "tagged.even", "3 is odd"), byte(46, "tagged.port")],
        ),
        // A default that panics has nothing to do with the name of the variant.
        ("{tagged: {kind: some, port: 1}, port: x}", vec![panicked(10, "tagged", "it is not made"), byte(39, "port")]),
        ("{tagged: {kind: some}}", vec![panicked(10, "tagged", "it is not made")]),
    ] {
        LOUD.set(0);
        assert_eq!(wrong(file), mistakes, "{file}");
        // Only the first one is logged, and none of the trial readings.
        assert_eq!(LOUD.get(), usize::from(mistakes[0].contains("is odd")), "{file}");
    }
}

#[test]
fn one_of_a_default_is_told_of_its_key_and_of_no_other() {
    let made = |key: &str| panicked(8, &format!("made.{key}"), "it is not made");
    assert_eq!(wrong("{made: {kind: some, port: 1, low: 2}}"), [made("high")]);
    assert_eq!(wrong("{made: {kind: some, high: 2, port: x}}"), [made("low"), byte(36, "made.port")]);
    // Both are reported, although they say the same.
    assert_eq!(wrong("{made: {kind: some}}"), ["low", "high"].map(made));
    assert_eq!(wrong("{made: {kind: some, port: x}}"), [made("low"), made("high"), byte(27, "made.port")]);
    // Without the key that is set, another default panics.
    let high = panicked(8, "made.high", "nobody makes it");
    assert_eq!(wrong("{made: {kind: unlike, low: 2}}"), [high]);
    // A key that is set to a wrong value.
    let low = "26: key `odd.made.low` takes a whole number from 0 to 255, not the text `x`";
    assert_eq!(wrong("{made: {kind: some, low: x, high: 2}}"), [low]);
    assert_eq!(wrong("{loose: {port: 1}}"), [panicked(9, "loose", "it is not made")]);
}

#[test]
fn one_that_a_secret_has_caught_leaves_the_places_of_others() {
    let hidden = wrong("{hidden: {even: 3, low: 2}, inner: {even: 3, low: 2}, port: x}");
    let [hidden, inner, port] = &hidden[..] else { panic!("{hidden:?}") };
    assert!(hidden.starts_with("17: key `odd.hidden`: reading its value panicked"), "{hidden}");
    assert_eq!([inner, port], [&panicked(43, "inner.even", "3 is odd"), &byte(61, "port")]);
}

#[test]
fn one_that_a_type_has_caught_leaves_the_places_of_others() {
    assert_eq!(wrong("{calms: {calm: {even: 3}}}"), [panicked(9, "calms", "it is not made")]);
    assert_eq!(wrong("{calms: {calm: {even: 3}, low: 2}, port: x}"), [byte(42, "port")]);
}

#[test]
fn one_of_what_is_dropped_hides_nothing() {
    assert_eq!(wrong("{bomb: {bomb: 1, port: x}, port: x}"), [byte(24, "bomb.port"), byte(34, "port")]);
    // There is no value, since a missing key was replaced by a trial value.
    let mistakes = wrong("{bomb: {bomb: 1, port: 2}, needs: {}}");
    assert_eq!(mistakes, ["35: key `odd.needs`: the key `port` is missing"]);
    // Nothing is wrong with what is read.
    let given = Given::file(Odd::META, "{bomb: {bomb: 1, port: 2}}").flags(&[("port", "x")]);
    assert_eq!(given.wrong(), ["flag --port: key `odd.port` takes a whole number from 0 to 255, not the text `x`"]);
}

#[test]
fn one_that_says_much_is_cut() {
    assert_eq!(wrong("long: 400"), [panicked(7, "long", &"é".repeat(400))]);
    assert_eq!(wrong("long: 401"), [panicked(7, "long", &format!("{}…", "é".repeat(400)))]);
}

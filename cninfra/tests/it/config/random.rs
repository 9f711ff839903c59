//! Randomly damaged files: every mistake has a place, and nothing panics.

use super::start;
use cninfra::{agent::Cause, config::Config};

const YAML: &str = "name: a\nport: 1\nratio: 2.5\nverbose: true\nread-timeout: 1m30s\nmax-body: 1KiB\nmode:\n  fixed: {peer: p}\ntls:\n  cert-file: c\n  min-version: 3\ntags: [x, 'y', \"z\"]\npeers:\n- host: h\n  port: 2\n- {host: i}\nlabels: {a: 1, b: 2}\npassword: s\n";
const TOML: &str = "name = 'a'\nport = 1\nratio = 2.5\nverbose = true\nread-timeout = '1m30s'\nmax-body = '1KiB'\ntags = ['x', \"y\"]\n[mode.fixed]\npeer = 'p'\n[tls]\ncert-file = 'c'\nmin-version = 3\n[[peers]]\nhost = 'h'\nport = 2\n[labels]\na = 1\n";
/// What is inserted into the files.
const PIECES: &[&str] = &[
    "x",
    "-",
    ":",
    ": ",
    "\n",
    "\n  ",
    "  ",
    "[",
    "]",
    "{",
    "}",
    "'",
    "\"",
    "#",
    "&a ",
    "*a",
    "!t ",
    "|",
    ">",
    "<<: ",
    "---\n",
    "...",
    "\t",
    "1",
    "-1",
    "1e999",
    "0x7",
    "null",
    "~",
    "true",
    "\u{e9}",
    "\u{0}",
    "=",
    "[[",
    "2020-01-01",
    "port: 2\n",
    "? ",
];

/// A pseudorandom generator with the same numbers in every run (Knuth's constants).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

fn mutated(text: &str, numbers: &mut Numbers) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=numbers.below(3) {
        let at = numbers.below(chars.len());
        match numbers.below(4) {
            0 => drop(chars.drain(at..(at + 1 + numbers.below(4)).min(chars.len()))),
            1 => chars.truncate(at + 1),
            _ => {
                let piece = PIECES[numbers.below(PIECES.len())];
                chars.splice(at..at, piece.chars());
            }
        }
    }
    chars.into_iter().collect()
}

#[tokio::test]
async fn every_mistake_has_a_place() {
    let mut numbers = Numbers(7);
    let (mut right, mut wrong) = (0, 0);
    for round in 0..600 {
        let (name, text) = if round % 3 == 0 { ("server.toml", TOML) } else { ("server.conf", YAML) };
        let text = mutated(text, &mut numbers);
        match start(&[(name, &text)], Config::new()).await {
            Ok(agent) => {
                right += 1;
                agent.close().await.unwrap();
            }
            Err((error, _)) => {
                wrong += 1;
                assert!(!error.errors.is_empty());
                for error in &error.errors {
                    let Cause::Config(error) = &error.cause else { panic!("{text:?}: {error}") };
                    let words = error.to_string();
                    let place = words.split(": ").next().and_then(|place| place.split_once(&format!("{name}:")));
                    let numbers = place.map(|(_, at)| at.split(':').map(str::parse::<usize>).collect::<Vec<_>>());
                    let lines = text.lines().count().max(1) + 1;
                    let is_place = |at: &Vec<Result<usize, _>>| matches!(&at[..], [Ok(line), Ok(column)] if (1..=lines).contains(line) && *column >= 1);
                    assert!(numbers.as_ref().is_some_and(is_place), "{text:?}: {words}");
                }
            }
        }
    }
    assert!(right > 20 && wrong > 300, "{right} right, {wrong} wrong");
}

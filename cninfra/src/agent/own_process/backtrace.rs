//! The backtrace of a panic for the log, without the frames of the standard library around it.

use std::{backtrace::Backtrace, fmt::Write as _};

/// How much of a panic's backtrace is logged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wanted {
    Nothing,
    Short,
    Full,
}

impl Wanted {
    /// Reads `RUST_BACKTRACE` as the standard library does.
    pub(super) fn of(variable: Option<&str>) -> Self {
        match variable {
            None | Some("0") => Wanted::Nothing,
            Some("full") => Wanted::Full,
            Some(_) => Wanted::Short,
        }
    }

    /// The backtrace of this call, if one is wanted.
    pub(super) fn capture(self) -> Option<String> {
        match self {
            Wanted::Nothing => None,
            Wanted::Full => Some(Backtrace::force_capture().to_string()),
            Wanted::Short => Some(short(&Backtrace::force_capture().to_string())),
        }
    }
}

/// The functions that a panic passes through before the panic hook is called.
const PANICS: [&str; 3] = ["rust_begin_unwind", "begin_panic", "panic_fmt"];
/// The standard library's crates, whose frames help nobody.
const STD: [&str; 4] = ["std::", "core::", "alloc::", "__rust"];

/// The source paths of the standard library begin with this.
const SOURCES: &str = "at /rustc/";

/// Removes the frames of the standard library, and those after the panic.
fn short(full: &str) -> String {
    let frames = frames(full);
    let panics = |frame: &&Frame<'_>| PANICS.iter().any(|name| frame.name.contains(name));
    // The innermost panic counts: a destructor may panic while an outer panic unwinds.
    let first = frames.iter().position(|frame| panics(&frame)).map_or(0, |at| at + 1);
    let kept: Vec<_> = frames[first..].iter().filter(|frame| !frame.is_std()).collect();
    if kept.is_empty() {
        // The frames have no names, as in a program without symbols.
        return full.to_string();
    }
    let mut text: String = kept.iter().flat_map(|frame| frame.lines.iter()).fold(String::new(), |mut text, line| {
        text.push_str(line);
        text.push('\n');
        text
    });
    let out = frames.len() - kept.len();
    if out > 0 {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{out} frames of the standard library are left out: RUST_BACKTRACE=full shows them");
    }
    text
}

struct Frame<'a> {
    /// The name of the function.
    name: &'a str,
    lines: Vec<&'a str>,
}

/// A frame begins with its number, and its place in the source is on the line below.
fn frames(full: &str) -> Vec<Frame<'_>> {
    let mut frames: Vec<Frame<'_>> = Vec::new();
    for line in full.lines() {
        let number =
            line.trim_start().split_once(": ").filter(|(number, _)| number.bytes().all(|b| b.is_ascii_digit()));
        match (number, frames.last_mut()) {
            (Some((_, name)), _) => frames.push(Frame { name, lines: vec![line] }),
            (None, Some(frame)) => frame.lines.push(line),
            (None, None) => {}
        }
    }
    frames
}

impl Frame<'_> {
    fn is_std(&self) -> bool {
        // This is also true of `<core::pin::Pin<P> as core::future::future::Future>::poll`.
        let name = self.name.trim_start_matches('<').trim_start_matches("&mut ");
        // The name of an inlined function lacks its first parts, so its source path is checked as well.
        let is_there = |line: &&str| line.trim_start().starts_with(SOURCES);
        STD.iter().any(|of| name.starts_with(of)) || self.lines[1..].iter().any(is_there)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = "   0: std::backtrace::Backtrace::create\n             at /rustc/5980/library/std/src/backtrace.rs:331:13\n   \
                        1: cninfra::agent::hook::log\n   2: __rustc::rust_begin_unwind\n   3: core::panicking::panic_fmt\n   \
                        4: app::store::open\n             at ./src/store.rs:7:9\n   5: <core::pin::Pin<P> as core::future::future::Future>::poll\n   \
                        6: poll\n             at /rustc/5980/library/core/src/future.rs:1:1\n   7: app::main\n   8: std::rt::lang_start\n";

    #[test]
    fn what_the_standard_library_does_is_left_out() {
        let expected = "   4: app::store::open\n             at ./src/store.rs:7:9\n   7: app::main\n\
                        7 frames of the standard library are left out: RUST_BACKTRACE=full shows them";
        assert_eq!(short(FULL), expected);
        // A panic inside another one.
        let nested = "   0: cninfra::agent::hook::log\n   1: __rustc::rust_begin_unwind\n   2: core::panicking::panic_fmt\n   \
                      3: app::inner\n   4: std::panicking::begin_panic\n   5: app::outer\n";
        assert!(short(nested).starts_with("   3: app::inner\n   5: app::outer\n"), "{}", short(nested));
        let nameless = "   0: <unknown>\n   1: <unknown>\n";
        assert_eq!(short(nameless), nameless.to_string());
        assert_eq!(short("disabled backtrace"), "disabled backtrace");
    }

    #[test]
    fn the_way_to_here_is_short_where_it_is_not_wanted_in_full() {
        let (short, full) = (Wanted::of(Some("1")).capture().unwrap(), Wanted::of(Some("full")).capture().unwrap());
        assert!(short.contains("backtrace::tests::") && !short.contains("std::rt::"), "{short}");
        assert!(full.lines().count() > short.lines().count(), "{full}");
        assert_eq!((Wanted::of(Some("0")).capture(), Wanted::of(None).capture()), (None, None));
    }
}

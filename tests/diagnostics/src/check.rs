//! Compares the reported errors with those that a case expects.

use crate::{Case, Diagnostic, Expected, LINES};
use std::{fmt, fmt::Write as _};

/// What is wrong with the result of one case.
#[derive(Debug)]
pub struct Failure {
    case: String,
    wrong: Vec<String>,
    expected: Vec<Expected>,
    rendered: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "==== {}.rs", self.case)?;
        for wrong in &self.wrong {
            writeln!(f, "  * {wrong}")?;
        }
        writeln!(f, "---- expected")?;
        for Expected { line, codes } in &self.expected {
            writeln!(f, "  {} on line {line}", codes.join("+"))?;
        }
        writeln!(f, "---- got\n{}", self.rendered)
    }
}

/// Compares what rustc reported with what the case expects.
///
/// # Errors
/// Everything that differs.
pub fn check(case: &Case, found: &[Diagnostic]) -> Result<(), Failure> {
    let mut wrong = Vec::new();
    let once = shown(case, found);
    if case.repeated && once.len() == found.len() {
        wrong.push("no error is the same as another one: take `//@ repeated` away".to_string());
    }
    let found = &once[..];
    let limit = case.lines.unwrap_or(LINES);
    let mut missing = case.expected.clone();
    let mut longest = 0;
    for diagnostic in found {
        let title = diagnostic.message.lines().next().unwrap_or_default();
        if diagnostic.level != "error" {
            wrong.push(format!("a {}: {title}", diagnostic.level));
            continue;
        }
        let Some((file, line)) = &diagnostic.at else {
            wrong.push(format!("an error that stands nowhere: {title}"));
            continue;
        };
        longest = longest.max(diagnostic.lines());
        if diagnostic.lines() > limit {
            wrong.push(format!("{} lines, at most {limit}: {title}", diagnostic.lines()));
        }
        let line = if file.ends_with(&format!("/{}.rs", case.name)) { *line } else { 0 };
        let got = Expected { line, codes: diagnostic.codes() };
        match missing.iter().position(|expected| *expected == got) {
            Some(place) => drop(missing.remove(place)),
            None => wrong.push(format!("not expected: {} on line {line} of {file}: {title}", got.codes.join("+"))),
        }
    }
    wrong.extend(missing.iter().map(|e| format!("not reported: {} on line {}", e.codes.join("+"), e.line)));
    if case.expected.is_empty() {
        wrong.push("a case without `//~`".to_string());
    }
    if wrong.is_empty() && case.lines.is_some_and(|lines| longest < lines) {
        wrong.push(format!("the longest error has {longest} lines: say so in `//@ lines:`, or take it away"));
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Failure { case: case.name.clone(), wrong, expected: case.expected.clone(), rendered: rendered(found) })
}

/// The diagnostics to show: if the case says so, only one of those with the same text.
pub fn shown(case: &Case, found: &[Diagnostic]) -> Vec<Diagnostic> {
    let mut once: Vec<Diagnostic> = Vec::new();
    for diagnostic in found {
        if !(case.repeated && once.iter().any(|other| other.rendered == diagnostic.rendered)) {
            once.push(diagnostic.clone());
        }
    }
    once
}

/// All diagnostics, in the order of the source, without the paths of this machine.
pub fn rendered(found: &[Diagnostic]) -> String {
    let mut found: Vec<_> = found.iter().collect();
    found.sort_by_key(|diagnostic| diagnostic.at.as_ref().map_or(0, |(_, line)| *line));
    let mut text = String::new();
    for diagnostic in found {
        let _ = writeln!(text, "{}\n", normalized(diagnostic.rendered.trim_end()));
    }
    text
}

/// Replaces `/some/where/cninfra/src/dep.rs:21:1` by `cninfra/src/dep.rs`, and removes line numbers there: they change
/// with code that has nothing to do with the case.
fn normalized(text: &str) -> String {
    let mut out = String::new();
    let (mut foreign, mut placed) = (false, false);
    let mixed = text.lines().any(|line| place(line).is_some_and(|(_, place)| !place_of(place).starts_with("cases/")));
    for line in text.lines() {
        if let Some((arrow, place)) = place(line) {
            let place = place_of(place);
            foreign = !place.starts_with("cases/");
            placed = true;
            let indent = if mixed { 3 } else { line.len() - line.trim_start().len() };
            let _ = writeln!(out, "{:indent$}{arrow} {place}", "");
            continue;
        }
        // The path of a file of this build.
        if let Some((said, _)) = line.split_once("has been written to '") {
            let _ = writeln!(out, "{said}has been written to a file");
            continue;
        }
        let code = line.trim_start();
        let number = code.len() - code.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let rest = &code[number..];
        let gutter = rest.starts_with(" |") || (number == 0 && (rest.starts_with('|') || rest.starts_with("= ")));
        if !(mixed && placed && gutter) {
            let _ = writeln!(out, "{line}");
        } else if number == 0 {
            let _ = writeln!(out, "    {rest}");
        } else {
            let _ = writeln!(out, "{:>3}{rest}", if foreign { "LL" } else { &code[..number] });
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// The arrow and the place, if the line shows a place.
fn place(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    let arrow = ["-->", ":::"].into_iter().find(|arrow| line.starts_with(arrow))?;
    Some((arrow, line[3..].trim()))
}

fn place_of(place: &str) -> String {
    let place = place.replace('\\', "/");
    let roots = ["/cninfra/src/", "/tests/fixtures/", "/rustlib/src/rust/library/", "/library/"];
    for root in roots {
        if let Some(at) = place.rfind(root) {
            let path = place[at + 1..].split(':').next().unwrap_or_default().to_string();
            return path;
        }
    }
    match place.rfind("cases/") {
        Some(at) => place[at..].to_string(),
        None => place,
    }
}

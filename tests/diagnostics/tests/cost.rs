//! Checking a wrong program takes about as long as checking a right one: a user who makes a mistake waits for the
//! answer, too.

use cninfra_diagnostics_tests::{Case, compile, rendered};
use std::{
    fmt::Write as _,
    time::{Duration, Instant, SystemTime},
};

const PLUGINS: usize = 200;

/// A flavor of many plugins, of which the first one may lack a dependency. Its module has a new name each time, so that
/// rustc can reuse nothing from the run before.
fn program(wrong: bool) -> String {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
    let mut text = format!("pub mod at_{now} {{\nuse cninfra::prelude::*;\n#[plugin]\npub struct Missing;\n");
    let mut fields = String::new();
    for i in 0..PLUGINS {
        let dep = match i {
            0 if wrong => "missing: Dep<Missing>".to_string(),
            0 => String::new(),
            _ => format!("under: Dep<P{}>", i / 2),
        };
        let _ = write!(text, "#[plugin]\npub struct P{i} {{ {dep} }}\n");
        let _ = writeln!(fields, "    p{i}: Dep<P{i}>,");
    }
    text + "#[derive(Flavor)]\npub struct Wide {\n" + &fields + "}\n}\n"
}

/// How long the check takes, and the codes that are reported.
fn checked(wrong: bool) -> std::io::Result<(Duration, Vec<String>)> {
    let case = Case::parse(if wrong { "wide-and-wrong" } else { "wide-and-right" }, program(wrong));
    let began = Instant::now();
    let found = compile("cost", std::slice::from_ref(&case))?;
    let took = began.elapsed();
    let found = &found[&case.name];
    assert!(found.len() == usize::from(wrong), "{}", rendered(found));
    Ok((took, found.iter().flat_map(|diagnostic| diagnostic.codes()).collect()))
}

#[test]
fn a_mistake_in_one_of_many_plugins_costs_little() -> std::io::Result<()> {
    // Builds the dependencies of the programs.
    checked(false)?;
    let mut all = Vec::new();
    // Other load on the machine may slow down any of them, but not by so much each time.
    for _ in 0..3 {
        let (right, _) = checked(false)?;
        let (wrong, codes) = checked(true)?;
        assert_eq!(codes, ["CN001"]);
        if wrong < 3 * right {
            return Ok(());
        }
        all.push((right, wrong));
    }
    panic!("right and wrong: {all:?}");
}

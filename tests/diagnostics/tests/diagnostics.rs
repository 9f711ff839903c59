//! Tests every case in `cases/`, and that every code is documented.

use cninfra_diagnostics_tests::{Case, PINNED, check, compile, rendered, shown};
use std::{collections::BTreeSet, env, fmt::Write as _, fs, path::Path, process::Command};

#[test]
fn every_case_gives_what_it_says() -> std::io::Result<()> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut cases = Case::all(&directory)?;
    if let Ok(only) = env::var("CASES") {
        cases.retain(|case| case.name.contains(&only));
    }
    assert!(!cases.is_empty(), "no such case");
    let found = compile("all", &cases)?;
    let bless = env::var_os("BLESS").is_some();
    let verbatim = rustc().is_some_and(|version| version == PINNED);
    let (mut failures, mut failed) = (String::new(), 0);
    for case in &cases {
        let found = &found[&case.name];
        if let Err(failure) = check(case, found) {
            let _ = writeln!(failures, "{failure}");
            failed += 1;
            continue;
        }
        let (path, now) = (directory.join(format!("{}.stderr", case.name)), rendered(&shown(case, found)));
        if bless {
            fs::write(path, now)?;
        } else if verbatim {
            let kept = fs::read_to_string(path).unwrap_or_default();
            if kept.replace("\r\n", "\n") != now {
                let name = &case.name;
                let _ = writeln!(
                    failures,
                    "==== {name}.stderr is not what rustc says now; is it as good? (BLESS=1 keeps it)\n---- kept\n{kept}---- now\n{now}"
                );
                failed += 1;
            }
        }
    }
    assert!(failed == 0, "{failed} of {} cases:\n\n{failures}", cases.len());
    Ok(())
}

/// The version of the compiler that cargo uses.
fn rustc() -> Option<String> {
    let program = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(program).arg("--version").output().ok()?;
    String::from_utf8(output.stdout).ok()?.split(' ').nth(1).map(str::to_string)
}

/// Reads the text of every file with this extension below a directory.
fn texts(directory: &Path, ending: &str, all: &mut Vec<String>) -> std::io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            texts(&path, ending, all)?;
        } else if path.extension().is_some_and(|extension| extension == ending) {
            all.push(fs::read_to_string(path)?);
        }
    }
    Ok(())
}

/// The codes (`CN001` and so on) in a text.
fn codes(text: &str) -> BTreeSet<String> {
    let digits = |code: &&str| code.len() == 5 && code[2..].bytes().all(|b| b.is_ascii_digit());
    text.match_indices("CN").filter_map(|(at, _)| text.get(at..at + 5)).filter(digits).map(str::to_string).collect()
}

/// A private field that depends on an interface is checked in the struct and in the plugin's constant. Both give the
/// same text, which cargo shows once.
const TOLD_TWICE: [&str; 1] = ["CN012"];

#[test]
fn every_code_has_a_page_whose_sample_gives_it() -> std::io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut sources = Vec::new();
    for directory in ["cninfra/src", "cninfra-macros/src"] {
        texts(&root.join(directory), "rs", &mut sources)?;
    }
    let all: BTreeSet<String> = sources.iter().flat_map(|text| codes(text)).collect();
    assert!(all.len() >= 28, "{all:?}");
    let mut cases = Vec::new();
    for code in &all {
        let name = code.to_lowercase();
        let page = fs::read_to_string(root.join(format!("cninfra/src/diagnostics/{name}.md")))
            .unwrap_or_else(|_| panic!("{code} has no page"));
        assert!(page.starts_with(&format!("{code}: ")), "the page of {code} does not start with it");
        let (_, sample) = page.split_once("```compile_fail\n").unwrap_or_else(|| panic!("{code}: no erroneous sample"));
        let (sample, rest) = sample.split_once("\n```").unwrap_or_default();
        assert!(rest.contains("\n```\n"), "{code}: no mended sample");
        cases.push(Case { repeated: TOLD_TWICE.contains(&code.as_str()), ..Case::parse(&name, sample.to_string()) });
    }
    let found = compile("pages", &cases)?;
    for case in &cases {
        let code = case.name.to_uppercase();
        let found = &found[&case.name];
        let shown = shown(case, found);
        assert_eq!(
            case.repeated,
            shown.len() < found.len(),
            "is the sample of {code} told of twice?\n{}",
            rendered(found)
        );
        let got: Vec<_> = shown.iter().map(|diagnostic| diagnostic.codes()).collect();
        assert!(got == [[code.clone()]], "the sample of {code} gives {got:?}:\n{}", rendered(found));
    }
    Ok(())
}

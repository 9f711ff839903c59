//! Every case of `cases/`.

use cninfra_diagnostics_tests::{Case, PINNED, check, compile, rendered};
use std::{env, fmt::Write as _, fs, path::Path, process::Command};

#[test]
fn every_case_gives_what_it_says() -> std::io::Result<()> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut cases = Case::all(&directory)?;
    if let Ok(only) = env::var("CASES") {
        cases.retain(|case| case.name.contains(&only));
    }
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
        let (path, now) = (directory.join(format!("{}.stderr", case.name)), rendered(found));
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

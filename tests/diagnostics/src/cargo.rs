//! Compiles all cases with one `cargo check`, as the examples of a package that is written below the workspace's target
//! directory. It has a target directory of its own there, so it does not wait for a lock of the outer cargo.

use crate::{Case, Diagnostic};
use serde_json::Value;
use std::{
    collections::HashMap,
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Compiles the cases. `set` names the package, so that two tests do not overwrite each other's files.
///
/// # Errors
/// A file cannot be written, cargo cannot be run, or something outside of the cases is wrong.
pub fn compile(set: &str, cases: &[Case]) -> io::Result<HashMap<String, Vec<Diagnostic>>> {
    let workspace = workspace();
    let target = target();
    let package = target.join("packages").join(set);
    let examples = package.join("cases");
    fs::create_dir_all(package.join("src"))?;
    fs::create_dir_all(&examples)?;
    for old in fs::read_dir(&examples)? {
        let path = old?.path();
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if !cases.iter().any(|case| case.name == stem) {
            fs::remove_file(path)?;
        }
    }
    for case in cases {
        write(&examples.join(format!("{}.rs", case.name)), &case.source)?;
    }
    write(&package.join("Cargo.toml"), &manifest(set, &workspace, cases))?;
    write(&package.join("src/lib.rs"), "")?;
    // The versions of the workspace, so that nothing is fetched.
    write(&package.join("Cargo.lock"), &fs::read_to_string(workspace.join("Cargo.lock"))?)?;
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["check", "--examples", "--keep-going", "--offline", "--message-format=json", "--quiet"])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(&package)
        // Incremental, which is the default of users' builds, whatever setting these tests are built with: rustc then
        // reports some errors more than once.
        .env("CARGO_INCREMENTAL", "1")
        .env_remove("CARGO_TERM_COLOR")
        .env_remove("CARGO_BUILD_WARNINGS")
        .stdin(Stdio::null())
        .output()?;
    let mut all: HashMap<String, Vec<Diagnostic>> = cases.iter().map(|case| (case.name.clone(), Vec::new())).collect();
    let mut elsewhere = String::new();
    let mut finished = false;
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(value) = serde_json::from_str::<Value>(line) else { continue };
        finished |= value["reason"] == "build-finished";
        if value["reason"] != "compiler-message" {
            continue;
        }
        let name = value["target"]["name"].as_str().unwrap_or_default();
        let diagnostic = diagnostic(&value["message"]);
        let ours = value["target"]["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "example"));
        match all.get_mut(name) {
            Some(found) if ours => found.extend(diagnostic),
            _ => elsewhere.extend(diagnostic.filter(|d| d.level == "error").map(|d| d.rendered)),
        }
    }
    if !elsewhere.is_empty() || !finished {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(format!("cargo did not get as far as the cases:\n{elsewhere}{said}")));
    }
    Ok(all)
}

/// The directory of the workspace.
fn workspace() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap_or(package).to_path_buf()
}

/// The directory `diagnostics` in the workspace's target directory, wherever that is: this program was built there.
fn target() -> PathBuf {
    let tmp = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    let built = env::current_exe().unwrap_or_default();
    // The program is `<target>/[<triple>/]<profile>/deps/<program>`.
    let marked = built.ancestors().find(|directory| directory.join("CACHEDIR.TAG").exists());
    marked.unwrap_or(&tmp).join("diagnostics")
}

/// Writes a file only if it has changed: cargo compares modification times.
fn write(path: &Path, text: &str) -> io::Result<()> {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    fs::write(path, text)
}

fn manifest(set: &str, workspace: &Path, cases: &[Case]) -> String {
    let path = |relative: &str| workspace.join(relative).to_string_lossy().replace('\\', "/");
    let mut text = format!(
        "[package]\nname = \"cases-{set}\"\nversion = \"0.0.0\"\nedition = \"2024\"\nautoexamples = false\n\n[workspace]\n\n\
         [dependencies]\n\
         cninfra = {{ path = '{}' }}\nfixture-base = {{ path = '{}' }}\nfixture-connectors = {{ path = '{}' }}\n\
         serde = {{ version = \"1\", features = [\"derive\"] }}\n\n\
         [lints.rust]\ndead_code = \"allow\"\n",
        path("cninfra"),
        path("tests/fixtures/base"),
        path("tests/fixtures/connectors"),
    );
    for case in cases {
        let _ =
            write!(text, "\n[[example]]\nname = \"{0}\"\npath = \"cases/{0}.rs\"\ncrate-type = [\"lib\"]\n", case.name);
    }
    text
}

fn diagnostic(message: &Value) -> Option<Diagnostic> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let title = text(&message["message"]);
    let closing = title.starts_with("aborting due to") || title.starts_with("For more information");
    if closing || title.starts_with("Some errors have detailed explanations") || message["level"] == "failure-note" {
        return None;
    }
    let spans = message["spans"].as_array().map(Vec::as_slice).unwrap_or_default();
    let at = spans.iter().find(|span| span["is_primary"] == true).map(|mut span| {
        // As the terminal shows it: an error inside of a `macro_rules` macro is at its invocation.
        while !span["file_name"].as_str().is_some_and(|file| file.contains("cases")) && span["expansion"].is_object() {
            span = &span["expansion"]["span"];
        }
        let line = span["line_start"].as_u64().and_then(|line| usize::try_from(line).ok()).unwrap_or_default();
        (text(&span["file_name"]).replace('\\', "/"), line)
    });
    Some(Diagnostic {
        level: text(&message["level"]),
        message: title,
        code: message["code"]["code"].as_str().map(str::to_string),
        rendered: text(&message["rendered"]),
        at,
    })
}

//! Tests of the programs as processes, with a real etcd.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use cninfra_testbed::{Etcd, Folder, Program, require};
use std::{
    fs,
    process::{Command, Stdio},
};

struct Config(Folder);

impl Config {
    fn of(etcd: &Etcd) -> Self {
        let folder = Folder::new();
        let text = format!("insecure-transport: true\nendpoints:\n - \"{}\"\n", etcd.addr());
        fs::write(folder.path().join("etcd.conf"), text).unwrap();
        Config(folder)
    }

    fn path(&self) -> String {
        self.0.path().join("etcd.conf").display().to_string()
    }

    fn run(&self, program: &str, arguments: &[&str]) -> String {
        let program =
            arguments.iter().fold(Program::new(program).arg("--cfg").arg(&self.path()), |it, text| it.arg(text));
        let ended = program.start().wait();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.stdout
    }
}

#[test]
fn contacts_are_saved_shown_watched_and_removed() {
    require!(Etcd);
    let etcd = Etcd::start();
    let config = Config::of(&etcd);
    let edit = |arguments: &[&str]| config.run(env!("CARGO_BIN_EXE_editor"), arguments);
    assert_eq!(edit(&["put", "Peter Smith", "Company XY", "0907"]), "Saving  /phonebook/PeterSmith\n");
    let mut watcher = Program::new(env!("CARGO_BIN_EXE_watcher")).arg("--cfg").arg(&config.path()).start();
    watcher.wait_for_output("Watching the key:  /phonebook/");
    let two = r#"[{"name": "Peter Smith", "company": "Z", "phonenumber": "1"}, {"name": "Ann", "company": "B", "phonenumber": "2"}]"#;
    assert_eq!(edit(&["puttxn", two]), "Saving  /phonebook/PeterSmith\nSaving  /phonebook/Ann\n");
    assert_eq!(edit(&["delete", "Peter Smith"]), "Removing  /phonebook/PeterSmith\n");
    watcher.wait_for_output("Removing  /phonebook/PeterSmith");
    watcher.signal("INT");
    let told = watcher.wait();
    let line = "============================================\n";
    let expected = [
        "Watching the key:  /phonebook/\n",
        "Creating  /phonebook/PeterSmith\n\tPeter Smith\n\t\tZ\n\t\t1\nPrevious:\n\tPeter Smith\n\t\tCompany XY\n\t\t0907\n",
        line,
        "Creating  /phonebook/Ann\n\tAnn\n\t\tB\n\t\t2\nPrevious value does not exist\n",
        line,
        "Removing  /phonebook/PeterSmith\n",
        line,
        "Stop requested ...\n",
    ];
    assert_eq!((told.code, told.stdout), (Some(0), expected.concat()));
    let shown = config.run(env!("CARGO_BIN_EXE_view"), &[]);
    assert_eq!(shown, "Phonebook:\n\tAnn\n\t\tB\n\t\t2\nRevision 3\n");
    // Binary protobuf, as the predecessor wrote it.
    let stored = etcd.ctl(&["get", "/phonebook/Ann", "--print-value-only", "--hex"]);
    assert_eq!(stored.trim().replace("\\x", ""), "0a03416e6e1201421a0132");
}

#[test]
fn who_is_elected_leads_and_the_next_one_waits() {
    require!(Etcd);
    let etcd = Etcd::start();
    let config = Config::of(&etcd);
    let stand = |seconds: &str| {
        Program::new(env!("CARGO_BIN_EXE_election")).arg("--cfg").arg(&config.path()).arg(seconds).start()
    };
    let mut first = stand("60");
    first.wait_for_output("Elected as leader");
    assert!(etcd.ctl(&["get", "/election-leader"]).contains("example"));
    let mut second = stand("0");
    // The second candidate queues behind the first one.
    while etcd.ctl(&["get", "--prefix", "--keys-only", "/election/"]).matches("/election/").count() < 2 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    first.signal("KILL");
    let _ = first.wait();
    second.wait_for_output("Elected as leader");
    let ended = second.wait();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "Elected as leader\nResigned\n"));
    assert_eq!(etcd.ctl(&["get", "/election-leader"]), "");
}

#[test]
fn what_is_wrong_is_named() {
    let wrong = |config: Option<&str>| {
        let folder = Folder::new();
        let mut program = Program::new(env!("CARGO_BIN_EXE_view"));
        if let Some(text) = config {
            fs::write(folder.path().join("etcd.conf"), text).unwrap();
            program = program.arg("--cfg").arg(&folder.path().join("etcd.conf").display().to_string());
        }
        let ended = program.start().wait();
        assert_eq!(ended.code, Some(1));
        ended.stderr
    };
    let unknown = wrong(Some("endpoint: ['127.0.0.1:1']"));
    assert!(unknown.contains("etcd.conf:1") && unknown.contains("endpoints"), "{unknown}");
    let dead = wrong(Some("endpoints: ['127.0.0.1:1']"));
    assert!(dead.contains("127.0.0.1:1"), "{dead}");
    require!(Etcd);
    let (etcd, contact) = (Etcd::start(), r#"[{"name": "", "company": "B", "phonenumber": "2"}]"#);
    let edit = |arguments: &[&str]| {
        let config = Config::of(&etcd);
        let program = Program::new(env!("CARGO_BIN_EXE_editor")).arg("--cfg").arg(&config.path());
        arguments.iter().fold(program, |program, argument| program.arg(argument)).start().wait()
    };
    for nameless in [&["put", " ", "B", "2"][..], &["puttxn", contact], &["delete", ""]] {
        let ended = edit(nameless);
        assert_eq!(ended.code, Some(1), "{nameless:?}");
        assert!(ended.stderr.contains("a contact needs a name"), "{}", ended.stderr);
    }
    let ended = edit(&["puttxn", "Ann"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("JSON_ARRAY is not a list of contacts"), "{}", ended.stderr);
}

#[test]
fn who_is_read_by_nobody_ends_in_order() {
    require!(Etcd);
    let etcd = Etcd::start();
    let config = Config::of(&etcd);
    let unread = |path: &str, arguments: &[&str]| {
        let mut program = Command::new(path);
        program.args(["--cfg", &config.path()]).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut program = program.spawn().unwrap();
        drop(program.stdout.take());
        let ended = program.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!((ended.status.code(), &*said), (Some(0), ""), "{path}");
    };
    unread(env!("CARGO_BIN_EXE_editor"), &["put", "Ann", "B", "2"]);
    // The request was executed.
    assert!(etcd.ctl(&["get", "/phonebook/Ann"]).contains("Ann"));
    unread(env!("CARGO_BIN_EXE_view"), &[]);
    unread(env!("CARGO_BIN_EXE_election"), &["0"]);
    // It would run until Ctrl-C.
    unread(env!("CARGO_BIN_EXE_watcher"), &[]);
}

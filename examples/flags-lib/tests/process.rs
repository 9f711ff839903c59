//! Tests of the example as a process, as its users run it.

use cninfra_testbed::Program;

fn program() -> Program {
    Program::new(env!("CARGO_BIN_EXE_flags-lib"))
}

fn says(program: Program, parts: &[&str]) {
    let mut agent = program.start();
    for part in parts {
        // In this order.
        agent.wait_for(part);
    }
    agent.wait_for("started FlagsAgent");
    agent.signal("TERM");
    assert_eq!(agent.wait().code, Some(0));
}

#[test]
fn the_lines_of_the_predecessor_are_there() {
    says(
        ["--ep-string", "mystring", "--ep-uint", "112", "--ep-int64", "-3344"]
            .into_iter()
            .fold(program(), Program::arg),
        &[
            "Printing flags...",
            "testFlagString:'mystring'",
            "testFlagInt:'1122'",
            "testFlagInt64:'-3344'",
            "testFlagUint:'112'",
            "testFlagUint64:'7788'",
            "testFlagBool:'true'",
            "testFlagDur:'5s'",
        ],
    );
}

#[test]
fn a_flag_goes_over_a_variable_and_that_over_a_file() {
    let file = "string: file\nint: -1\nduration: 1m30s";
    says(
        program()
            .file("flags.conf", file)
            .env("EP_STRING", "variable")
            .env("EP_INT", "-2")
            .env("EP_BOOL", "false")
            .arg("--ep-string=flag"),
        &["testFlagString:'flag'", "testFlagInt:'-2'", "testFlagBool:'false'", "testFlagDur:'1m30s'"],
    );
}

#[test]
fn what_is_of_another_type_ends_it_before_it_begins() {
    for (program, part) in [
        (program().arg("--ep-int=much"), "flag --ep-int: key `flags.int`"),
        (program().arg("--ep-uint=-1"), "flag --ep-uint: key `flags.uint`"),
        (program().env("EP_DURATION", "5"), "variable EP_DURATION: key `flags.duration`"),
        (program().arg("--ep-flaot=1"), "--ep-flaot"),
    ] {
        let ended = program.run();
        assert!(ended.code == Some(2) && ended.stderr.contains(part), "{part}: {}", ended.stderr);
        assert!(!ended.stderr.contains("testFlag"), "{}", ended.stderr);
    }
}

//! Tests of the example as a process, as its users run it.

use cninfra_testbed::Program;

#[test]
fn all_that_is_needed_is_there() {
    let mut agent = Program::new(env!("CARGO_BIN_EXE_plugin-deps")).start();
    for part in [
        "host: Hello, alice!",
        "host: Hallo, alice!",
        "host: alice's number: 555-0100",
        "host: Hello, bob!",
        "host: bob's number: unknown",
        "host: there is no printer",
        "agent: started PhonebookAgent: 5 plugins",
    ] {
        // In this order.
        agent.wait_for(part);
    }
    agent.signal("TERM");
    agent.wait_for("agent: stopped in order");
    assert_eq!(agent.wait().code, Some(0));
}

#[test]
fn help_lists_the_files_of_plugins_without_settings_too() {
    let help = Program::new(env!("CARGO_BIN_EXE_plugin-deps")).arg("--help").run().stdout;
    let (_, plain) = help.split_once("\nPlugins without settings of their own:\n").unwrap_or_default();
    for part in ["--english-config <FILE>", "[env: ENGLISH_CONFIG] [default: english.conf]", "--host-config <FILE>"] {
        assert!(plain.contains(part), "`{part}`: {help}");
    }
}

#[test]
fn the_graph_says_who_starts_first() {
    let ended = Program::new(env!("CARGO_BIN_EXE_plugin-deps")).arg("--graph").arg("text").run();
    assert!(ended.code == Some(0) && ended.stdout.contains("5 plugins on 3 levels"), "{}", ended.stdout);
}

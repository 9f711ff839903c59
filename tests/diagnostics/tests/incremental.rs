//! A right program is made wrong and right again, as users do all day: the compiler must report the same as for the
//! wrong program alone. (rustc keeps results from one run to the next, and stops with an internal error if they no
//! longer hold. Types that are sized only if a flavor's constant can be evaluated once caused that.)

use cninfra_diagnostics_tests::{Case, compile, rendered};
use std::{collections::HashMap, fmt::Write as _};

const AGENT: &str = include_str!("../programs/agent.rs");
const WIDE: &str = include_str!("../programs/wide.rs");

/// The name of the mistake, the program, the text that is replaced, and its replacement.
const MISTAKES: [(&str, &str, &str, &str); 41] = [
    ("nested-flavor-misspelled", AGENT, "pub rpc: Rpc,\n    pub greeter", "pub rpc: Rcp,\n    pub greeter"),
    ("field-of-a-type-that-is-not-there", AGENT, "Dep<Greeter>", "Dep<Greter>"),
    ("field-that-is-no-plugin", AGENT, "Dep<Greeter>", "Dep<NoPlugin>"),
    ("field-that-is-bare", AGENT, "Dep<Greeter>", "Greeter"),
    ("field-of-another-type", AGENT, "Dep<Greeter>", "u32"),
    (
        "flavors-that-contain-one-another",
        AGENT,
        "pub memory: Dep<Memory>,\n        pub clock",
        "pub memory: Dep<Memory>,\n        pub app: super::App,\n        pub clock",
    ),
    (
        "flavor-that-contains-itself",
        AGENT,
        "    pub rpc: Rpc,\n    pub greeter",
        "    pub rpc: Rpc,\n    pub app: App,\n    pub greeter",
    ),
    ("field-that-is-gone", AGENT, "    pub rpc: Rpc,\n    pub greeter", "    pub greeter"),
    (
        "forgotten-use",
        AGENT,
        "use parts::{Clock, Memory, Routes, Rpc, Store}",
        "use parts::{Clock, Memory, Routes, Store}",
    ),
    (
        "provides-without-dyn",
        AGENT,
        "(dyn Store)]\n    pub memory: Dep<Memory>,\n}\n\npub async",
        "(Store)]\n    pub memory: Dep<Memory>,\n}\n\npub async",
    ),
    ("provides-what-it-does-not-implement", AGENT, "#[provides(dyn Routes)]", "#[provides(dyn Store)]"),
    ("provides-on-a-bare-plugin", AGENT, "Dep<Memory>,\n}\n\npub async", "Memory,\n}\n\npub async"),
    ("impl-that-is-gone", AGENT, "impl Store for Memory", "impl Memory"),
    ("dependency-that-is-changed", AGENT, "Option<Dep<Cache>>", "Dep<Small>"),
    ("dependency-that-is-no-plugin", AGENT, "Option<Dep<Cache>>", "Dep<NoPlugin>"),
    ("plugin-without-its-attribute", AGENT, "#[plugin]\npub struct Cache", "pub struct Cache"),
    ("inner-field-that-is-bare", AGENT, "pub clock: Dep<Clock>", "pub clock: Clock"),
    ("open-flavor-with-what-is-no-plugin", AGENT, "Dep<Role<Backup>>", "Dep<NoPlugin>"),
    ("generic-flavor-with-what-is-no-plugin", AGENT, "Dep<Role<R>>", "Dep<NoPlugin>"),
    ("qualifier-without-its-derive", AGENT, "#[derive(Qualifier)]", ""),
    ("field-that-is-not-shared", AGENT, "std::sync::Weak", "std::rc::Weak"),
    ("interface-without-its-attribute", AGENT, "    #[interface]\n", ""),
    (
        "dependency-of-a-type-that-is-not-there",
        AGENT,
        "clock: Dep<Clock>,\n    routes",
        "clock: Dep<Clok>,\n    routes",
    ),
    ("parameter-that-is-not-there", AGENT, "Dep<Role<Backup>>", "Dep<Role<Bakup>>"),
    (
        "dependency-of-a-generic-plugin-that-is-not-there",
        AGENT,
        "role: PhantomData<R>,\n    clock: Dep<Clock>",
        "role: PhantomData<R>,\n    clock: Dep<Clok>",
    ),
    ("plugin-of-a-generic-flavor-that-is-not-there", AGENT, "Dep<Role<R>>", "Dep<Rolle<R>>"),
    ("listed-dependency-that-is-not-there", AGENT, "deps = (Clock, dyn Store)", "deps = (Clok, dyn Store)"),
    ("create-without-the-list", AGENT, "#[plugin(deps = (Clock, dyn Store))]", "#[plugin]"),
    ("create-of-what-is-no-plugin", AGENT, "#[plugin(deps = (Clock, dyn Store))]", ""),
    ("dep-of-nothing", AGENT, "clock: Dep<Clock>,\n    routes", "clock: Dep,\n    routes"),
    ("field-of-a-type-that-is-not-shared", AGENT, "hits: u64", "hits: NotShared"),
    (
        "flavor-derived-twice",
        AGENT,
        "#[derive(Flavor)]\n#[flavor(open)]",
        "#[derive(Flavor)]\n#[derive(Flavor)]\n#[flavor(open)]",
    ),
    ("flavor-in-itself", AGENT, "pub half: Half", "pub half: App"),
    ("with-of-what-is-no-plugin", AGENT, ".with(Listed::default())", ".with(NoPlugin)"),
    ("attribute-of-a-field-misspelled", AGENT, "#[config]", "#[confg]"),
    ("plugin-with-config-without-its-attribute", AGENT, "#[plugin]\npub struct Greeter {", "pub struct Greeter {"),
    ("wide-with-a-type-that-is-not-there", WIDE, "Dep<C>", "Dep<Cc>"),
    ("wide-with-what-is-no-plugin", WIDE, "Dep<C>", "Dep<NoPlugin>"),
    ("wide-with-a-bare-plugin", WIDE, "last: Dep<Last>", "last: Last"),
    ("wide-without-a-field", WIDE, "    pub m: Dep<M>,\n", ""),
    ("wide-with-what-it-does-not-implement", WIDE, "pub memory: Dep<Memory>", "pub memory: Dep<NoPlugin>"),
];

#[test]
fn a_program_made_wrong_and_right_again_is_told_of_as_it_is() -> std::io::Result<()> {
    let mut right = Vec::new();
    let mut wrong = Vec::new();
    for (name, program, before, after) in MISTAKES {
        assert_eq!(program.matches(before).count(), 1, "{name}: `{before}` is not once in the program");
        right.push(Case::parse(name, program.to_string()));
        wrong.push(Case::parse(name, program.replace(before, after)));
    }
    let words = |set: &str, cases: &[Case]| -> std::io::Result<HashMap<String, String>> {
        Ok(compile(set, cases)?.into_iter().map(|(name, found)| (name, rendered(&found))).collect())
    };
    // A program that never compiles leaves no results to reuse, so this one always starts afresh.
    let alone = words("alone", &wrong)?;
    let before = words("incremental", &right)?;
    let between = words("incremental", &wrong)?;
    let after = words("incremental", &right)?;
    let mut failures = String::new();
    for (name, ..) in MISTAKES {
        for (when, said) in [("before", &before[name]), ("after", &after[name])] {
            if !said.is_empty() {
                let _ = writeln!(failures, "==== {name}: {when} the mistake\n{said}");
            }
        }
        let (alone, between) = (&alone[name], &between[name]);
        if alone.is_empty() || alone.contains("internal compiler error") || alone != between {
            let _ = writeln!(failures, "==== {name}\n---- alone\n{alone}\n---- after a right program\n{between}");
        }
    }
    assert!(failures.is_empty(), "{failures}");
    Ok(())
}

//! Two mistakes in one list give two errors: no wrong entry hides another one. Tested for each list that users write,
//! with every pair of possible mistakes.

use cninfra_diagnostics_tests::{Case, check, compile};
use std::fmt::Write as _;

/// A mistake, and the code that it must give.
type Kind = (&'static str, &'static str);

/// A list that users write.
struct List {
    name: &'static str,
    /// The items of a module, with `{1}` and `{2}` for two entries. (`{n}` in an entry is replaced by its number.)
    items: &'static str,
    kinds: &'static [Kind],
    /// Whether the same entry twice is another mistake.
    distinct: bool,
    /// Whether rustc reports some errors again with the same text.
    repeated: bool,
}

const GIVEN: &str = "\
#![allow(unused, dead_code)]
use cninfra::prelude::*;
#[plugin] pub struct Right;
impl One for Right {}
impl Many for Right {}
#[plugin(no_lifecycle)] pub struct Pool<T> { of: std::marker::PhantomData<T> }
#[interface] pub trait One {}
#[interface] pub trait Two {}
#[interface(many)] pub trait Many {}
pub trait Plain {}
pub struct Bare;
pub struct Lent<'a>(&'a u8);
";

const LISTS: [List; 11] = [
    List {
        name: "deps",
        items: "#[plugin(deps = ({1}, {2}))] struct P; \
            impl Create for P { async fn create(_: Self::Deps, _: &Context) -> Result<Self> { Ok(P) } }",
        kinds: &[
            ("&Right", "CN010"),
            ("&'a Right", "CN010"),
            ("Option<&'static Right>", "CN010"),
            ("Dep<&Right>", "CN010"),
            ("dyn One + Two", "CN010"),
            ("impl One", "CN010"),
            ("7", "CN010"),
            ("Right Right", "CN010"),
            ("Pool<", "CN010"),
            ("u16", "CN006"),
            ("Bare", "CN006"),
            ("Pool<u8>", "CN006"),
            ("Vec<dyn One>", "CN012"),
            ("dyn Plain", "CN015"),
            ("Unknown", "E0425"),
        ],
        distinct: false,
        repeated: false,
    },
    List {
        name: "arguments",
        items: "#[plugin({1}, {2})] struct P;",
        kinds: &[
            ("7", "CN010"),
            ("\"x\"", "CN010"),
            ("nam = \"x\"", "CN010"),
            ("name = \"A B\"", "CN021"),
            ("alias = 7", "CN010"),
            ("id \"x\"", "CN010"),
            ("no_lifecycle()", "CN010"),
            ("flags", "CN010"),
            ("crate = 7", "CN010"),
            ("deps = &Right", "CN010"),
            ("config = 7", "CN010"),
        ],
        distinct: true,
        repeated: false,
    },
    List {
        name: "config",
        items: "#[plugin] struct P { #[config({1}, {2})] a: () }",
        kinds: &[("check", "CN010"), ("chek = f", "CN010"), ("7", "CN010"), ("strict", "CN010"), ("a b", "CN010")],
        distinct: true,
        repeated: false,
    },
    List {
        name: "fields",
        items: "#[plugin] struct P { {1}, {2} }",
        kinds: &[
            ("f{n}: Dep<u16>", "CN006"),
            ("f{n}: Dep<Pool<u8>>", "CN006"),
            ("f{n}: Dep<dyn Plain>", "CN015"),
            ("f{n}: Vec<Dep<dyn One>>", "CN012"),
            ("f{n}: Dep", "CN010"),
            ("f{n}: Dep<dyn One + Two>", "CN010"),
            ("f{n}: &Right", "CN010"),
            ("f{n}: Bare", "CN013"),
            ("f{n}: std::cell::Cell<u8>", "CN029"),
            ("f{n}: Option<std::sync::Arc<Right>>", "CN033"),
            ("#[default] f{n}: u8", "CN010"),
            ("#[dep(x)] f{n}: Dep<Right>", "CN010"),
            ("#[contxt] f{n}: Logger", "CN010"),
            ("#[context] f{n}: u8", "CN027"),
        ],
        distinct: false,
        repeated: true,
    },
    List {
        name: "field",
        items: "#[plugin] struct P { {1} f: {2} }",
        kinds: &[
            ("#[default]", "CN010"),
            ("#[default(1 2)]", "CN010"),
            ("#[config(x)]", "CN010"),
            ("#[context(x)]", "CN010"),
            ("#[dep(x)]", "CN010"),
            ("Dep", "CN010"),
            ("&Right", "CN010"),
            ("(u8, &Right)", "CN010"),
            ("Dep<impl One>", "CN010"),
        ],
        distinct: false,
        repeated: false,
    },
    List {
        name: "flavor",
        items: "#[derive(Flavor)] #[flavor({1}, {2})] struct F {}",
        kinds: &[("7", "CN010"), ("opn", "CN010"), ("open = true", "CN010"), ("crate = 7", "CN010"), ("a b", "CN010")],
        distinct: true,
        repeated: false,
    },
    List {
        name: "provides",
        items: "#[derive(Flavor)] struct F { #[provides({1}, {2})] a: Dep<Right> }",
        kinds: &[
            ("&dyn One", "CN010"),
            ("7", "CN010"),
            ("Option<dyn One>", "CN010"),
            ("dyn One + Two", "CN010"),
            ("a b", "CN010"),
            ("dyn Two", "CN011"),
            ("dyn Plain", "CN015"),
            ("Right", "CN015"),
            ("Unknown", "E0425"),
        ],
        distinct: false,
        repeated: false,
    },
    List {
        name: "parts",
        items: "#[derive(Flavor)] struct F { {1}, {2} }",
        kinds: &[
            ("f{n}: Dep<u16>", "CN006"),
            ("f{n}: Dep<Pool<u8>>", "CN006"),
            ("f{n}: Dep<dyn One>", "CN006"),
            ("f{n}: Dep<Unknown>", "E0425"),
            ("f{n}: u8", "CN007"),
            ("f{n}: Right", "CN007"),
            ("#[provides(7)] f{n}: Dep<Right>", "CN010"),
            ("#[provides(dyn Two)] f{n}: Dep<Right>", "CN011"),
            ("#[flavor] f{n}: Dep<Right>", "CN010"),
        ],
        distinct: false,
        repeated: false,
    },
    List {
        name: "interface",
        items: "#[interface({1}, {2})] trait I {}",
        kinds: &[
            ("7", "CN010"),
            ("one", "CN010"),
            ("many = true", "CN010"),
            ("crate = 7", "CN010"),
            ("id = 7", "CN010"),
        ],
        distinct: true,
        repeated: false,
    },
    List {
        name: "qualifier",
        items: "#[derive(Qualifier)] #[qualifier({1}, {2})] struct Q;",
        kinds: &[("7", "CN010"), ("nam", "CN010"), ("name = 7", "CN010"), ("crate", "CN010"), ("id", "CN010")],
        distinct: true,
        repeated: false,
    },
    List {
        name: "set",
        items: "#[derive(Deps)] {1} struct D { {2} }",
        kinds: &[
            ("#[deps]", "CN010"),
            ("#[deps(krate)]", "CN010"),
            ("#[deps(7)]", "CN010"),
            ("f{n}: Dep<u16>", "CN006"),
            ("f{n}: Vec<Dep<dyn One>>", "CN012"),
            ("f{n}: u8", "CN010"),
            ("f{n}: Dep<Unknown>", "E0425"),
        ],
        distinct: false,
        repeated: false,
    },
];

/// A program with each pair in a module of its own, on one line.
fn program(list: &List) -> String {
    let mut text = String::from(GIVEN);
    if list.repeated {
        text.insert_str(0, "//@ repeated because generated code names the types, too\n");
    }
    // For mixed lists of an attribute and the item it is on.
    let is_attribute = |entry: &str| entry.starts_with('#');
    let is_mixed = list.items.contains("] {1}") || list.items.contains("{ {1} f:");
    let mut pairs = 0;
    for (i, (first, one)) in list.kinds.iter().enumerate() {
        for (j, (second, other)) in list.kinds.iter().enumerate() {
            // For two fields of the same type, rustc reports only once that it lacks a trait.
            let is_known = i == j && (list.distinct || *one != "CN010");
            if is_known || (is_mixed && (!is_attribute(first) || is_attribute(second))) {
                continue;
            }
            let entry = |entry: &str, number| entry.replace("{n}", number);
            let items = list.items.replace("{1}", &entry(first, "1")).replace("{2}", &entry(second, "2"));
            let _ = writeln!(text, "mod m{pairs} {{ use super::*; {items} }} //~ {one} {other}");
            pairs += 1;
        }
    }
    assert!(pairs >= 12, "{}: {pairs} pairs", list.name);
    text + "fn main() {}\n"
}

#[test]
fn two_mistakes_in_one_list_are_two_errors() -> std::io::Result<()> {
    let cases: Vec<_> = LISTS.iter().map(|list| Case::parse(list.name, program(list))).collect();
    let found = compile("pairs", &cases)?;
    let failures: Vec<_> = cases
        .iter()
        .filter_map(|case| check(case, &found[&case.name]).err())
        .map(|failure| failure.to_string())
        .collect();
    assert!(failures.is_empty(), "{}", failures.concat());
    Ok(())
}

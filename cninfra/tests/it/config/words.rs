//! Messages of serde about Rust types are translated into terms for users.

use cninfra::config::Secret;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, net::IpAddr, num::NonZero, path::PathBuf};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Odd {
    small: Option<NonZero<u8>>,
    large: u128,
    larger: i128,
    point: Point,
    unit: Unit,
    shape: Shape,
    tagged: Option<Tagged>,
    untagged: Option<Untagged>,
    beside: Option<Beside>,
    path: PathBuf,
    addr: Option<IpAddr>,
    four: [u8; 4],
    none: [u8; 0],
    flat: Flat,
    by_name: BTreeMap<String, Shape>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Point(u8, u8);

#[derive(Debug, Default, Serialize, Deserialize)]
struct Unit;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Shape {
    #[default]
    Empty,
    Pair(u8, u8),
    Side {
        left: u8,
    },
    Only(u8),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Tagged {
    Shaped { shape: Shape, point: Option<Point>, large: Option<u128>, unit: Option<Unit>, path: Option<PathBuf> },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(u8),
    Shaped { shape: Shape },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", content = "of", rename_all = "kebab-case")]
enum Beside {
    Pair(u8, u8),
    Token(Secret),
    Empty,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Flat {
    #[serde(flatten)]
    shape: Shape,
}

/// The message about this key with this value in a file.
fn said(key: &str, value: &str) -> String {
    let dir = cninfra_testbed::Folder::new();
    dir.write("odd.conf", &format!("{key}: {value}"));
    let error = cninfra::config::from_file::<Odd>("odd", dir.path().join("odd.conf")).unwrap_err().to_string();
    let (_, what) = error.split_once("key `odd.").unwrap_or_else(|| panic!("{error}"));
    what.to_string()
}

#[test]
fn types_of_rust_are_told_in_words() {
    let mut others = Vec::new();
    for (key, value, words) in [
        ("small", "0", "small` takes a whole number from 0 to 255, but not 0, not `0`"),
        ("large", "x", "large` takes a whole number from 0 to 18446744073709551615, not the text `x`"),
        (
            "larger",
            "x",
            "larger` takes a whole number from -9223372036854775808 to 18446744073709551615, not the text `x`",
        ),
        ("point", "5", "point` takes a list, not a number"),
        ("unit", "5", "unit` takes nothing, not a number"),
        ("shape", "{pair: 5}", "shape.pair` takes a list, not a number"),
        ("shape", "{side: 5}", "shape.side` takes a mapping of keys to values, not a number"),
        ("shape", "side", "shape`: what belongs to this name is missing"),
        (
            "tagged",
            "{kind: shaped, shape: side}",
            "tagged.shape` takes a name with what belongs to it, not a name alone",
        ),
        (
            "tagged",
            "{kind: shaped, shape: pair}",
            "tagged.shape` takes a name with what belongs to it, not a name alone",
        ),
        (
            "tagged",
            "{kind: shaped, shape: only}",
            "tagged.shape` takes a name with what belongs to it, not a name alone",
        ),
        ("tagged", "{kind: shaped, shape: {empty: 5}}", "tagged.shape.empty` takes nothing, not a number"),
        (
            "tagged",
            "{kind: shaped, shape: {side: 5}}",
            "tagged.shape.side` takes a name with what belongs to it, not a number",
        ),
        (
            "tagged",
            "{kind: shaped, shape: {a: 1, b: 2}}",
            "tagged.shape` takes a name, alone or as a key with what belongs to it, not a mapping",
        ),
        (
            "tagged",
            "{kind: shaped, shape: 5}",
            "tagged.shape` takes a name, alone or as a key with what belongs to it, not a number",
        ),
        ("tagged", "{kind: shaped, shape: empty, point: 5}", "tagged.point` takes a list, not a number"),
        (
            "tagged",
            "{kind: shaped, shape: empty, large: x}",
            "tagged.large`: a number of 128 bits is not read here: it is a defect of the plugin",
        ),
        ("tagged", "{kind: shaped, shape: empty, unit: x}", "tagged.unit` takes nothing, not a text"),
        ("tagged", "{kind: shaped, shape: empty, path: 5}", "tagged.path` takes a path, not `5`"),
        ("tagged", "5", "tagged` takes a mapping of keys to values, not a number"),
        ("untagged", "[x]", "untagged`: what is there fits nothing that it takes"),
        ("beside", "5", "beside` takes a mapping of keys to values, not a number"),
        ("beside", "{kind: 5}", "beside.kind` takes `pair`, `token` or `empty`, not what is there"),
        ("beside", "{kind: pair, of: 5}", "beside.of` takes a list, not a number"),
        (
            "beside",
            "{kind: par}",
            "beside.kind` takes `pair`, `token` or `empty`, not what is there (it is not shown, since a secret may be there)",
        ),
        ("path", "5", "path` takes a path, not `5`"),
        ("addr", "x", "addr`: invalid IP address syntax"),
        ("four", "5", "four` takes a list of 4 values, not a number"),
        ("none", "5", "none` takes an empty list, not a number"),
        ("flat", "{}", "flat`: none of the keys is there of which it takes one"),
        ("by-name", "{a: {pair: 1}}", "by-name.a.pair` takes a list, not a number"),
    ] {
        let found = said(key, value);
        if !found.starts_with(words) {
            others.push(format!("{key}: {value}\n  says {found}\n  not  {words}"));
        }
        let rust = ["variant", "struct", "enum", "u128", "i128", "tuple", "u8", "Shape", "Point"];
        let of_rust = rust.iter().find(|word| found.contains(**word));
        if let Some(word) = of_rust {
            others.push(format!("{key}: {value}\n  has {word}: {found}"));
        }
    }
    assert!(others.is_empty(), "{}", others.join("\n"));
}

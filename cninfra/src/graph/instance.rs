//! Where an instance name comes from: what to write where two plugins have one depends on it.

use super::{
    KeyMeta,
    text::{self, Text},
};

/// Adds what to write where two plugins have one instance name.
pub(super) const fn mend<const N: usize>(message: &mut Text<N>, a: &KeyMeta, b: &KeyMeta) {
    if is_generic(a.name) && text::same(a.module, b.module) && text::same(base(a.name), base(b.name)) {
        message.put_all(&[
            "\n= help: what stands for the parameter of `",
            base(a.name),
            "` adds the same name both times: give one of the two another, as by `#[qualifier(name = \"..\")]`",
        ]);
        return;
    }
    match (is_given(a), is_given(b)) {
        (false, false) => message.put_all(&[
            "\n= help: give one of them a name: `#[plugin(name = \"..\")]` on the struct `",
            a.module,
            "::",
            base(a.name),
            "` or `",
            b.module,
            "::",
            base(b.name),
            "`",
        ]),
        (true, true) => message.put_all(&[
            "\n= help: the structs `",
            base(a.name),
            "` and `",
            base(b.name),
            "` both have it from their `#[plugin(name = \"..\")]`: write another name at one of them",
        ]),
        (given, _) => {
            let (given, other) = if given { (a, b) } else { (b, a) };
            message.put_all(&[
                "\n= help: the struct `",
                base(given.name),
                "` has it from its `#[plugin(name = \"..\")]`: write another name there, or give `",
                base(other.name),
                "` one",
            ]);
        }
    }
}

/// Does the attribute say it? Else it is that of the type.
const fn is_given(key: &KeyMeta) -> bool {
    let own = kebab(base(key.name));
    let (own, is) = (own.as_str(), key.instance);
    if !is_generic(key.name) {
        return !text::same(own, is);
    }
    // names of parameters may follow
    let bytes = is.as_bytes();
    !(bytes.len() >= own.len()
        && is.is_char_boundary(own.len())
        && text::same(is.split_at(own.len()).0, own)
        && (bytes.len() == own.len() || bytes[own.len()] == b'-'))
}

pub(super) const fn is_generic(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes[bytes.len() - 1] == b'>'
}

/// The name of a type without its arguments.
const fn base(name: &str) -> &str {
    let bytes = name.as_bytes();
    let mut end = 0;
    while end < bytes.len() && bytes[end] != b'<' {
        end += 1;
    }
    name.split_at(end).0
}

/// The instance name of a type that is given none, as the macros make it. (Of one that is not ASCII they make none.)
const fn kebab(name: &str) -> Text<192> {
    let bytes = name.as_bytes();
    let start = if bytes.len() > 2 && bytes[0] == b'r' && bytes[1] == b'#' { 2 } else { 0 };
    let mut out = Text::new();
    let mut after_dash = true;
    let mut i = start;
    while i < bytes.len() {
        let c = bytes[i];
        if !c.is_ascii() {
            return Text::new();
        }
        let after_word = i > start && (bytes[i - 1].is_ascii_lowercase() || bytes[i - 1].is_ascii_digit());
        let before_word =
            i > start && bytes[i - 1].is_ascii_uppercase() && i + 1 < bytes.len() && bytes[i + 1].is_ascii_lowercase();
        let begins = c.is_ascii_uppercase() && (after_word || before_word);
        if (c == b'_' || begins) && !after_dash {
            out.put("-");
            after_dash = true;
        }
        if c != b'_' {
            if let Ok(letter) = core::str::from_utf8(&[c.to_ascii_lowercase()]) {
                out.put(letter);
            }
            after_dash = false;
        }
        i += 1;
    }
    if after_dash && !out.is_empty() {
        out.cut(out.len() - 1);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::hash;

    fn given(name: &'static str, instance: &'static str) -> bool {
        is_given(&KeyMeta { name, module: "", id: 1, instance, instance_id: hash(0, instance) })
    }

    #[test]
    fn names_of_types_are_told_from_given_ones() {
        for (name, own) in [
            ("Etcd", "etcd"),
            ("HttpServer2", "http-server2"),
            ("KVStore", "kv-store"),
            ("RestAPI", "rest-api"),
            ("my_type", "my-type"),
            ("_Hidden_", "hidden"),
            ("r#Type", "type"),
            ("P0", "p0"),
            ("Etcd<Primary>", "etcd"),
            ("Etcd<Backup>", "etcd-backup"),
            ("KvCache<Etcd<Backup>, dyn Kv>", "kv-cache-etcd-backup-kv"),
        ] {
            assert!(!given(name, own), "{name}");
        }
        for (name, other) in [
            ("Etcd", "etcd-backup"),
            ("HttpServer2", "httpserver2"),
            ("Ätherisch", "therisch"),
            ("Etcd<Backup>", "etcdbackup"),
            ("Etcd<Backup>", "etc"),
            ("Etcd<Backup>", "store-backup"),
        ] {
            assert!(given(name, other), "{name}");
        }
    }
}

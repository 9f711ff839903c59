//! The words that users write in attributes, and the names that are made of the names of types.

pub(crate) const ALIAS: &str = "alias";
pub(crate) const CHECK: &str = "check";
pub(crate) const CONFIG: &str = "config";
pub(crate) const CONTEXT: &str = "context";
pub(crate) const CRATE: &str = "crate";
pub(crate) const DEFAULT: &str = "default";
pub(crate) const DEP: &str = "dep";
pub(crate) const DEPS: &str = "deps";
pub(crate) const FLAGS: &str = "flags";
pub(crate) const FLAVOR: &str = "flavor";
pub(crate) const ID: &str = "id";
pub(crate) const MANY: &str = "many";
pub(crate) const NAME: &str = "name";
pub(crate) const NO_LIFECYCLE: &str = "no_lifecycle";
pub(crate) const OPEN: &str = "open";
pub(crate) const PROVIDES: &str = "provides";
pub(crate) const QUALIFIER: &str = "qualifier";

/// Turns `HttpServer2` into `http-server2`, `KVStore` into `kv-store`, `my_type` into `my-type`.
pub(crate) fn kebab(name: &str) -> String {
    let chars: Vec<char> = name.trim_start_matches("r#").chars().collect();
    let mut out = String::new();
    for (i, c) in chars.iter().enumerate() {
        if *c == '_' {
            if !out.is_empty() && !out.ends_with('-') {
                out.push('-');
            }
            continue;
        }
        let after_word = i > 0 && (chars[i - 1].is_lowercase() || chars[i - 1].is_numeric());
        let before_word = i > 0 && chars[i - 1].is_uppercase() && chars.get(i + 1).is_some_and(|n| n.is_lowercase());
        if c.is_uppercase() && (after_word || before_word) && !out.ends_with('-') {
            out.push('-');
        }
        out.extend(c.to_lowercase());
    }
    out.trim_end_matches('-').to_string()
}

/// Whether the name is valid for a config section, a file, a logger and a metric label.
pub(crate) fn is_instance_name(name: &str) -> bool {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    ends(name.chars().next())
        && ends(name.chars().next_back())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kebab_case() {
        for (name, expected) in [
            ("Etcd", "etcd"),
            ("HttpServer2", "http-server2"),
            ("KVStore", "kv-store"),
            ("RestAPI", "rest-api"),
            ("my_type", "my-type"),
            ("_Hidden_", "hidden"),
            ("r#Type", "type"),
            ("P0", "p0"),
            ("X", "x"),
        ] {
            assert_eq!(kebab(name), expected);
            assert!(is_instance_name(expected));
        }
    }

    #[test]
    fn instance_names() {
        for name in ["", "-", "a-", "-a", "A", "a_b", "ä", "a b"] {
            assert!(!is_instance_name(name), "{name}");
        }
    }
}

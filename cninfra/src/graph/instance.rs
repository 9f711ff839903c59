//! Explains where an instance name comes from, and so how to fix two plugins with the same one.

use super::{
    PluginMeta,
    text::{self, Text},
};

/// Adds the help for two plugins with the same instance name.
pub(super) const fn help<const N: usize>(message: &mut Text<N>, one: &PluginMeta, other: &PluginMeta) {
    let (a, b) = (one.key, other.key);
    if is_generic(a.name) && text::same(a.module, b.module) && text::same(base(a.name), base(b.name)) {
        message.put_all(&[
            "\n= help: the type arguments of `",
            base(a.name),
            "` add the same name both times: give one of them another name, for example with `#[qualifier(name = \"..\")]`",
        ]);
        return;
    }
    match (one.is_named, other.is_named) {
        (false, false) => message.put_all(&[
            "\n= help: give one of them another name: add `#[plugin(name = \"..\")]` to the struct `",
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
            "` both take it from their `#[plugin(name = \"..\")]`: change one of these names",
        ]),
        (given, _) => {
            let (given, other) = if given { (a, b) } else { (b, a) };
            message.put_all(&[
                "\n= help: the struct `",
                base(given.name),
                "` takes it from its `#[plugin(name = \"..\")]`: change this name, or give `",
                base(other.name),
                "` one",
            ]);
        }
    }
}

pub(super) const fn is_generic(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes[bytes.len() - 1] == b'>'
}

/// The name of a type without its arguments.
pub(super) const fn base(name: &str) -> &str {
    let bytes = name.as_bytes();
    let mut end = 0;
    while end < bytes.len() && bytes[end] != b'<' {
        end += 1;
    }
    name.split_at(end).0
}

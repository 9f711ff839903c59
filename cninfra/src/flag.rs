//! [`Flag`]: a command-line flag of a plugin.

use crate::graph::text;

/// A command-line flag, and its environment variable, that sets one key of a plugin's config section.
///
/// A plugin declares its flags in a const slice that its attribute names. So all flags are known before anything is
/// created. The compiler reports two plugins that declare the same flag (`CN025`), and names that are not valid
/// (`CN030`).
///
/// ```
/// use cninfra::prelude::*;
/// use serde::{Deserialize, Serialize};
///
/// const FLAGS: &[Flag] = &[Flag::new("greeter-name", "name").env("GREETER_NAME").help("whom to greet")];
///
/// #[derive(Serialize, Deserialize, Default)]
/// #[serde(default, deny_unknown_fields)]
/// struct GreeterConfig {
///     name: String,
/// }
///
/// #[plugin(flags = FLAGS)]
/// struct Greeter {
///     #[config]
///     config: GreeterConfig,
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Flag {
    /// The flag, without the two dashes. Characters: `a` to `z`, `0` to `9` and `-`.
    pub name: &'static str,
    /// The environment variable for the same key, or empty for none. Characters: `A` to `Z`, `0` to `9` and `_`. The
    /// command line has precedence. A variable with an empty value counts as not set.
    pub env: &'static str,
    /// The key that it sets in the section of its plugin. The parts of a nested key are separated by dots.
    pub key: &'static str,
    /// One line for `--help`.
    pub help: &'static str,
}

impl Flag {
    /// A flag `--name` that sets a key.
    #[must_use]
    pub const fn new(name: &'static str, key: &'static str) -> Self {
        Flag { name, env: "", key, help: "" }
    }

    /// Sets the environment variable for the same key.
    #[must_use]
    pub const fn env(mut self, variable: &'static str) -> Self {
        self.env = variable;
        self
    }

    /// Sets the line for `--help`.
    #[must_use]
    pub const fn help(mut self, line: &'static str) -> Self {
        self.help = line;
        self
    }
}

/// Fails if the names of a plugin's flags are not valid. Called by generated code with the span of `flags = ..`.
#[doc(hidden)]
#[track_caller]
pub const fn check(flags: &[Flag], plugin: &str) {
    let mut i = 0;
    while i < flags.len() {
        let flag = &flags[i];
        if !is_name(flag.name, b'a', b'z', b"-") {
            fail(
                plugin,
                "name",
                flag.name,
                "write a flag without leading dashes, using a to z, 0 to 9 and `-`, such as `http-port`",
            );
        }
        if !flag.env.is_empty() && !is_name(flag.env, b'A', b'Z', b"_") {
            fail(
                plugin,
                "env",
                flag.env,
                "write an environment variable using A to Z, 0 to 9 and `_`, such as `HTTP_PORT`",
            );
        }
        if !is_name(flag.key, b'a', b'z', b"-_.") {
            fail(
                plugin,
                "key",
                flag.key,
                "write a key as in the config file, with dots between its parts, such as `tls.cert-file`",
            );
        }
        i += 1;
    }
}

/// Whether the text consists of letters and digits, in parts that are not empty, and begins with a letter.
const fn is_name(text: &str, first: u8, last: u8, between: &[u8]) -> bool {
    let text = text.as_bytes();
    let mut inside = false;
    let mut i = 0;
    while i < text.len() {
        let c = text[i];
        let letter = first <= c && c <= last;
        if letter || (i > 0 && c.is_ascii_digit()) {
            inside = true;
        } else if !inside || !contains(between, c) {
            return false;
        } else {
            inside = false;
        }
        i += 1;
    }
    inside
}

const fn contains(all: &[u8], c: u8) -> bool {
    let mut i = 0;
    while i < all.len() {
        if all[i] == c {
            return true;
        }
        i += 1;
    }
    false
}

#[track_caller]
const fn fail(plugin: &str, what: &str, is: &str, help: &str) -> ! {
    text::fail(&["CN030: the ", what, " of a flag of `", plugin, "` cannot be `", is, "`\n= help: ", help])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (text, flag, variable, key) in [
            ("http-port", true, false, true),
            ("port2", true, false, true),
            ("HTTP_PORT", false, true, false),
            ("PORT", false, true, false),
            ("tls.cert-file", false, false, true),
            ("read_timeout", false, false, true),
            ("--port", false, false, false),
            ("port-", false, false, false),
            ("a--b", false, false, false),
            ("a..b", false, false, false),
            ("2port", false, false, false),
            ("_PORT", false, false, false),
            ("my port", false, false, false),
            ("pört", false, false, false),
            ("", false, false, false),
        ] {
            assert_eq!(is_name(text, b'a', b'z', b"-"), flag, "{text}");
            assert_eq!(is_name(text, b'A', b'Z', b"_"), variable, "{text}");
            assert_eq!(is_name(text, b'a', b'z', b"-_."), key, "{text}");
        }
    }
}

//! [`Flag`]: a command-line flag of a plugin.

/// A command-line flag, with its environment variable, that sets one key of a plugin's config section.
///
/// A plugin declares its flags in a const slice, named by its attribute; so all of them are known before anything is
/// created, and the compiler finds two plugins that declare the same flag (`CN025`).
///
/// ```
/// use cninfra::prelude::*;
/// use serde::{Deserialize, Serialize};
///
/// const FLAGS: &[Flag] = &[Flag { name: "greeter-name", env: "GREETER_NAME", key: "name", help: "whom to greet" }];
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
pub struct Flag {
    /// The flag, without its two dashes.
    pub name: &'static str,
    /// The environment variable that says the same; the command line wins.
    pub env: &'static str,
    /// The key that it sets, in the section of the plugin that declares it; parts are parted by dots.
    pub key: &'static str,
    /// One line for `--help`.
    pub help: &'static str,
}

//! [`Order`]: which plugins start together.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// Which plugins start together, and close together. In any case a plugin starts after all that it depends on.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Order {
    /// All plugins of a level of the graph at once: ten that wait for 50 ms each start in 50 ms.
    #[default]
    Concurrent,
    /// One plugin after the other, in the graph's order, which is the same for each start. It is slower, and easier to
    /// follow.
    OneByOne,
}

impl FromStr for Order {
    type Err = crate::Error;

    /// Parses `concurrent` or `one-by-one`, as in the config.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "concurrent" => Ok(Order::Concurrent),
            "one-by-one" => Ok(Order::OneByOne),
            _ => Err(crate::Error::msg(format_args!("no start order `{text}`"))
                .with_help("write `concurrent` or `one-by-one`")),
        }
    }
}

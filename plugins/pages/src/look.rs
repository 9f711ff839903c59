//! [`Look`]: how a state is shown: by a colour, a shape and a word, so that nobody depends on one of them.

use cninfra::status::{Down, PluginStatus, State};
use std::fmt;

/// How a state is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Look {
    /// The CSS class of the colour.
    pub(crate) class: &'static str,
    /// An SVG path in a square of 12 by 12.
    pub(crate) shape: &'static str,
    pub(crate) word: &'static str,
}

const DISC: &str = "M6 1a5 5 0 1 0 .01 0z";
const RING: &str = "M6 1a5 5 0 1 0 .01 0zM6 3a3 3 0 1 1-.01 0z";
const TRIANGLE: &str = "M6 .5 12 11.5H0z";
const CROSS: &str = "M2.5 0 6 3.5 9.5 0 12 2.5 8.5 6 12 9.5 9.5 12 6 8.5 2.5 12 0 9.5 3.5 6 0 2.5z";
const SQUARE: &str = "M1.5 1.5h9v9h-9z";
const DIAMOND: &str = "M6 0 12 6 6 12 0 6z";

impl Look {
    pub(crate) fn of_state(state: State) -> Self {
        let (class, shape) = match state {
            State::Ok => ("good", DISC),
            State::Degraded => ("warn", TRIANGLE),
            State::Init => ("busy", DIAMOND),
            State::Disabled => ("off", RING),
            State::Stopped => ("off", SQUARE),
            _ => ("bad", CROSS),
        };
        Look { class, shape, word: state.name() }
    }

    pub(crate) fn of(plugin: &PluginStatus) -> Self {
        match plugin.down {
            _ if plugin.broken => Look { class: "bad", shape: CROSS, word: "broken" },
            Some(Down::Retrying) => Look { class: "warn", shape: TRIANGLE, word: "retrying" },
            Some(_) => Look { class: "bad", shape: CROSS, word: "failed" },
            None => Look::of_state(plugin.state),
        }
    }
}

impl fmt::Display for Look {
    /// As HTML.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Look { class, shape, word } = self;
        write!(
            f,
            "<span class=\"state {class}\"><svg viewBox=\"0 0 12 12\" aria-hidden=\"true\"><path d=\"{shape}\"/></svg> {word}</span>"
        )
    }
}

//! [`Level`]: the severity of a record.

use crate::config::from_text;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};

/// The severity of a record; for a logger, the lowest severity that it logs.
///
/// As text, a level is one of `trace`, `debug`, `info`, `warn` and `error`, in any case. `warning` is parsed as `warn`.
/// The predecessor's `fatal` and `panic`, which were above `error`, are parsed as `error`, so that only errors are
/// logged.
///
/// ```
/// use cninfra::logging::Level;
///
/// assert_eq!("WARNING".parse(), Ok(Level::Warn));
/// assert!(Level::Debug < Level::Info);
/// let error = "loud".parse::<Level>().unwrap_err();
/// assert_eq!(error.to_string(), "`loud` is not a level: write trace, debug, info, warn or error");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[repr(u8)]
pub enum Level {
    /// A single step of the work.
    Trace,
    /// Something that helps to find a defect.
    Debug,
    /// Something that an operator wants to know.
    #[default]
    Info,
    /// Something is not as it should be, but work continues.
    Warn,
    /// Something is broken and needs attention.
    Error,
}

impl Level {
    /// All levels, from the most verbose one.
    pub const ALL: [Level; 5] = [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error];

    /// As text, in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Level::Trace => "trace",
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        }
    }
}

impl From<tracing::Level> for Level {
    fn from(level: tracing::Level) -> Self {
        match level {
            tracing::Level::TRACE => Level::Trace,
            tracing::Level::DEBUG => Level::Debug,
            tracing::Level::INFO => Level::Info,
            tracing::Level::WARN => Level::Warn,
            tracing::Level::ERROR => Level::Error,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Level {
    type Err = ParseLevelError;

    fn from_str(text: &str) -> Result<Self, ParseLevelError> {
        Ok(match &*text.to_ascii_lowercase() {
            "trace" => Level::Trace,
            "debug" => Level::Debug,
            "info" => Level::Info,
            "warn" | "warning" => Level::Warn,
            "error" | "fatal" | "panic" => Level::Error,
            _ => return Err(ParseLevelError(text.to_string())),
        })
    }
}

/// The text is not a level.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseLevelError(String);

impl fmt::Display for ParseLevelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a level: write trace, debug, info, warn or error", self.0)
    }
}

impl std::error::Error for ParseLevelError {}

impl Serialize for Level {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, "a level: trace, debug, info, warn or error", str::parse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_predecessor_is_a_level() {
        let words = ["trace", "debug", "info", "warn", "warning", "error", "fatal", "panic"];
        let levels: Vec<Level> = words.iter().map(|word| word.parse().unwrap()).collect();
        let [.., warn, warning, error, fatal, panic] = levels[..] else { panic!("{levels:?}") };
        assert_eq!((warn, error, error), (warning, fatal, panic));
        for level in Level::ALL {
            assert_eq!(level.as_str().to_uppercase().parse(), Ok(level));
            assert_eq!(serde_json::to_string(&level).unwrap(), format!("\"{level}\""));
            assert_eq!(serde_json::from_str::<Level>(&format!("\"{level}\"")).unwrap(), level);
        }
        assert!(Level::ALL.is_sorted());
        assert!(serde_json::from_str::<Level>("\"off\"").unwrap_err().to_string().contains("`off` is not a level"));
    }
}

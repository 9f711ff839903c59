//! [`LoggerBody`]: the JSON about one logger.

use cninfra::logging::{LevelRule, LoggerLevel, Origin};
use serde::Serialize;

/// A logger and its level, in JSON. `logger` and `level` are the predecessor's; the others give the reason.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct LoggerBody {
    /// The logger's name, or the pattern, if that was requested.
    pub logger: String,
    /// Its level, in lower case.
    pub level: &'static str,
    /// Where the level was set, and by which rule.
    #[serde(flatten)]
    pub origin: Origin,
    /// If the level was set for a limited time: for how many more seconds it is in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_in: Option<u64>,
    /// Whether the level was set for a name or pattern that applies to no logger yet, and is kept for loggers that
    /// appear later.
    #[serde(skip_serializing_if = "is_not")]
    pub remembered: bool,
    /// If no logger has that name, but one has a similar name: that one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl LoggerBody {
    /// Makes it from a logger and the current rules: see [`Loggers::rules`](cninfra::logging::Loggers::rules).
    #[must_use]
    pub fn new(logger: LoggerLevel, rules: &[LevelRule]) -> Self {
        let LoggerLevel { name, level, origin, .. } = logger;
        let said = origin.rule.as_deref().unwrap_or("default");
        let rule = rules.iter().find(|rule| rule.name == said && rule.source == origin.source);
        // A part of a second is rounded up, since 0 would say that the time is over.
        let ends_in = rule.and_then(|rule| rule.ends_in).map(|left| left.as_secs_f64().ceil() as u64);
        LoggerBody { logger: name, level: level.as_str(), origin, ends_in, remembered: false, hint: None }
    }
}

fn is_not(is: &bool) -> bool {
    !is
}

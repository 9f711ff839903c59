//! [`LoggerBody`]: what is answered of one logger.

use cninfra::logging::{LevelRule, LoggerLevel, Origin};
use serde::Serialize;

/// A logger and its level, in JSON. `logger` and `level` are the predecessor's; the others say why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct LoggerBody {
    /// The logger's name; or the pattern, where that is what was asked for.
    pub logger: String,
    /// Its level, in lower case.
    pub level: &'static str,
    /// Who said so, and by which rule.
    #[serde(flatten)]
    pub origin: Origin,
    /// Where the level was set for a while: for how many seconds it still holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_in: Option<u64>,
    /// The level was said for this name or pattern, and no logger has it by that, yet: it is for those that come.
    #[serde(skip_serializing_if = "is_not")]
    pub remembered: bool,
    /// No logger has that name, but nearly one: which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl LoggerBody {
    /// Of a logger, and the rules that hold now: see [`Loggers::rules`](cninfra::logging::Loggers::rules).
    #[must_use]
    pub fn new(logger: LoggerLevel, rules: &[LevelRule]) -> Self {
        let LoggerLevel { name, level, origin, .. } = logger;
        let said = origin.rule.as_deref().unwrap_or("default");
        let rule = rules.iter().find(|rule| rule.name == said && rule.source == origin.source);
        // a part of a second is told as one, since 0 would say that it is over
        let ends_in = rule.and_then(|rule| rule.ends_in).map(|left| left.as_secs_f64().ceil() as u64);
        LoggerBody { logger: name, level: level.as_str(), origin, ends_in, remembered: false, hint: None }
    }
}

fn is_not(is: &bool) -> bool {
    !is
}

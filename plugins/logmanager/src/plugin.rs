//! [`LogManager`]: the plugin with the routes for log levels.

use crate::LoggerBody;
use cninfra::{
    config::Duration,
    http::{
        Http, Path, Query, Routes,
        axum::{http::StatusCode, response::Response},
        error_response, indented_json,
    },
    logging::{Level, LoggerLevel, Loggers},
    prelude::*,
};
use serde::Deserialize;
use std::collections::BTreeSet;

/// The log levels of the agent over HTTP, if it has a server.
///
/// | request | effect |
/// | --- | --- |
/// | `GET /log/list` | lists the loggers, each with its level and the reason; then the levels kept for loggers that do not exist yet |
/// | `GET /log/{logger}` | shows the level of a logger, or the one that a logger of this name would have |
/// | `PUT /log/{logger}/{level}` | sets the level of a logger, or of all that a pattern (`etcd*`) matches, including loggers that appear later |
/// | `PUT /log/{logger}/{level}?for=10m` | the same for a limited time |
/// | `DELETE /log/{logger}` | takes back what was set for exactly this name or pattern |
/// | `DELETE /log` | takes back everything that was set |
///
/// A logger named `list` has no `GET` path of its own: it can be seen in the list.
///
/// Levels are `trace`, `debug`, `info`, `warn` (or `warning`) and `error`, in any case. A level set here lasts as long
/// as the agent runs. The name `default` means all loggers without a level of their own.
#[plugin(name = "log-manager", alias = "logmanager")]
pub struct LogManager {
    http: Option<Dep<dyn Http>>,
}

impl Lifecycle for LogManager {
    async fn init(&self, cx: &Context) -> Result<()> {
        let Some(http) = &self.http else { return Ok(()) };
        let all = || (cx.loggers(), cx.log());
        let (set, set_log) = all();
        // One handler type for all routes with the same arguments: each further type would be compiled by itself.
        let at = |asked: Asked| {
            let (loggers, log) = all();
            async move || asked.answer(&loggers, &log)
        };
        let of = |answer: fn(&Loggers, &Logger, &str) -> Response| {
            let (loggers, log) = all();
            async move |Path(name): Path<String>| answer(&loggers, &log, &name)
        };
        let routes = Routes::new()
            .get("/log/list", at(Asked::List))
            .summary("lists the loggers and their levels")
            .get("/log/{logger}", of(|loggers, _, name| indented_json(&level_of(loggers, name))))
            .summary("tells the level of a logger")
            .put(
                "/log/{logger}/{level}",
                async move |Path((name, level)): Path<(String, String)>, Query(Time { time }): Query<Time>| {
                    put(&set, &set_log, &name, &level, time.as_deref())
                },
            )
            .summary("sets the level of a logger, or of those that a pattern matches; `?for=10m` for a while")
            .delete("/log/{logger}", of(take_back))
            .summary("takes back the level that was set")
            .delete("/log/list", at(Asked::ResetList))
            .summary("takes back the level that was set for a logger of this name")
            .delete("/log", at(Asked::ResetAll))
            .summary("takes back all levels that were set");
        http.register(cx, routes)
    }
}

/// A request to a path without parameters.
#[derive(Clone, Copy)]
enum Asked {
    List,
    /// Resets the logger that is named `list`.
    ResetList,
    ResetAll,
}

impl Asked {
    fn answer(self, loggers: &Loggers, log: &Logger) -> Response {
        match self {
            Asked::List => {}
            Asked::ResetList => return take_back(loggers, log, "list"),
            Asked::ResetAll => {
                loggers.reset_all();
                log.info("all levels are as the config has them");
            }
        }
        indented_json(&list_all(loggers))
    }
}

/// A hundred years: the clock has a limit, beyond which a limited time would become unlimited.
const LONGEST: std::time::Duration = std::time::Duration::from_secs(876_600 * 60 * 60);

/// The query. A misspelled `for` is refused, since the level would otherwise be set for an unlimited time.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Time {
    #[serde(rename = "for")]
    time: Option<String>,
}

/// The loggers; then the names and patterns that have a rule but no logger yet.
fn list_all(loggers: &Loggers) -> Vec<LoggerBody> {
    let (rules, there) = (loggers.rules(), loggers.list());
    let (mut known, mut later) = (BTreeSet::new(), BTreeSet::new());
    known.extend(there.iter().flat_map(names_of));
    later.extend(rules.iter().map(|rule| &*rule.name).filter(|name| *name != "default" && !known.contains(name)));
    let later = later.into_iter().map(|name| remembered(LoggerBody::new(loggers.level(name), &rules)));
    let later: Vec<_> = later.collect();
    there.into_iter().map(|logger| LoggerBody::new(logger, &rules)).chain(later).collect()
}

fn level_of(loggers: &Loggers, name: &str) -> LoggerBody {
    let body = LoggerBody { hint: hint(loggers, name), ..LoggerBody::new(loggers.level(name), &loggers.rules()) };
    let is_there = loggers.list().iter().flat_map(names_of).any(|known| known == name);
    if is_there || name == "default" { body } else { remembered(body) }
}

/// The name of a logger, and that of the rule that its level comes from.
fn names_of(logger: &LoggerLevel) -> impl Iterator<Item = &str> {
    [Some(&*logger.name), logger.origin.rule.as_deref()].into_iter().flatten()
}

/// Marks a level as remembered if it was set for just this name, which no logger has.
fn remembered(body: LoggerBody) -> LoggerBody {
    LoggerBody { remembered: body.origin.rule.as_ref() == Some(&body.logger), ..body }
}

/// The agent's own logger, as the predecessor called it.
const PREDECESSORS_OWN: &str = "defaultLogger";

/// A level is remembered for a logger that does not exist yet; but the name may be misspelled.
fn hint(loggers: &Loggers, name: &str) -> Option<String> {
    if name.eq_ignore_ascii_case(PREDECESSORS_OWN) && !loggers.contains(name) {
        return Some("no logger has that name; the agent's own, which had it in cn-infra, is `agent`".to_string());
    }
    loggers.meant(name).map(|meant| format!("no logger has that name; did you mean `{meant}`?"))
}

fn put(loggers: &Loggers, log: &Logger, name: &str, level: &str, time: Option<&str>) -> Response {
    let level: Level = match level.parse() {
        Ok(level) => level,
        Err(error) => return refusal(&error),
    };
    let set = match time.map(str::parse::<Duration>) {
        None => loggers.set(name, level),
        Some(Ok(length)) if length.is_zero() => {
            let text = time.unwrap_or_default();
            let mend = "write a time such as `for=10m`, or leave it out to set the level until the agent stops";
            return refusal(&format_args!("`for={text}` sets nothing: {mend}"));
        }
        Some(Ok(length)) if *length > LONGEST => {
            let most = Duration(LONGEST);
            let mend = "leave it out to set the level until the agent stops";
            return refusal(&format_args!(
                "`for={}` is more than {most}, the longest while: {mend}",
                time.unwrap_or_default()
            ));
        }
        Some(Ok(length)) => loggers.set_for(name, level, length.into()),
        Some(Err(error)) => return refusal(&error),
    };
    if let Err(error) = set {
        return refusal(&error);
    }
    let time = time.map(|time| format!(" for {time}")).unwrap_or_default();
    let body = level_of(loggers, name);
    let told = format!("the level of `{name}` is set to {level}{time}{}", unless(&body, level.as_str()));
    match &body.hint {
        None => log.info(told),
        Some(hint) => log.warn(format_args!("{told}, but {hint}")),
    }
    indented_json(&body)
}

/// Says which rule is in force if it is not the one that was set: a level for a limited time overrides all others.
fn unless(body: &LoggerBody, level: &str) -> String {
    if body.level == level {
        return String::new();
    }
    let other =
        body.origin.rule.as_deref().map_or_else(|| "another one".to_string(), |rule| format!("that of `{rule}`"));
    format!(", but {other}, {}, holds until its time is over", body.level)
}

fn take_back(loggers: &Loggers, log: &Logger, name: &str) -> Response {
    match loggers.reset(name) {
        Ok(any) => {
            let body = level_of(loggers, name);
            if any {
                log.info(format_args!("what was set for `{name}` is taken back: its level is {}", body.level));
            }
            indented_json(&body)
        }
        Err(error) => refusal(&error),
    }
}

fn refusal(error: &dyn std::fmt::Display) -> Response {
    error_response(StatusCode::BAD_REQUEST, &error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_does_not_hold_yet_is_told() {
        let loggers = Loggers::default();
        loggers.set("stock", Level::Error).unwrap();
        assert_eq!(unless(&level_of(&loggers, "stock"), "error"), "");
        loggers.set_for("sto*", Level::Trace, std::time::Duration::from_secs(30)).unwrap();
        assert_eq!(
            unless(&level_of(&loggers, "stock"), "error"),
            ", but that of `sto*`, trace, holds until its time is over"
        );
    }
}

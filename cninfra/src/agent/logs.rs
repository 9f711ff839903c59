//! The config section `logs`: levels of loggers, and the form of the log.

use crate::{
    Flag, Result,
    config::{
        Config, ConfigMeta, Invalid, Known, Later, Live, Origins, Section as _, check_config, from_text, nearest,
    },
    logging::{Format, Level, LogSettings, Loggers, MOST, SAY_LESS, Source},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::collections::HashMap;

/// The name of the section.
pub(super) const SECTION: &str = "logs";

/// The flags that set its keys.
pub(super) const FLAGS: &[Flag] = &[
    Flag::new("log-level", "default-level").env("INITIAL_LOGLVL").help(
        "the level of all loggers of which nothing else is said: trace, debug, info, warn or error [default: info]",
    ),
    Flag::new("log-levels", "levels")
        .env("CNINFRA_LOG")
        .help("levels by names and patterns of loggers, over those of the config file: warn,etcd*=debug"),
    Flag::new("log-format", "format").env("CNINFRA_LOG_FORMAT").help("text or json [default: text]"),
];

/// The predecessor's name of the logger of what is no plugin.
const PREDECESSORS_OWN: &str = "defaultLogger";

/// The config section `logs`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct LogsConfig {
    /// The level of all loggers of which nothing else is said.
    #[serde(serialize_with = "level_that_holds")]
    default_level: Option<Level>,
    /// Levels by name or pattern.
    #[serde(deserialize_with = "not_too_many")]
    loggers: Vec<LoggerConfig>,
    /// More of them, over `loggers`.
    levels: Option<Levels>,
    format: FormatName,
    /// What later versions of the predecessor knew: records sent to syslog, Logstash and Fluentd.
    #[serde(skip_serializing, rename = "later:hooks")]
    later: Later,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LoggerConfig {
    name: Name,
    level: Level,
}

/// How records are written.
#[derive(Clone, Copy, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FormatName {
    #[default]
    Text,
    Json,
}

pub(super) const META: ConfigMeta =
    <Live<LogsConfig>>::META.__checked(|section| check_config::<Live<LogsConfig>>(section, LogsConfig::check));

impl LogsConfig {
    /// A logger has one level.
    fn check(&self) -> std::result::Result<(), Invalid> {
        let mut seen = HashMap::new();
        let twice = self.loggers.iter().enumerate().filter_map(|(at, LoggerConfig { name: Name(name), .. })| {
            let first = *seen.entry(name).or_insert(at);
            let what = || format!("is the name of `loggers[{first}]`, too: a logger has one level");
            (first != at).then(|| Invalid::key(format!("loggers[{at}].name"), what()).help("keep one of them"))
        });
        Invalid::all(twice)
    }

    pub(super) fn of(config: &Config) -> Result<Self> {
        config.section(SECTION)
    }

    /// The format that is said, whatever else may be wrong: that is to be told in it.
    pub(super) fn format_of(config: &Config) -> Format {
        config.what_holds::<Self>(SECTION).unwrap_or_default().format()
    }

    /// With the place of each key.
    pub(super) fn with_origins(config: &Config) -> Result<(Self, Origins)> {
        config.section_with_origins(SECTION)
    }

    /// Levels for names that are none of a logger's that is known, but nearly one.
    pub(super) fn near_misses(&self, known: &Known) -> Vec<String> {
        let names = || known.iter().map(|section| section.name).filter(|name| *name != SECTION);
        let of_list = self.loggers.iter().map(|LoggerConfig { name: Name(name), .. }| name.as_str());
        let of_line = self.levels.iter().flat_map(|levels| levels.0.split(',')).filter_map(|one| one.split_once('='));
        let mut said: Vec<&str> = of_list.chain(of_line.map(|(name, _)| name.trim())).collect();
        said.dedup();
        let odd = |name: &str| {
            // of a child, the first part is its plugin; a pattern may be meant for what is not there yet, and a library has `::` in its names
            let first = name.split('.').next().unwrap_or(name);
            if first.contains(['*', '?', ':']) || names().any(|known| known == first) {
                return None;
            }
            let meant = nearest(first, names())?;
            Some(format!(
                "a level is set for the logger `{name}`, but no plugin has that name: did you mean `{meant}`?"
            ))
        };
        said.into_iter().filter_map(odd).collect()
    }

    pub(super) fn format(&self) -> Format {
        match self.format {
            FormatName::Text => Format::Text,
            FormatName::Json => Format::Json,
        }
    }

    /// Says the levels to the loggers, in the place of those that the config said before.
    pub(super) fn apply(&self, origins: &Origins, loggers: &Loggers) -> Result<()> {
        let mut settings = LogSettings::new();
        let said = |key: &str| {
            let origin = origins.get(key);
            let of_process = origin.is_some_and(|origin| origin.of_process);
            let source = if of_process { Source::Environment } else { Source::Config };
            (source, origin.map(|origin| &*origin.place))
        };
        if let Some(level) = self.default_level {
            let (source, place) = said("default-level");
            settings.put("default", level, source, place)?;
        }
        for (at, LoggerConfig { name: Name(name), level }) in self.loggers.iter().enumerate() {
            let (source, place) = said(&format!("loggers[{at}].level"));
            settings.put(name, *level, source, place)?;
        }
        if let Some(levels) = &self.levels {
            settings.read(&levels.0, Source::Environment, said("levels").1)?;
        }
        loggers.set_config(&settings)
    }
}

/// As it is printed: where nothing is said, what holds.
#[expect(clippy::ref_option, reason = "serde gives it so")]
fn level_that_holds<S: Serializer>(level: &Option<Level>, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    level.unwrap_or_default().serialize(serializer)
}

/// So many that all of them can be kept.
fn not_too_many<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Vec<LoggerConfig>, D::Error> {
    let loggers = Vec::deserialize(deserializer)?;
    match loggers.len() {
        0..=MOST => Ok(loggers),
        many => Err(de::Error::custom(format_args!("{many} levels are too many, {MOST} is the most: {SAY_LESS}"))),
    }
}

/// The name or pattern of loggers.
#[derive(Clone, Debug)]
struct Name(String);

/// Levels on one line: `warn,etcd*=debug`.
#[derive(Clone, Debug)]
struct Levels(String);

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl Serialize for Levels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| {
            let name = if text == PREDECESSORS_OWN { "agent" } else { text };
            LogSettings::new().put(name, Level::Info, Source::Config, None).map(|()| Name(name.to_string()))
        };
        from_text(deserializer, "the name of a logger, or a pattern such as `etcd*`", read)
    }
}

impl<'de> Deserialize<'de> for Levels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| {
            let mut levels = LogSettings::new();
            levels.read(text, Source::Environment, None)?;
            levels.is_kept().map(|()| Levels(text.to_string()))
        };
        from_text(deserializer, "levels, such as `warn,etcd*=debug`", read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_for_nearly_a_plugin_is_odd() {
        #[crate::plugin]
        struct Poller;
        #[derive(crate::Flavor)]
        struct App {
            _poller: crate::Dep<Poller>,
        }
        let known = super::super::own::known(<App as crate::Flavor>::GRAPH);
        let odd = |key: &str, said: &str| {
            let mut config = Config::new();
            config.set_flag(SECTION, key, said, "said");
            LogsConfig::of(&config).unwrap().near_misses(&known)
        };
        let words = |name: &str, meant: &str| {
            [format!("a level is set for the logger `{name}`, but no plugin has that name: did you mean `{meant}`?")]
        };
        assert_eq!(odd("levels", "warn,polle=debug"), words("polle", "poller"));
        assert_eq!(odd("loggers", "[{name: pollr.watch, level: debug}]"), words("pollr.watch", "poller"));
        assert_eq!(odd("levels", "agnet=debug"), words("agnet", "agent"));
        for right in
            ["warn", "poller=debug", "poller.watch=debug", "agent=info", "polle*=debug", "hyper=warn", "polle::x=warn"]
        {
            assert_eq!(odd("levels", right), [""; 0], "{right}");
        }
    }

    #[test]
    fn a_logger_has_one_level() {
        let said = "[{name: agent, level: info}, {name: http, level: info}, {name: http*, level: warn}, {name: defaultLogger, level: warn}, {name: http, level: info}]";
        let known = Known::none().with(SECTION, META);
        let mut config = Config::new();
        config.set_flag(SECTION, "loggers", said, "said");
        let told: Vec<_> = config.check(&known).iter().map(ToString::to_string).collect();
        let twice = |at: usize, first: usize| {
            format!(
                "flag --said: key `logs.loggers[{at}].name` is the name of `loggers[{first}]`, too: a logger has one level"
            )
        };
        assert_eq!(told, [twice(3, 0), twice(4, 1)]);
    }

    #[test]
    fn levels_know_the_variable_and_the_flag() {
        let mut config = Config::new().set(SECTION, "default-level", "error");
        config.set_variable(SECTION, "default-level", "warn", "INITIAL_LOGLVL");
        config.set_variable(SECTION, "levels", "http=error", "CNINFRA_LOG");
        config.set_flag(SECTION, "loggers", "[{name: etcd, level: debug}]", "set logs.loggers");
        let loggers = Loggers::default();
        let (logs, origins) = LogsConfig::with_origins(&config).unwrap();
        logs.apply(&origins, &loggers).unwrap();
        for (name, level, place) in [
            ("default", Level::Warn, "variable INITIAL_LOGLVL"),
            ("http", Level::Error, "variable CNINFRA_LOG"),
            ("etcd", Level::Debug, "flag --set logs.loggers"),
        ] {
            let said = loggers.level(name);
            let origin = (said.origin.source, said.origin.place.as_deref());
            assert_eq!((said.level, origin), (level, (Source::Environment, Some(place))), "{name}");
        }
        // what it does not say any more is gone
        let config = Config::new().set(SECTION, "default-level", "error");
        let (logs, origins) = LogsConfig::with_origins(&config).unwrap();
        logs.apply(&origins, &loggers).unwrap();
        let origin = loggers.level("etcd").origin;
        assert_eq!((origin.source, origin.place.as_deref()), (Source::Config, Some("set by the program")));
        assert_eq!(loggers.rules().len(), 1);
    }
}

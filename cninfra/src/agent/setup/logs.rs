//! The config section `logs`: the levels of loggers, and the format of the log.

use crate::{
    Error, Flag, Result,
    config::{
        Clash, Config, ConfigMeta, Invalid, Known, Later, Live, Origins, Section as _, check_config, check_kinds,
        from_text, nearest,
    },
    logging::{DEFAULT, Format, Level, LogSettings, Loggers, MOST, SAY_LESS, Source, levels_on_one_line},
    order::sort_few,
};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, SeqAccess, Visitor},
};
use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
};

/// The name of the section.
pub(in crate::agent) const SECTION: &str = "logs";

/// The keys of the section that set levels in one line of text.
pub(in crate::agent) const LEVELS: [&str; 2] = ["default-level", "levels"];

/// The flags that set keys of the section.
pub(super) const FLAGS: &[Flag] = &[
    Flag::new("log-level", "default-level").env("INITIAL_LOGLVL").help(
        "the level of all loggers without a level of their own: trace, debug, info, warn or error [default: info]",
    ),
    Flag::new("log-levels", "levels")
        .env("CNINFRA_LOG")
        .help("levels by names and patterns of loggers, over those of the config file: warn,etcd*=debug"),
    Flag::new("log-format", "format").env("CNINFRA_LOG_FORMAT").help("text or json [default: text]"),
];

/// The predecessor's name for the logger of everything outside plugins.
const PREDECESSORS_OWN: &str = "defaultLogger";

/// The config section `logs`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(in crate::agent) struct LogsConfig {
    /// The level of all loggers without a level of their own.
    #[serde(serialize_with = "level_that_holds")]
    default_level: Option<Level>,
    /// Levels by name or pattern.
    #[serde(deserialize_with = "not_too_many")]
    loggers: Vec<LoggerConfig>,
    /// The same as one line of text.
    levels: Option<Levels>,
    format: FormatName,
    /// Keys of later versions of the predecessor, which sent records to syslog, Logstash and Fluentd.
    #[serde(skip_serializing, rename = "later:hooks")]
    later: Later,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LoggerConfig {
    name: Name,
    level: Level,
}

/// The format of records.
#[derive(Clone, Copy, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FormatName {
    #[default]
    Text,
    Json,
}

pub(super) const META: ConfigMeta = <Live<LogsConfig>>::META.__checked(|section| {
    let checked = check_config::<Live<LogsConfig>>(section, LogsConfig::check);
    check_kinds::<Live<LogsConfig>>(section, checked, LogsConfig::clashes)
});

impl LogsConfig {
    /// Checks that no logger has two entries in the list.
    fn check(&self) -> std::result::Result<(), Invalid> {
        let mut seen = HashMap::new();
        let twice = self.loggers.iter().enumerate().filter_map(|(at, LoggerConfig { name: Name(name), .. })| {
            let first = *seen.entry(same(name)).or_insert(at);
            let what = || format!("is also the name of `loggers[{first}]`: a logger has one level");
            (first != at).then(|| Invalid::key(format!("loggers[{at}].name"), what()).help("keep one of them"))
        });
        Invalid::all(twice)
    }

    /// The levels that one source sets with two keys.
    fn clashes(&self) -> Vec<Clash> {
        let key = |parts: &[&str]| parts.iter().map(ToString::to_string).collect::<Vec<_>>();
        let clash = |name: &str, key: Vec<String>, other: &[String]| {
            let what = if name == DEFAULT { "the default level".to_string() } else { format!("the level of `{name}`") };
            Clash { key, other: other.to_vec(), what }
        };
        let mut clashes = Vec::new();
        let mut seen: HashMap<String, Vec<String>> = HashMap::new();
        if self.default_level.is_some() {
            seen.insert(DEFAULT.to_string(), key(&["default-level"]));
        }
        for (at, LoggerConfig { name: Name(name), .. }) in self.loggers.iter().enumerate() {
            let here = key(&[&format!("loggers[{at}]"), "name"]);
            match seen.entry(same(name)) {
                Entry::Vacant(free) => drop(free.insert(here)),
                Entry::Occupied(other) if other.get().len() == 1 => clashes.push(clash(name, here, other.get())),
                // The check reports duplicates within the list.
                Entry::Occupied(_) => {}
            }
        }
        for LoggerConfig { name: Name(name), .. } in self.levels.iter().flat_map(|levels| &levels.entries) {
            if let Some(other) = seen.get(&same(name)) {
                clashes.push(clash(name, key(&["levels"]), other));
            }
        }
        clashes
    }

    pub(in crate::agent) fn of(config: &Config) -> Result<Self> {
        config.section(SECTION)
    }

    /// The configured format, even if other keys are wrong: the errors about these are logged in it.
    pub(in crate::agent) fn format_of(config: &Config) -> Format {
        config.section_without_wrong_values::<Self>(SECTION).unwrap_or_default().format()
    }

    /// Also returns the place of each key.
    pub(in crate::agent) fn with_origins(config: &Config) -> Result<(Self, Origins)> {
        config.section_with_origins(SECTION)
    }

    /// Warnings about levels for names that no plugin has, but that are similar to a plugin's name.
    pub(in crate::agent) fn near_misses(&self, known: &Known) -> Vec<String> {
        let names = || known.iter().map(|section| section.name).filter(|name| *name != SECTION);
        let of_list = self.loggers.iter().map(|LoggerConfig { name: Name(name), .. }| name.as_str());
        let of_line = self.levels.iter().flat_map(|levels| &levels.entries).map(|logger| logger.name.0.as_str());
        let mut set_for: Vec<&str> = of_list.chain(of_line).filter(|name| *name != DEFAULT).collect();
        set_for.dedup();
        let warning = |name: &str| {
            // The first part of a child logger's name is its plugin. A pattern may be meant for loggers that do not
            // exist yet, and the names of libraries' loggers contain `::`.
            let first = name.split('.').next().unwrap_or(name);
            if first.contains(['*', '?', ':']) || names().any(|known| known == first) {
                return None;
            }
            let meant = nearest(first, names())?;
            Some(format!(
                "a level is set for the logger `{name}`, but no plugin has that name: did you mean `{meant}`?"
            ))
        };
        set_for.into_iter().filter_map(warning).collect()
    }

    pub(in crate::agent) fn format(&self) -> Format {
        match self.format {
            FormatName::Text => Format::Text,
            FormatName::Json => Format::Json,
        }
    }

    /// Sets these levels in the loggers, in place of those that were configured before.
    pub(in crate::agent) fn apply(&self, origins: &Origins, loggers: &Loggers) -> Result<()> {
        let origin = |key: &str| {
            let origin = origins.get(key);
            let of_process = origin.is_some_and(|origin| origin.of_process);
            let source = if of_process { Source::Environment } else { Source::Config };
            (origin.map(|origin| origin.rank), (source, origin.map(|origin| &*origin.place)))
        };
        let default = self.default_level.map(|level| (origin("default-level"), DEFAULT, level));
        let of_list = self.loggers.iter().enumerate().map(|(at, LoggerConfig { name: Name(name), level })| {
            (origin(&format!("loggers[{at}].level")), name.as_str(), *level)
        });
        let line = self.levels.iter().map(|levels| (origin("levels"), levels));
        let of_line =
            line.flat_map(|(origin, levels)| levels.entries.iter().map(move |one| (origin, &*one.name.0, one.level)));
        let mut levels: Vec<_> = default.into_iter().chain(of_list).chain(of_line).collect();
        // If a name occurs more than once, the last level wins.
        sort_few(&mut levels, |((one, _), ..), ((other, _), ..)| one > other);
        let mut settings = LogSettings::new();
        for ((_, (source, place)), name, level) in levels {
            settings.put(name, level, source, place)?;
        }
        loggers.set_config(&settings)
    }
}

/// Prints the level in force if none is set.
#[expect(clippy::ref_option, reason = "serde gives it so")]
fn level_that_holds<S: Serializer>(level: &Option<Level>, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    level.unwrap_or_default().serialize(serializer)
}

/// Refuses lists with more levels than can be kept.
fn not_too_many<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Vec<LoggerConfig>, D::Error> {
    /// Counts the entries before they are read, if the format knows the number.
    struct Loggers;

    impl<'de> Visitor<'de> for Loggers {
        type Value = Vec<LoggerConfig>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> std::result::Result<Self::Value, A::Error> {
            let check_count = |many| match many {
                0..=MOST => Ok(()),
                many => {
                    Err(de::Error::custom(format_args!("{many} levels are too many, {MOST} is the most: {SAY_LESS}")))
                }
            };
            check_count(items.size_hint().unwrap_or_default())?;
            let mut loggers = Vec::new();
            while let Some(logger) = items.next_element()? {
                loggers.push(logger);
            }
            check_count(loggers.len()).map(|()| loggers)
        }
    }
    deserializer.deserialize_seq(Loggers)
}

/// The name or pattern of loggers.
#[derive(Clone, Debug)]
struct Name(String);

impl Name {
    /// Checks a name or pattern.
    fn of(text: &str) -> Result<Self> {
        let name = if text == PREDECESSORS_OWN { "agent" } else { text };
        LogSettings::new().put(name, Level::Info, Source::Config, None).map(|()| Name(name.to_string()))
    }
}

/// A text that is equal for patterns of the same loggers: `**` means the same as `*`.
fn same(name: &str) -> String {
    let mut same: Vec<char> = name.chars().collect();
    same.dedup_by(|one, other| *one == '*' && *other == '*');
    same.into_iter().collect()
}

/// Levels on one line: `warn,etcd*=debug`.
#[derive(Clone, Debug)]
struct Levels {
    text: String,
    entries: Vec<LoggerConfig>,
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl Serialize for Levels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, "the name of a logger, or a pattern such as `etcd*`", Name::of)
    }
}

impl<'de> Deserialize<'de> for Levels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| {
            let of = |(name, level)| Name::of(name).map(|name| LoggerConfig { name, level });
            let entries = levels_on_one_line(text)?.into_iter().map(of).collect::<Result<Vec<_>>>()?;
            let mut seen = HashMap::new();
            for LoggerConfig { name: Name(name), level } in &entries {
                if let Some(first) = seen.insert(same(name), level) {
                    let of = if name == DEFAULT { "the default level".to_string() } else { format!("`{name}`") };
                    let what = format_args!("{of} is there twice, as `{first}` and as `{level}`");
                    return Err(Error::msg(what).with_help("a logger has one level: keep one of them"));
                }
            }
            Ok(Levels { text: text.to_string(), entries })
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
                "flag --said: key `logs.loggers[{at}].name` is also the name of `loggers[{first}]`: a logger has one level"
            )
        };
        assert_eq!(told, [twice(3, 0), twice(4, 1)]);
    }

    /// The errors about the levels in these files, variables and flags, without the folder's name.
    fn told(files: &[(&str, &str)], said: &[(&str, &str)]) -> Vec<String> {
        let folder = cninfra_testbed::Folder::new();
        files.iter().for_each(|(name, text)| folder.write(name, text));
        let known = Known::none().with(SECTION, META);
        let mut config = Config::new().set(SECTION, "default-level", "info").set(SECTION, "levels", "info,http=warn");
        for (key, text) in said {
            match key.strip_prefix("--") {
                Some(key) => config.set_flag(SECTION, key, text, key),
                None => config.set_variable(SECTION, key, text, &key.to_uppercase()),
            }
        }
        config.read_files(&crate::config::Files { dir: folder.path().into(), named: Vec::new() }, &known);
        let dir = format!("{}/", folder.path().display());
        config.check(&known).iter().map(|mistake| mistake.to_string().replace(&dir, "")).collect()
    }

    #[test]
    fn two_levels_for_one_logger_on_one_line_are_told() {
        let words = |of: &str, levels: [&str; 2]| {
            format!(
                "{of} is there twice, as `{}` and as `{}`: a logger has one level: keep one of them",
                levels[0], levels[1]
            )
        };
        for (text, what) in [
            ("a=info,a=debug", words("`a`", ["info", "debug"])),
            ("a=info, a = info", words("`a`", ["info", "info"])),
            ("a*=info,b=warn,a**=debug", words("`a**`", ["info", "debug"])),
            ("warn,info", words("the default level", ["warn", "info"])),
            ("warn,default=info", words("the default level", ["warn", "info"])),
            ("agent=warn,defaultLogger=info", words("`agent`", ["warn", "info"])),
        ] {
            let place = |place: &str| [format!("{place}: key `logs.levels`: {what}")];
            assert_eq!(told(&[], &[("--levels", text)]), place("flag --levels"));
            assert_eq!(told(&[], &[("levels", text)]), place("variable LEVELS"));
            assert_eq!(told(&[("logs.conf", &format!("levels: {text}"))], &[]), place("logs.conf:1:9"));
        }
    }

    #[test]
    fn one_source_has_one_level_for_a_logger() {
        let list = "loggers: [{name: a, level: info}, {name: default, level: warn}]";
        for (files, said, what) in [
            (
                &[("logs.conf", "loggers: [{name: a, level: info}]\nlevels: b=info,a=debug")] as &[_],
                &[] as &[_],
                "logs.conf:2:9: key `logs.levels` says the level of `a`, which key `logs.loggers[0].name` says too, logs.conf:1:18",
            ),
            (
                &[("logs.conf", "default-level: info"), ("agent.yaml", &format!("logs: {{{list}}}"))],
                &[],
                "agent.yaml:1:49: key `logs.loggers[1].name` says the default level, which key `logs.default-level` says too, logs.conf:1:16",
            ),
            (
                &[],
                &[("default-level", "info"), ("levels", "warn,a=info")],
                "variable LEVELS: key `logs.levels` says the default level, which key `logs.default-level` says too, variable DEFAULT-LEVEL",
            ),
            (
                &[],
                &[("--loggers", "[{name: defaultLogger, level: warn}]"), ("--levels", "agent=warn")],
                "flag --levels: key `logs.levels` says the level of `agent`, which key `logs.loggers[0].name` says too, flag --loggers",
            ),
        ] {
            assert_eq!(told(files, said), [what]);
        }
        // Of several sources, the highest one wins.
        let files = [("logs.conf", &*format!("{list}\nlevels: http=info"))];
        let said =
            [("levels", "a=debug,error"), ("--default-level", "info"), ("--loggers", "[{name: a, level: warn}]")];
        assert_eq!(told(&files, &said), [""; 0]);
    }

    #[test]
    fn of_several_sources_the_higher_ones_level_holds() {
        let level = |said: &[(&str, &str)]| {
            let mut config = Config::new().set(SECTION, "levels", "trace,http=trace");
            for (key, text) in said {
                match key.strip_prefix("--") {
                    Some(key) => config.set_flag(SECTION, key, text, key),
                    None => config.set_variable(SECTION, key, text, &key.to_uppercase()),
                }
            }
            let loggers = Loggers::default();
            let (logs, origins) = LogsConfig::with_origins(&config).unwrap();
            logs.apply(&origins, &loggers).unwrap();
            [loggers.level("default"), loggers.level("http")].map(|said| (said.level, said.origin.source))
        };
        let list = "[{name: http, level: debug}, {name: default, level: debug}]";
        assert_eq!(level(&[]), [(Level::Trace, Source::Config); 2]);
        assert_eq!(level(&[("loggers", list)]), [(Level::Debug, Source::Environment); 2]);
        let flag = [("levels", "error,http=error"), ("--loggers", list)];
        assert_eq!(level(&flag), [(Level::Debug, Source::Environment); 2]);
        let flag = [("levels", "error"), ("--default-level", "warn")];
        assert_eq!(level(&flag)[0], (Level::Warn, Source::Environment));
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
        // Levels that the config no longer sets are removed.
        let config = Config::new().set(SECTION, "default-level", "error");
        let (logs, origins) = LogsConfig::with_origins(&config).unwrap();
        logs.apply(&origins, &loggers).unwrap();
        let origin = loggers.level("etcd").origin;
        assert_eq!((origin.source, origin.place.as_deref()), (Source::Config, Some("set by the program")));
        assert_eq!(loggers.rules().len(), 1);
    }
}

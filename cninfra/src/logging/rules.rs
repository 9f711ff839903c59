//! [`Rules`]: which level a logger has, and why.

use super::{
    Level,
    pattern::{Pattern, parent_of},
};
use crate::{Error, Result};
use serde::Serialize;
use std::{fmt, sync::Arc};
use tokio::time::Instant;

/// The largest number of rules of each source; more are refused, since they may come from outside, and are kept.
pub(crate) const MOST: usize = 1000;

/// Where a level comes from. Later variants override earlier ones.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Source {
    /// Nothing was set.
    Default,
    /// The program, with [`LogSettings`](super::LogSettings) of its own.
    Program,
    /// The config: the section `logs`, from a file or set by the program.
    Config,
    /// The section `logs`, from a variable or a flag: `INITIAL_LOGLVL`, `CNINFRA_LOG`, `--log-level`, `--log-levels`.
    Environment,
    /// Set at run time.
    Runtime,
    /// Set at run time, for a limited time.
    Temporary,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Source::Default => "default",
            Source::Program => "program",
            Source::Config => "config",
            Source::Environment => "environment",
            Source::Runtime => "runtime",
            Source::Temporary => "temporary",
        })
    }
}

/// Why a logger has its level.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct Origin {
    /// Where the level was set.
    pub source: Source,
    /// The exact place, if it is known: `logs.conf:2:3`, `variable INITIAL_LOGLVL`, `flag --log-level`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The name or pattern it was set for; `None` if it is the default level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The parent logger whose level it is, if it is inherited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inherited_from: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// `None` for the default level.
    pub(super) pattern: Option<Pattern>,
    pub(super) level: Level,
    pub(super) source: Source,
    /// When it ends, if it is temporary.
    pub(super) until: Option<Instant>,
    /// The exact place where it was set, if it is known.
    pub(super) place: Option<Arc<str>>,
}

impl Rule {
    /// A rule without an end.
    pub(super) fn new(pattern: Option<Pattern>, level: Level, source: Source) -> Self {
        Rule { pattern, level, source, until: None, place: None }
    }

    pub(super) fn place(&self) -> Option<String> {
        self.place.as_deref().map(str::to_string)
    }

    /// Whether it is in force. A rule that has ended may still be there for a moment.
    pub(super) fn holds(&self) -> bool {
        self.until.is_none_or(|until| until > Instant::now())
    }
}

/// All rules for levels.
#[derive(Clone, Default, Debug)]
pub(super) struct Rules(Vec<Rule>);

impl Rules {
    /// Adds a rule, which replaces that of the same source for the same pattern. A default level is never refused,
    /// since each source has at most one. Nor are rules of the config: those are counted when the config is read, so
    /// that too many are a mistake there.
    pub(super) fn put(&mut self, rule: Rule) -> Result<()> {
        self.remove(rule.pattern.as_ref(), rule.source);
        let counts = rule.pattern.is_some() && !matches!(rule.source, Source::Config | Source::Environment);
        if counts && self.0.iter().filter(|other| other.source == rule.source).count() >= MOST {
            let help = "reset some of them, or say more by one pattern";
            return Err(Error::msg(format_args!("{MOST} levels are set already")).with_help(help));
        }
        self.0.push(rule);
        Ok(())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.0.iter()
    }

    /// Removes a rule. Returns whether it existed.
    pub(super) fn remove(&mut self, pattern: Option<&Pattern>, source: Source) -> bool {
        let before = self.0.len();
        self.0.retain(|rule| rule.source != source || rule.pattern.as_ref() != pattern);
        self.0.len() < before
    }

    /// Removes all rules of these sources. Returns whether there were any.
    pub(super) fn remove_all(&mut self, sources: &[Source]) -> bool {
        let before = self.0.len();
        self.0.retain(|rule| !sources.contains(&rule.source));
        self.0.len() < before
    }

    fn holding(&self) -> impl Iterator<Item = &Rule> {
        self.0.iter().filter(|rule| rule.holds())
    }

    /// Removes the rules that have ended.
    pub(super) fn expire(&mut self, now: Instant) {
        self.0.retain(|rule| rule.until.is_none_or(|until| until > now));
    }

    /// When the next rule ends.
    pub(super) fn next_end(&self) -> Option<Instant> {
        self.0.iter().filter_map(|rule| rule.until).min()
    }

    /// The level of loggers without a rule.
    pub(super) fn default_level(&self) -> (Level, Origin) {
        let defaults = self.holding().filter(|rule| rule.pattern.is_none());
        let origin = |source, place| Origin { source, place, rule: None, inherited_from: None };
        defaults.max_by_key(|rule| rule.source).map_or((Level::default(), origin(Source::Default, None)), |rule| {
            (rule.level, origin(rule.source, rule.place()))
        })
    }

    /// The level that a rule sets for this logger, or for its nearest ancestor that has a rule.
    pub(super) fn rule_for(&self, name: &str) -> Option<(Level, Origin)> {
        let mut at = Some(name);
        while let Some(logger) = at {
            if let Some((rule, pattern)) = self.best(logger) {
                let inherited_from = (logger != name).then(|| logger.to_string());
                return Some((
                    rule.level,
                    Origin {
                        source: rule.source,
                        place: rule.place(),
                        rule: Some(pattern.to_string()),
                        inherited_from,
                    },
                ));
            }
            at = parent_of(logger);
        }
        None
    }

    /// The level of a logger, and the reason for it.
    pub(super) fn resolve(&self, name: &str) -> (Level, Origin) {
        self.rule_for(name).unwrap_or_else(|| self.default_level())
    }

    /// The level for the records of a library, by their target. A low default level does not ask for the internals of
    /// every library, so here it is at least `info`.
    pub(super) fn of_library(&self, target: &str) -> Level {
        let default = || self.default_level().0.max(Level::Info);
        self.rule_for(target).map_or_else(default, |(level, _)| level)
    }

    /// The lowest level that the records of any library can have.
    pub(super) fn lowest_of_libraries(&self) -> Level {
        let named = self.holding().filter(|rule| rule.pattern.is_some()).map(|rule| rule.level);
        named.chain([self.default_level().0.max(Level::Info)]).min().unwrap_or_default()
    }

    /// The rule that applies: of the highest source, there the most specific one, and of several such the last one.
    fn best(&self, name: &str) -> Option<(&Rule, &Pattern)> {
        let matching = self.holding().filter_map(|rule| Some((rule, rule.pattern.as_ref()?)));
        matching
            .filter(|(_, pattern)| pattern.matches(name))
            .max_by_key(|(rule, pattern)| (rule.source, pattern.closeness()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(said: &[(&str, Level, Source)]) -> Rules {
        let mut rules = Rules::default();
        for &(pattern, level, source) in said {
            let pattern = (pattern != "default").then(|| Pattern::parse(pattern).unwrap());
            rules.put(Rule::new(pattern, level, source)).unwrap();
        }
        rules
    }

    #[test]
    fn the_closest_of_the_highest_source_holds() {
        use Level::{Debug, Error, Trace, Warn};
        use Source::{Config, Environment, Runtime};
        let mut rules = rules(&[
            ("default", Error, Config),
            ("etcd", Debug, Config),
            ("etc*", Trace, Config),
            ("*", Warn, Config),
            ("etcd-b*", Error, Environment),
            ("redis", Warn, Runtime),
            ("redis", Debug, Runtime),
        ]);
        let level = |rules: &Rules, name| rules.resolve(name).0;
        assert_eq!(level(&rules, "etcd"), Debug, "the name goes over patterns");
        assert_eq!(level(&rules, "etcx"), Trace, "the longer pattern over the shorter one");
        assert_eq!(level(&rules, "kafka"), Warn);
        assert_eq!(level(&rules, "etcd-backup"), Error, "the environment goes over files");
        assert_eq!(level(&rules, "redis"), Debug, "the last one");
        rules.put(Rule::new(None, Trace, Runtime)).unwrap();
        let (default, origin) = rules.default_level();
        assert_eq!((default, origin.source), (Trace, Runtime));
        assert!(rules.remove(Some(&Pattern::parse("*").unwrap()), Config));
        assert_eq!(level(&rules, "kafka"), Trace);
    }

    #[test]
    fn children_inherit_what_is_not_said_of_themselves() {
        let rules = rules(&[("etcd", Level::Debug, Source::Config), ("etcd.watch", Level::Error, Source::Config)]);
        let (level, origin) = rules.resolve("etcd.put.one");
        assert_eq!((level, origin.inherited_from.as_deref()), (Level::Debug, Some("etcd")));
        let (level, origin) = rules.resolve("etcd.watch");
        assert_eq!((level, origin.inherited_from), (Level::Error, None));
        assert_eq!(rules.resolve("etcdx").1.source, Source::Default);
    }

    #[test]
    fn a_talkative_default_does_not_open_libraries() {
        let talkative = rules(&[("default", Level::Trace, Source::Config), ("h2", Level::Debug, Source::Config)]);
        assert_eq!(talkative.of_library("hyper::proto"), Level::Info);
        assert_eq!(talkative.of_library("h2::codec"), Level::Debug);
        let silent = rules(&[("default", Level::Error, Source::Config)]);
        assert_eq!(silent.of_library("hyper::proto"), Level::Error);
    }

    #[test]
    fn what_has_ended_holds_no_more() {
        let mut rules = Rules::default();
        for pattern in [None, Some(Pattern::parse("etcd").unwrap())] {
            let until = Some(Instant::now());
            rules.put(Rule { until, ..Rule::new(pattern, Level::Trace, Source::Temporary) }).unwrap();
        }
        assert_eq!((rules.resolve("etcd").0, rules.resolve("http").0), (Level::Info, Level::Info));
        assert_eq!((rules.of_library("etcd"), rules.lowest_of_libraries()), (Level::Info, Level::Info));
    }

    #[test]
    fn there_is_a_bound() {
        let mut rules = Rules::default();
        let pattern = |at: usize| Pattern::parse(&format!("l{at}")).unwrap();
        let rule = |at: usize| Rule::new(Some(pattern(at)), Level::Warn, Source::Runtime);
        (0..MOST).for_each(|at| rules.put(rule(at)).unwrap());
        assert!(format!("{:?}", rules.put(rule(MOST)).unwrap_err()).contains("reset some of them"));
        rules.put(rule(7)).unwrap();
        // Each source has a bound of its own, and a default level besides.
        rules.put(Rule { source: Source::Temporary, ..rule(0) }).unwrap();
        rules.put(Rule { pattern: None, ..rule(0) }).unwrap();
        let (level, origin) = rules.default_level();
        assert_eq!((level, origin.source), (Level::Warn, Source::Runtime));
        assert!(rules.remove_all(&[Source::Runtime]) && !rules.remove_all(&[Source::Runtime]));
    }
}

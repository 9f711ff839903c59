//! [`LogSettings`]: levels that are set before their loggers exist.

use super::{
    Level, Source,
    pattern::Pattern,
    rules::{MOST, Rule, Rules},
};
use crate::{Error, Result};

/// The name that stands for the default level.
pub(crate) const DEFAULT: &str = "default";

/// The help for too many levels.
pub(crate) const SAY_LESS: &str = "say more by one pattern, such as `etcd*`";

/// The levels of loggers, by name or pattern, from the start of an agent on.
///
/// ```
/// use cninfra::logging::{Level, LogSettings};
///
/// let settings = LogSettings::new().default_level(Level::Warn).level("etcd*", Level::Debug)?.level("http", Level::Info)?;
/// # let _ = settings;
/// # Ok::<(), cninfra::Error>(())
/// ```
#[derive(Clone, Default, Debug)]
#[must_use]
pub struct LogSettings {
    pub(super) rules: Rules,
}

impl LogSettings {
    /// Every logger is at `info`.
    pub fn new() -> Self {
        LogSettings::default()
    }

    /// Sets the level of all loggers without a level of their own. Default: `info`.
    pub fn default_level(mut self, level: Level) -> Self {
        // A default level is never refused.
        let _ = self.rules.put(Rule::new(None, level, Source::Program));
        self
    }

    /// Sets the level of the logger of this name, or of those that a pattern such as `etcd*` matches. The name
    /// `default` means the default level.
    ///
    /// # Errors
    /// It is neither a name nor a pattern, or far too many levels are set.
    pub fn level(mut self, name_or_pattern: &str, level: Level) -> Result<Self> {
        self.put(name_or_pattern, level, Source::Program, None)?;
        Ok(self)
    }

    /// Adds a level that was set at this place.
    pub(crate) fn put(
        &mut self,
        name_or_pattern: &str,
        level: Level,
        source: Source,
        place: Option<&str>,
    ) -> Result<()> {
        let pattern = pattern(name_or_pattern)?;
        self.rules.put(Rule { place: place.map(Into::into), ..Rule::new(pattern, level, source) })
    }
}

/// Parses levels on one line, as in an environment variable: `warn,etcd*=debug,http=info`. A level without a name is
/// the default level.
///
/// # Errors
/// Some of them are invalid, which are reported together; or there are more than can be kept.
pub(crate) fn levels_on_one_line(text: &str) -> Result<Vec<(&str, Level)>> {
    let parts = || text.split(',').map(str::trim).filter(|part| !part.is_empty());
    match parts().count() {
        0..=MOST => Ok(()),
        many => Err(Error::msg(format_args!("{many} levels are too many, {MOST} is the most")).with_help(SAY_LESS)),
    }?;
    let read = |part| {
        let (name, level): (&str, &str) = str::split_once(part, '=').unwrap_or((DEFAULT, part));
        let level = level.trim().parse().map_err(|error| with_colon(part).unwrap_or_else(|| Error::from(error)))?;
        pattern(name.trim())?;
        Ok((name.trim(), level))
    };
    let (levels, errors): (Vec<_>, Vec<_>) = parts().map(read).partition(Result::is_ok);
    match errors.into_iter().filter_map(Result::err).collect() {
        errors if Vec::is_empty(&errors) => Ok(levels.into_iter().flatten().collect()),
        errors => Err(together(errors)),
    }
}

/// The number of mistakes of one line that are reported; more are only counted.
const MAX_REPORTED: usize = 5;

/// All mistakes of one line as one error, since they have the same place; each with its own help.
fn together(mut errors: Vec<Error>) -> Error {
    if errors.len() == 1 {
        return errors.remove(0);
    }
    let with_help_text = |error: &Error| match error.help() {
        Some(help) => format!("{error} ({help})"),
        None => error.to_string(),
    };
    let mut reported: Vec<String> = errors.iter().take(MAX_REPORTED).map(with_help_text).collect();
    if errors.len() > MAX_REPORTED {
        reported.push(format!("and {} more", errors.len() - MAX_REPORTED));
    }
    Error::msg(reported.join("; "))
}

/// The error for a level that is separated from its name by a colon, if that is the mistake.
fn with_colon(part: &str) -> Option<Error> {
    let (name, level) = part.rsplit_once(':').filter(|(name, _)| !part.contains('=') && !name.is_empty())?;
    level.trim().parse::<Level>().ok()?;
    let help = format!("write `{}={}`", name.trim_end_matches(':'), level.trim());
    Some(Error::msg(format_args!("`{part}` is not a level")).with_help(help))
}

/// Parses a name or pattern; `None` for the default level.
pub(super) fn pattern(name_or_pattern: &str) -> Result<Option<Pattern>> {
    if name_or_pattern == DEFAULT { Ok(None) } else { Pattern::parse(name_or_pattern).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_says_many_levels() {
        let levels = levels_on_one_line(" warn, etcd*=Debug,http = error ,").unwrap();
        assert_eq!(levels, [("default", Level::Warn), ("etcd*", Level::Debug), ("http", Level::Error)]);
        for (text, part) in
            [("etcd=loud", "`loud` is not a level"), ("a b=warn", "`a b` is not a name"), ("=warn", "`` is not a name")]
        {
            let error = levels_on_one_line(text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        let error = levels_on_one_line("warn,etcd: debug").unwrap_err();
        assert_eq!(
            (error.to_string().as_str(), error.help()),
            ("`etcd: debug` is not a level", Some("write `etcd=debug`"))
        );
        assert!(levels_on_one_line("hyper::proto").unwrap_err().to_string().contains("is not a level: write trace"));
    }

    #[test]
    fn all_that_is_wrong_on_one_line_is_told() {
        let error = levels_on_one_line("etcd: debug,warn,a b=warn,http=loud,redis: info").unwrap_err();
        assert_eq!(error.help(), None);
        let error = error.to_string();
        for part in [
            "`etcd: debug` is not a level (write `etcd=debug`); ",
            "`a b` is not a name",
            "`loud` is no",
            "(write `redis=info`)",
        ] {
            assert!(error.contains(part), "{part} in: {error}");
        }
        let many = levels_on_one_line(&"x,".repeat(MAX_REPORTED + 2)).unwrap_err().to_string();
        assert!(many.ends_with("; and 2 more"), "{many}");
        assert_eq!(many.matches("`x` is not a level").count(), MAX_REPORTED);
    }
}

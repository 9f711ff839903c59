//! [`Invalid`]: what a section's own check says is wrong with it.

use super::{
    Mistake, Place, Section,
    entry::Entries,
    extract::{Depth, Outcome, extract},
    key,
    section::Named,
    source::{Part, Source},
};
use crate::foreign;
use std::fmt;

/// What is wrong with a config section whose keys fit one by one: what its own check says.
///
/// A `#[config]` field names the check. It is called when the section has been read and nothing else is wrong with it: before anything is
/// created, by `--check-config`, and before new content of a file is taken in (see [`Live`](super::Live)). It is called where nothing is
/// said of the section, too, so that it can ask for keys that must be said; not for a plugin that is switched off. What it finds is told
/// as any other mistake is, with file, line and key.
///
/// Of a value that may be a secret, say what is wrong without showing it.
///
/// ```
/// use cninfra::{config::{Duration, Invalid}, prelude::*};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Default, Serialize, Deserialize)]
/// #[serde(default, deny_unknown_fields)]
/// struct PollerConfig {
///     interval: Duration,
///     min_peers: u32,
///     max_peers: u32,
/// }
///
/// impl PollerConfig {
///     fn check(&self) -> Result<(), Invalid> {
///         let no_interval = self.interval.is_zero().then(|| Invalid::key("interval", "is needed").help("such as `interval: 5s`"));
///         let none_fits = (self.min_peers > self.max_peers).then(|| Invalid::key("min-peers", "is above `max-peers`"));
///         Invalid::all([no_interval, none_fits].into_iter().flatten())
///     }
/// }
///
/// #[plugin]
/// struct Poller {
///     #[config(check = PollerConfig::check)]
///     config: PollerConfig,
/// }
/// # impl Lifecycle for Poller {}
/// # let _ = PollerConfig::default().check();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid(Vec<Wrong>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Wrong {
    /// Its parts parted by dots; none for the section as a whole.
    key: String,
    what: String,
    help: Option<String>,
}

impl Invalid {
    /// A key of the section, in any spelling, its parts parted by dots (`tls.min-version`); `what` goes on from there: "is above
    /// `max-peers`".
    #[must_use]
    pub fn key(key: impl Into<String>, what: impl Into<String>) -> Self {
        Invalid(vec![Wrong { key: key.into(), what: what.into(), help: None }])
    }

    /// The section as a whole.
    #[must_use]
    pub fn section(what: impl Into<String>) -> Self {
        Invalid::key("", what)
    }

    /// The mend of what was said last.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        if let Some(last) = self.0.last_mut() {
            last.help = Some(help.into());
        }
        self
    }

    /// All of them in one: so that they are told in one run.
    ///
    /// # Errors
    /// There is one at least.
    pub fn all(all: impl IntoIterator<Item = Invalid>) -> Result<(), Self> {
        let all: Vec<_> = all.into_iter().flat_map(|invalid| invalid.0).collect();
        if all.is_empty() { Ok(()) } else { Err(Invalid(all)) }
    }

    /// As they are told, in the order of their places.
    pub(super) fn mistakes(self, section: &str, read: &Outcome) -> Vec<Mistake> {
        let mistake = |Wrong { key, what, help }: Wrong| {
            let name = if key.is_empty() { format!("section `{section}`") } else { format!("key `{section}.{key}`") };
            Mistake::new(place(&key, read), format!("{name} {what}")).of(section).help_if(help)
        };
        let mut all: Vec<_> = self.0.into_iter().map(mistake).collect();
        all.sort_by(|a, b| a.place.cmp(&b.place));
        all
    }
}

/// Where the key is said; else where what is around it is.
fn place(key: &str, read: &Outcome) -> Place {
    let parts: Vec<&str> = key.split('.').filter(|part| !part.is_empty()).collect();
    let same = |path: &[String], parts: &[&str]| {
        path.len() == parts.len() && path.iter().zip(parts).all(|(one, other)| key::same(one, other))
    };
    let spot = (1..=parts.len())
        .rev()
        .find_map(|len| read.notes.origins.iter().find(|(path, _)| same(path, &parts[..len])).map(|(_, spot)| spot));
    spot.map_or_else(|| Source::Default.place(&[], Part::Value), |spot| read.layers.place(spot, Part::Value))
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, Wrong { key, what, .. }) in self.0.iter().enumerate() {
            let between = if at == 0 { "" } else { "; " };
            match key.is_empty() {
                true => write!(f, "{between}{what}")?,
                false => write!(f, "{between}key `{key}` {what}")?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for Invalid {}

/// Reads a section and checks it; its type forgotten.
pub(super) type Check = fn(ToRead<'_>) -> Checked;

/// A section that is to be read.
#[derive(Clone, Copy)]
pub struct ToRead<'a> {
    pub(super) section: Named<'a>,
    pub(super) entries: &'a Entries<'a>,
}

/// What came of it.
pub struct Checked {
    pub(super) outcome: Outcome,
    /// What the check says. It is not asked of what can not be read.
    pub(super) invalid: Option<Invalid>,
}

/// What a section is checked by.
pub type CheckOf<S> = fn(&<S as Section>::__Plain) -> Result<(), Invalid>;

/// Reads a section and checks it, for generated code.
pub fn check_config<S: Section>(ToRead { section, entries }: ToRead<'_>, check: CheckOf<S>) -> Checked {
    let (value, outcome) = extract::<S::__Plain>(section, entries, Depth::All);
    let is_whole = outcome.mistakes.is_empty() && outcome.unanswered.is_empty();
    let checked = value.filter(|_| is_whole).map(|value| foreign::guard(|| check(&value)));
    let invalid = checked.and_then(|checked| match checked {
        Ok(checked) => checked.err(),
        Err(panic) => Some(Invalid::section(format!("can not be checked: its check panicked: {panic}"))),
    });
    Checked { outcome, invalid }
}

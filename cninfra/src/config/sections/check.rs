//! [`Invalid`]: what a section's own check finds wrong with it.

use super::{
    checked::{Checked, ToRead},
    section::Section,
};
use crate::{
    config::{
        find::extract::{Depth, Outcome, extract, extract_without},
        said::{entry::Entries, layers::Dropped, source::Source},
        written::{
            key,
            place::{Part, Place},
            way::Way,
        },
        wrong::{
            failure::shortened,
            mistake::{self, Mistake},
            spot::Spot,
        },
    },
    foreign,
};
use std::fmt;

/// What is wrong with a config section whose keys are each valid: the result of the section's own check.
///
/// A `#[config]` field names the check. It is called after the section was read and all its values have the right
/// types: before anything is created, by `--check-config`, and before new content of a file takes effect (see
/// [`Live`](crate::config::Live)). It is also called if nothing is set in the section, so that it can require keys, but
/// not for a plugin that is switched off. What it finds is reported like any other mistake, with file, line and key,
/// unless it names a key that is already reported as misspelled.
///
/// It is also called with values that are overridden: what files say below variables and flags, and variables below
/// flags. A mistake found there is reported if it names the overridden key, and is found both without everything above
/// the file and without only what overrides this key. (This is not done if the file of an overridden secret cannot be
/// read.) A list is overridden as a whole, with all its items.
///
/// If a value may be a secret, say what is wrong without showing it.
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
pub struct Invalid(Vec<InvalidKey>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct InvalidKey {
    /// The parts are separated by dots; empty for the section as a whole.
    key: String,
    what: String,
    help: Option<String>,
}

impl Invalid {
    /// A mistake in a key of the section. The key may have any spelling, its parts are separated by dots
    /// (`tls.min-version`), and `what` continues the sentence: "is above `max-peers`".
    #[must_use]
    pub fn key(key: impl Into<String>, what: impl Into<String>) -> Self {
        Invalid(vec![InvalidKey { key: key.into(), what: what.into(), help: None }])
    }

    /// A mistake in the section as a whole.
    #[must_use]
    pub fn section(what: impl Into<String>) -> Self {
        Invalid::key("", what)
    }

    /// Adds how to fix it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        if let Some(last) = self.0.last_mut() {
            last.help = Some(help.into());
        }
        self
    }

    /// Combines all of them into one result, so that they are reported in one run.
    ///
    /// # Errors
    /// There is at least one.
    pub fn all(all: impl IntoIterator<Item = Invalid>) -> Result<(), Self> {
        let all: Vec<_> = all.into_iter().flat_map(|invalid| invalid.0).collect();
        if all.is_empty() { Ok(()) } else { Err(Invalid(all)) }
    }

    /// The mistakes to report, sorted by place. It leaves out those that only follow from a misspelled key.
    fn mistakes(self, section: &str, read: &Outcome) -> Vec<Mistake> {
        let mut all: Vec<_> = self.0.into_iter().map(|wrong| wrong.mistake(section, read)).collect();
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        let says = |what: &str, key: &str| what.split(|c| !is_part(c)).any(|word| key::same(word, key));
        let follows = |mistake: &Mistake| read.meant.iter().any(|key| says(&mistake.what, key));
        all.retain(|mistake| !follows(mistake));
        mistake::sort(&mut all);
        all
    }
}

impl InvalidKey {
    fn mistake(self, section: &str, read: &Outcome) -> Mistake {
        let InvalidKey { key, what, help } = self;
        let place = place_of(&parts(&key), read, |parts| spot(parts, read));
        let name = if key.is_empty() { format!("section `{section}`") } else { format!("key `{section}.{key}`") };
        Mistake::new(place, format!("{name} {what}")).in_section(section).help_if(help)
    }
}

/// The place of a key, or of what is around it. `spot` finds the spot of a key by its parts.
pub(super) fn place_of<'a, P>(parts: &[P], read: &'a Outcome, spot: impl Fn(&[P]) -> Option<&'a Spot>) -> Place {
    let spot = (1..=parts.len()).rev().find_map(|len| spot(&parts[..len]));
    spot.map_or_else(|| Source::Default.place(&[], Part::Value), |spot| read.layers.place(spot, Part::Value))
}

fn parts(key: &str) -> Vec<&str> {
    key.split('.').filter(|part| !part.is_empty()).collect()
}

/// The spot of the key itself.
fn spot<'a>(parts: &[&str], read: &'a Outcome) -> Option<&'a Spot> {
    let is =
        |path: &[String]| path.len() == parts.len() && path.iter().zip(parts).all(|(one, other)| key::same(one, other));
    read.notes.origins.iter().find(|(path, _)| is(path)).map(|(_, spot)| spot)
}

/// `{:#}` includes how to fix it.
impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, InvalidKey { key, what, help }) in self.0.iter().enumerate() {
            let between = if at == 0 { "" } else { "; " };
            match key.is_empty() {
                true => write!(f, "{between}{what}")?,
                false => write!(f, "{between}key `{key}` {what}")?,
            }
            if let Some(help) = help.as_ref().filter(|_| f.alternate()) {
                write!(f, ": {help}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Invalid {}

/// The type of a section's check.
pub type CheckOf<S> = fn(&<S as Section>::__Plain) -> Result<(), Invalid>;

/// What the check says about a value, and the outcome of reading that value.
type CheckResult = (Option<Invalid>, Box<Outcome>);

/// Reads a section and checks it. For generated code.
pub fn check_config<S: Section>(ToRead { section, entries }: ToRead<'_>, check: CheckOf<S>) -> Checked {
    let ask = |(value, outcome): (Option<S::__Plain>, Box<Outcome>)| {
        let checked = value.as_ref().filter(|_| !outcome.is_incomplete).map(|value| foreign::guard(|| check(value)));
        foreign::discard(value);
        let panicked =
            |panic| Err(Invalid::section(format!("cannot be checked: its check panicked: {}", shortened(panic))));
        let invalid = checked.and_then(|checked| checked.unwrap_or_else(panicked).err());
        (invalid, outcome)
    };
    let (invalid, outcome) = ask(extract::<S::__Plain>(section, entries, Depth::All));
    let mut all = invalid.map(|invalid| invalid.mistakes(section.name, &outcome)).unwrap_or_default();
    check_overridden(section.name, entries, &outcome, &mut all, &|without| {
        ask(extract_without(section, entries, without))
    });
    Checked { outcome, invalid: all }
}

/// Checks overridden keys: what files say below variables and flags, and what variables say below flags. The check is
/// asked about the value without all these higher layers, and about the value in which only this key is not overridden.
/// A mistake is reported if it is found in both: by the first alone, a key could seem wrong beside a lower one that is
/// overridden as well; by the second alone, beside a higher one that belongs to the value that overrides it.
fn check_overridden(
    section: &str,
    Entries { all: entries, .. }: &Entries<'_>,
    top: &Outcome,
    all: &mut Vec<Mistake>,
    ask: &dyn Fn(Dropped) -> CheckResult,
) {
    let mut ranks: Vec<u8> = entries.iter().map(|entry| entry.source.rank()).collect();
    ranks.dedup();
    // Without the lowest rank, nothing would be left.
    ranks.pop();
    let mut before = top.notes.origins.clone();
    for rank in ranks {
        let without = |way: &Way| -> Dropped {
            let above = (0..entries.len()).filter(|number| entries[*number].source.rank() >= rank);
            above.map(|number| (number, top.layers.what_hides(number, way))).collect()
        };
        let (invalid, below) = ask(without(&Way::new()));
        for wrong in invalid.map(|Invalid(all)| all).unwrap_or_default() {
            let Some(spot) = spot(&parts(&wrong.key), &below) else { continue };
            // Each value is checked once, beside as many of the others as possible.
            if before.get(&spot.path) == Some(spot) {
                continue;
            }
            let alone = ask(without(&spot.way)).0;
            if alone.is_some_and(|Invalid(all)| all.iter().any(|other| other.key == wrong.key)) {
                all.push(wrong.mistake(section, &below));
            }
        }
        before = below.notes.origins;
    }
}

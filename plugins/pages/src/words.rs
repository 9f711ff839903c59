//! Texts for times and names, in JSON and HTML.

use cninfra::{graph::Names, http::escaped};
use std::time::{Duration, SystemTime};

/// The time in RFC 3339, in UTC, with microseconds.
pub(crate) fn moment(time: SystemTime) -> String {
    humantime::format_rfc3339_micros(time).to_string()
}

/// The same for people, to the second.
pub(crate) fn moment_in_words(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string().replace('T', " ").replace('Z', " UTC")
}

/// How long ago that is: `3m 20s`, no finer than seconds.
pub(crate) fn since_in_words(time: SystemTime) -> String {
    let since = SystemTime::now().duration_since(time).unwrap_or_default();
    humantime::format_duration(Duration::from_secs(since.as_secs())).to_string()
}

pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// A duration such as `1.2ms`.
pub(crate) fn took(time: Duration) -> String {
    if time.is_zero() { "0".to_string() } else { format!("{time:.1?}") }
}

/// Both names of a plugin as HTML, for pages about the graph: first that of its type, then that of its instance if it
/// differs.
pub(crate) fn type_first(names: Names) -> String {
    both(names.plugin, names.instance, names.differ())
}

/// Both names as HTML, for pages about config, loggers and status: first that of its instance.
pub(crate) fn instance_first(names: Names) -> String {
    both(names.instance, names.plugin, names.differ())
}

fn both(name: &str, other: &str, differ: bool) -> String {
    let html = format!("<code>{}</code>", escaped(name));
    if differ { format!("{html} <span class=\"dim\">({})</span>", escaped(other)) } else { html }
}

/// The text, or as many of its characters as fit. A longer text keeps both ends, since names often differ there. A
/// character outside ASCII counts as two, since it may be as wide.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    let width = |char: char| if char.is_ascii() { 1 } else { 2 };
    if text.chars().map(width).sum::<usize>() <= most {
        return text.to_string();
    }
    let take = |chars: &mut dyn Iterator<Item = char>, most: usize| {
        let mut used = 0;
        let fits = chars.take_while(|char| {
            used += width(*char);
            used <= most
        });
        fits.collect::<Vec<_>>()
    };
    // The ellipsis between them counts as two.
    let (first, last) = ((most - 2).div_ceil(2), (most - 2) / 2);
    let first = take(&mut text.chars(), first);
    let last = take(&mut text.chars().rev(), last);
    first.into_iter().chain(['…']).chain(last.into_iter().rev()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_keep_both_ends() {
        for (text, short) in [
            ("Store", "Store"),
            ("TwelveLetter", "TwelveLetter"),
            ("ThirteenLette", "Thirt…Lette"),
            ("ReplicatedStore<Backup>", "Repli…ckup>"),
            ("Überlängengröße", "Über…öße"),
            ("機機機機機機機", "機機…機機"),
        ] {
            assert_eq!(shortened(text, 12), short);
        }
    }

    #[test]
    fn times_are_told_with_their_units() {
        let then = SystemTime::UNIX_EPOCH + Duration::from_micros(1_700_000_000_123_456);
        assert_eq!(moment(then), "2023-11-14T22:13:20.123456Z");
        assert_eq!(moment_in_words(then), "2023-11-14 22:13:20 UTC");
        assert_eq!((took(Duration::from_micros(1234)), took(Duration::ZERO)), ("1.2ms".to_string(), "0".to_string()));
        assert_eq!(since_in_words(SystemTime::now() - Duration::from_millis(83_500)), "1m 23s");
    }
}

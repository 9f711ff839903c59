//! Checks what a metric has written, since a scraper refuses the whole answer because of one wrong line.

use std::fmt::Display;

/// A family of metrics.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Family<'a> {
    pub(super) name: &'a str,
    /// The suffixes of its samples' names.
    suffixes: &'static [&'static str],
}

impl<'a> Family<'a> {
    fn new(name: &'a str, kind: &str) -> Self {
        let suffixes: &[_] = match kind {
            "counter" => &["_total"],
            "histogram" => &["_sum", "_count", "_bucket"],
            "info" => &["_info"],
            _ => &[""],
        };
        Family { name, suffixes }
    }

    /// All names that no other family may use.
    pub(super) fn names(self) -> impl Iterator<Item = String> + use<'a> {
        let suffixes = self.suffixes.iter().filter(|suffix| !suffix.is_empty());
        suffixes.chain(&[""]).map(move |suffix| format!("{}{suffix}", self.name))
    }

    fn has(self, sample: &str) -> bool {
        sample.strip_prefix(self.name).is_some_and(|suffix| self.suffixes.contains(&suffix))
    }
}

/// The families of a text in the OpenMetrics format. The error says why scrapers refuse it, as a sentence about the
/// metric without its subject.
pub(super) fn families(text: &str) -> Result<Vec<Family<'_>>, String> {
    let mut families: Vec<Family<'_>> = Vec::new();
    let mut labels = Vec::new();
    for line in text.split_terminator('\n') {
        let Some(comment) = line.strip_prefix("# ") else {
            let sample = checked_sample(line, &mut labels)?;
            if !families.last().is_some_and(|family| family.has(sample)) {
                let sample = shown(sample);
                return Err(format!("has a sample `{sample}`, which is none of its type: tell it as another metric"));
            }
            continue;
        };
        let (what, rest) = comment.split_once(' ').unwrap_or_default();
        let (name, rest) = rest.split_once(' ').unwrap_or_default();
        match what {
            "HELP" if !are_escapes(rest) => return Err("has a help text with a single `\\`: write two".to_string()),
            "HELP" | "UNIT" => {}
            "TYPE" if !is_name(name, true) => {
                return Err(format!("has the name `{}`: write {LETTERS}", shown(name)));
            }
            "TYPE" if families.iter().any(|family| family.name == name) => {
                return Err(format!("tells `{name}` twice: encode one descriptor for all its samples"));
            }
            "TYPE" => families.push(Family::new(name, rest)),
            _ => return Err(malformed()),
        }
    }
    Ok(families)
}

/// What a name consists of, as the end of a sentence that begins with "write".
pub(super) const LETTERS: &str = "it of a to z, 0 to 9 and `_`, a letter first";

/// A name in a message. It may have any characters.
fn shown(name: &str) -> impl Display {
    name.escape_debug()
}

fn malformed() -> String {
    "writes a line that is not a sample: a help text is one line, and a label's name has no quotes".to_string()
}

/// Checks a sample, and returns its name.
fn checked_sample<'a>(line: &'a str, seen: &mut Vec<&'a str>) -> Result<&'a str, String> {
    let (name, rest) = line.split_at(line.find(['{', ' ']).ok_or_else(malformed)?);
    let rest = after_labels(rest, seen)?.strip_prefix(' ').ok_or_else(malformed)?;
    let (value, exemplar) = rest.split_once(" # ").map_or((rest, None), |(value, rest)| (value, Some(rest)));
    check_numbers(value)?;
    if let Some(exemplar) = exemplar {
        check_numbers(after_labels(exemplar, seen)?.trim_start())?;
    }
    Ok(name)
}

fn check_numbers(text: &str) -> Result<(), String> {
    let are = text.split(' ').all(|number| number.parse::<f64>().is_ok());
    if are { Ok(()) } else { Err(malformed()) }
}

/// The text after the labels, if there are any. Their names are put into `seen`.
fn after_labels<'a>(text: &'a str, seen: &mut Vec<&'a str>) -> Result<&'a str, String> {
    seen.clear();
    let Some(mut text) = text.strip_prefix('{') else { return Ok(text) };
    while !text.starts_with('}') {
        let (name, value) = text.split_once("=\"").ok_or_else(malformed)?;
        if !is_name(name, false) || name.starts_with("__") {
            return Err(format!("has the label `{}`: write {LETTERS}", shown(name)));
        }
        if seen.contains(&name) {
            return Err(format!("has the label `{name}` twice: leave out one"));
        }
        seen.push(name);
        let end = end_of_text(value).ok_or_else(malformed)?;
        text = &value[end + 1..];
        match text.strip_prefix(',') {
            Some(next) => text = next,
            None if text.starts_with('}') => {}
            None => return Err(malformed()),
        }
    }
    Ok(&text[1..])
}

/// Where the closing quote is.
fn end_of_text(text: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return Some(at),
            b'\\' if !matches!(bytes.next(), Some((_, b'\\' | b'n' | b'"'))) => return None,
            _ => {}
        }
    }
    None
}

/// Whether each `\` belongs to `\\` or `\n`.
fn are_escapes(text: &str) -> bool {
    let mut bytes = text.bytes();
    while bytes.any(|byte| byte == b'\\') {
        if !matches!(bytes.next(), Some(b'\\' | b'n')) {
            return false;
        }
    }
    true
}

/// Whether it is a valid name. Colons are for the rules of Prometheus.
pub(super) fn is_name(name: &str, may_have_colons: bool) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || (may_have_colons && byte == b':');
    let mut bytes = name.bytes();
    bytes.next().is_some_and(is_letter) && bytes.all(|byte| is_letter(byte) || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_scraper_reads() {
        let text = "# HELP a_seconds A \\\\ b\\n.\n# TYPE a_seconds histogram\n# UNIT a_seconds seconds\na_seconds_sum{x=\"\"} inf\n\
            a_seconds_count{x=\"\"} 2\na_seconds_bucket{x=\"a # {=\\\"}\\\\\",le=\"+Inf\"} 2 # {trace=\"7\"} 1.5 17.25\n\
            # HELP b:c .\n# TYPE b:c gauge\nb:c NaN\nb:c{_y=\"\\n\"} -1e-7\n# TYPE d counter\nd_total{} 1\n# TYPE e info\n";
        let names: Vec<_> = families(text).unwrap().into_iter().map(|family| family.name).collect();
        assert_eq!(names, ["a_seconds", "b:c", "d", "e"]);
        let names: Vec<_> = families(text).unwrap().into_iter().flat_map(Family::names).collect();
        let all =
            ["a_seconds_sum", "a_seconds_count", "a_seconds_bucket", "a_seconds", "b:c", "d_total", "d", "e_info", "e"];
        assert_eq!(names, all);
    }

    #[test]
    fn what_a_scraper_refuses() {
        let label = |label: &str| format!("has the label `{label}`: write {LETTERS}");
        let sample =
            |name: &str| format!("has a sample `{name}`, which is none of its type: tell it as another metric");
        for (lines, why) in [
            ("g{bad-label=\"\"} 1", label("bad-label")),
            ("g{=\"\"} 1", label("")),
            ("g{a=\"\",__name__=\"\"} 1", label("__name__")),
            ("g{a:b=\"\"} 1", label("a:b")),
            ("g{1=\"\"} 1", label("1")),
            ("g 1\ng 1 # {a-b=\"\"} 1", label("a-b")),
            ("g{a=\"\",b=\"\",a=\"\"} 1", "has the label `a` twice: leave out one".to_string()),
            ("g_sum 1", sample("g_sum")),
            ("h 1", sample("h")),
            ("# TYPE g gauge", "tells `g` twice: encode one descriptor for all its samples".to_string()),
            ("# TYPE a-b gauge", format!("has the name `a-b`: write {LETTERS}")),
            ("# HELP a b\\c", "has a help text with a single `\\`: write two".to_string()),
            ("g{a=\"\"b=\"\"} 1", malformed()),
            ("g{a=\"\" 1", malformed()),
            ("g{a=\"\\x\"} 1", malformed()),
            ("g{a=\"\\", malformed()),
            ("g{a", malformed()),
            ("g", malformed()),
            ("g ", malformed()),
            ("g one", malformed()),
            ("g{}1", malformed()),
            ("g 1 # {} x", malformed()),
            ("of two lines.", malformed()),
            ("", malformed()),
            ("#", malformed()),
            ("# EOF", malformed()),
        ] {
            let told = families(&format!("# HELP g A gauge.\n# TYPE g gauge\n{lines}\n")).map(|_| ());
            assert_eq!(told, Err(why), "{lines}");
        }
    }
}

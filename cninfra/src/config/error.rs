//! A section that could not be read, in words.

use crate::Error;
use figment::{Source, error::Kind};
use std::fmt::Write as _;

/// Every mistake, with its key and where it was set.
pub(super) fn describe(error: figment::Error, section: &str) -> Error {
    let mut text = String::new();
    for error in error {
        if !text.is_empty() {
            text.push_str("; ");
        }
        let mut keys = error.path.clone();
        // the section's own name comes with the path, at either end
        if keys.last().is_some_and(|key| key == section) {
            keys.pop();
        } else if keys.first().is_some_and(|key| key == section) {
            keys.remove(0);
        }
        let _ = match &error.kind {
            Kind::UnknownField(key, known) => write!(text, "unknown key `{key}` (known: {})", known.join(", ")),
            kind if keys.is_empty() => write!(text, "{kind}"),
            kind => write!(text, "key `{}`: {kind}", keys.join(".")),
        };
        match error.metadata.as_ref().map(|metadata| (&metadata.source, &metadata.name)) {
            Some((Some(Source::File(path)), _)) => {
                let _ = write!(text, ", in {}", path.display());
            }
            Some((_, name)) => {
                let _ = write!(text, ", {name}");
            }
            None => {}
        }
    }
    Error::msg(text)
}

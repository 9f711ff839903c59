//! [`ByteSize`]: a number of bytes, as people write it.

use super::scalar::Scalar;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, ops::Deref, str::FromStr};

/// The units in lower case, with their sizes in bytes.
const UNITS: [(&str, u64); 9] = [
    ("b", 1),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
];

/// A number of bytes in a config section: `64KiB`, `10MB`, `4096`. It derefs to `u64`.
///
/// ```
/// use cninfra::config::ByteSize;
///
/// assert_eq!(*"64KiB".parse::<ByteSize>()?, 65_536);
/// # Ok::<(), cninfra::config::ByteSizeError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

impl Deref for ByteSize {
    type Target = u64;

    fn deref(&self) -> &u64 {
        &self.0
    }
}

impl From<u64> for ByteSize {
    fn from(bytes: u64) -> Self {
        ByteSize(bytes)
    }
}

impl FromStr for ByteSize {
    type Err = ByteSizeError;

    fn from_str(text: &str) -> Result<Self, ByteSizeError> {
        let error = || ByteSizeError { text: text.to_string() };
        let trimmed = text.trim();
        let digits = trimmed.find(|c: char| !c.is_ascii_digit()).unwrap_or(trimmed.len());
        let (number, unit) = trimmed.split_at(digits);
        let unit = unit.trim().to_ascii_lowercase();
        let one = match &*unit {
            "" => Some(1),
            unit => UNITS.iter().find(|(name, _)| *name == unit).map(|(_, one)| *one),
        };
        let number: u64 = number.parse().map_err(|_| error())?;
        one.and_then(|one| number.checked_mul(one)).map(ByteSize).ok_or_else(error)
    }
}

impl fmt::Display for ByteSize {
    /// In the form in which it is parsed: `64KiB` if it is a multiple of a unit, else `1000B`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (shift, name) in [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")] {
            if self.0 > 0 && self.0.trailing_zeros() >= shift {
                return write!(f, "{}{name}", self.0 >> shift);
            }
        }
        write!(f, "{}B", self.0)
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let what = "a number of bytes such as `4096`, `64KiB` or `10MB`";
        deserializer.deserialize_any(Scalar { what, text: str::parse, number: |bytes| Ok(ByteSize(bytes)) })
    }
}

/// The text is not a valid [`ByteSize`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ByteSizeError {
    text: String,
}

impl fmt::Display for ByteSizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a number of bytes: write `4096`, `64KiB` or `10MB`", self.text)
    }
}

impl std::error::Error for ByteSizeError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_and_written() {
        for (text, bytes, written) in [
            ("0", 0, "0B"),
            ("4096", 4096, "4KiB"),
            ("64KiB", 65_536, "64KiB"),
            ("64 kib", 65_536, "64KiB"),
            ("10MB", 10_000_000, "10000000B"),
            ("1b", 1, "1B"),
            ("3GiB", 3 << 30, "3GiB"),
        ] {
            let size: ByteSize = text.parse().unwrap();
            assert_eq!((*size, size.to_string().as_str()), (bytes, written), "{text}");
            assert_eq!(written.parse::<ByteSize>().unwrap(), size);
        }
        for text in ["", "KiB", "-1", "1.5MB", "1XB", "99999999999TiB"] {
            let error = text.parse::<ByteSize>().unwrap_err().to_string();
            assert_eq!(error, format!("`{text}` is not a number of bytes: write `4096`, `64KiB` or `10MB`"));
        }
    }
}

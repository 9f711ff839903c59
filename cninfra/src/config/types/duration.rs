//! [`Duration`]: a length of time, as people write it.

use super::scalar::Scalar;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, ops::Deref, str::FromStr, time::Duration as Time};

/// The units, the longest first, with their nanoseconds.
const UNITS: [(&str, u128); 6] =
    [("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", SECOND), ("ms", 1_000_000), ("us", 1_000), ("ns", 1)];
const SECOND: u128 = 1_000_000_000;
/// Whole numbers from here on are nanoseconds, as the predecessor wrote them: at least one millisecond.
const SMALLEST: u64 = 1_000_000;

/// A duration in a config section: `5s`, `1m30s`, `100ms`, `1.5h`. It derefs to [`std::time::Duration`].
///
/// The units are `h`, `m`, `s`, `ms`, `us` and `ns`. `0` needs no unit. A whole number without a unit is in
/// nanoseconds, as in the predecessor's files, but is accepted only from one millisecond up: `5` was surely meant to be
/// something else.
///
/// ```
/// use cninfra::config::Duration;
/// use std::time::Duration as Time;
///
/// let timeout: Duration = "1m30s".parse()?;
/// assert_eq!((*timeout, timeout.to_string().as_str()), (Time::from_secs(90), "1m30s"));
/// # Ok::<(), cninfra::config::DurationError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(pub Time);

impl Duration {
    /// This many seconds.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Duration(Time::from_secs(seconds))
    }

    /// This many milliseconds.
    #[must_use]
    pub const fn from_millis(milliseconds: u64) -> Self {
        Duration(Time::from_millis(milliseconds))
    }
}

impl Deref for Duration {
    type Target = Time;

    fn deref(&self) -> &Time {
        &self.0
    }
}

impl From<Time> for Duration {
    fn from(time: Time) -> Self {
        Duration(time)
    }
}

impl From<Duration> for Time {
    fn from(duration: Duration) -> Self {
        duration.0
    }
}

impl FromStr for Duration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let wrong = |wrong| DurationError { text: text.to_string(), wrong };
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(wrong(Wrong::Form));
        }
        if let Ok(number) = rest.parse::<u64>() {
            return Self::from_number(number);
        }
        let mut nanos: u128 = 0;
        let mut last = u128::MAX;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            let (number, unit) = rest.split_at(digits);
            let letters = unit.find(|c: char| c.is_ascii_digit()).unwrap_or(unit.len());
            let (unit, after) = unit.split_at(letters);
            // Unicode has two characters for "micro".
            let unit = unit.trim().replace(['µ', 'μ'], "u");
            let (_, one) = UNITS.iter().find(|(name, _)| *name == unit).ok_or(wrong(Wrong::Form))?;
            if *one >= last {
                return Err(wrong(Wrong::Form));
            }
            last = *one;
            nanos += part(number, *one).ok_or(wrong(Wrong::Form))?;
            rest = after.trim_start();
        }
        let seconds = u64::try_from(nanos / SECOND).map_err(|_| wrong(Wrong::TooLong))?;
        let below = u32::try_from(nanos % SECOND).map_err(|_| wrong(Wrong::TooLong))?;
        Ok(Duration(Time::new(seconds, below)))
    }
}

/// The nanoseconds of `number` units; `None` if `number` is not a decimal number.
fn part(number: &str, unit: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || whole.len() > 20 || fraction.is_empty() || fraction.len() > 9 || fraction.contains('.') {
        return None;
    }
    let whole: u128 = whole.parse().ok()?;
    let ten = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let fraction: u128 = fraction.parse().ok()?;
    Some(whole * unit + fraction * unit / ten)
}

impl Duration {
    /// The duration of a number without a unit: nanoseconds, at least `SMALLEST`, or 0.
    fn from_number(number: u64) -> Result<Self, DurationError> {
        let wrong = || DurationError { text: number.to_string(), wrong: Wrong::NoUnit };
        (number == 0 || number >= SMALLEST).then(|| Duration(Time::from_nanos(number))).ok_or_else(wrong)
    }
}

impl fmt::Display for Duration {
    /// In the form in which it is parsed: `1m30s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.as_nanos();
        if rest == 0 {
            return f.write_str("0s");
        }
        for (name, one) in UNITS {
            if rest >= one {
                write!(f, "{}{name}", rest / one)?;
                rest %= one;
            }
        }
        Ok(())
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let what = "a length of time such as `5s`, `1m30s` or `100ms`";
        deserializer.deserialize_any(Scalar { what, text: str::parse, number: Duration::from_number })
    }
}

/// The text is not a valid [`Duration`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DurationError {
    text: String,
    wrong: Wrong,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wrong {
    Form,
    NoUnit,
    TooLong,
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &self.text;
        match self.wrong {
            Wrong::Form => write!(f, "`{text}` is not a length of time: write `5s`, `1m30s` or `100ms`"),
            Wrong::NoUnit => {
                write!(f, "`{text}` has no unit: write `{text}s` for seconds, `{text}ms` for milliseconds")
            }
            Wrong::TooLong => write!(f, "`{text}` is longer than can be counted"),
        }
    }
}

impl std::error::Error for DurationError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_and_written_alike() {
        for (text, millis) in [
            ("5s", 5000),
            ("1m30s", 90_000),
            ("100ms", 100),
            ("1h1s", 3_601_000),
            ("0s", 0),
            ("2h", 7_200_000),
            ("5124095576030431h15s999ms", 18_446_744_073_709_551_615_999),
        ] {
            let duration: Duration = text.parse().unwrap();
            assert_eq!((duration.as_millis(), duration.to_string().as_str()), (millis, text));
        }
        for (text, nanos) in [
            ("1.5s", 1_500_000_000),
            ("0", 0),
            ("1000000", 1_000_000),
            ("5000000000", 5_000_000_000),
            ("1m 30s", 90_000_000_000),
            ("7 ms", 7_000_000),
            ("3µs", 3_000),
            ("9ns", 9),
        ] {
            assert_eq!(text.parse::<Duration>().unwrap().as_nanos(), nanos, "{text}");
        }
    }

    #[test]
    fn what_is_none_is_told_with_the_mend() {
        for (text, part) in [
            ("", "is not a length of time"),
            ("5", "has no unit: write `5s`"),
            ("999999", "has no unit"),
            ("5 seconds", "write `5s`, `1m30s` or `100ms`"),
            ("s", "is not a length of time"),
            ("-5s", "is not a length of time"),
            ("5s5s", "is not a length of time"),
            ("5s1m", "is not a length of time"),
            ("1..5s", "is not a length of time"),
            ("1.s", "is not a length of time"),
            ("5sm", "is not a length of time"),
            ("99999999999999999999h", "is longer than can be counted"),
            ("18446744073709551616", "is not a length of time"),
        ] {
            let error = text.parse::<Duration>().unwrap_err().to_string();
            assert!(error.contains(part) && error.contains(&format!("`{text}`")), "{text}: {error}");
        }
    }
}

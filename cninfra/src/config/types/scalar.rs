//! [`Scalar`]: a visitor for types whose values are written as a text or as a whole number.

use serde::de::{Error, Visitor};
use std::fmt;

/// Reads a `T` from a text or from a whole number.
pub(super) struct Scalar<T, E> {
    /// What the type expects, for serde's error message.
    pub(super) what: &'static str,
    pub(super) text: fn(&str) -> Result<T, E>,
    pub(super) number: fn(u64) -> Result<T, E>,
}

impl<T, E: fmt::Display> Visitor<'_> for Scalar<T, E> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }

    fn visit_str<F: Error>(self, text: &str) -> Result<T, F> {
        (self.text)(text).map_err(F::custom)
    }

    fn visit_u64<F: Error>(self, number: u64) -> Result<T, F> {
        (self.number)(number).map_err(F::custom)
    }
}

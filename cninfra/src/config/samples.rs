//! Types for tests that report mistakes in words of their own.

use serde::{Deserialize, Serialize};

/// Two values, of which the second is the larger one.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "LowHigh<T>", bound(deserialize = "T: Deserialize<'de> + PartialOrd"))]
pub(super) struct Span<T = u8> {
    low: T,
    high: T,
}

#[derive(Deserialize)]
struct LowHigh<T> {
    low: T,
    high: T,
}

impl<T: PartialOrd> TryFrom<LowHigh<T>> for Span<T> {
    type Error = &'static str;
    fn try_from(LowHigh { low, high }: LowHigh<T>) -> Result<Self, Self::Error> {
        if low < high { Ok(Span { low, high }) } else { Err("it ends before it begins") }
    }
}

/// The same as a list of two numbers, with other words.
#[derive(Debug, Serialize, Deserialize)]
#[serde(try_from = "(u8, u8)")]
pub(super) struct Ends(u8, u8);

impl TryFrom<(u8, u8)> for Ends {
    type Error = &'static str;
    fn try_from((low, high): (u8, u8)) -> Result<Self, Self::Error> {
        if low < high { Ok(Ends(low, high)) } else { Err("they end before they begin") }
    }
}

/// A text that no trial reading would guess: `even`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Even(String);

impl TryFrom<String> for Even {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text == "even" { Ok(Even(text)) } else { Err(format!("`{text}` is odd")) }
    }
}

/// A text of a certain form, about which its error says nothing: `lower`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Lower(String);

impl TryFrom<String> for Lower {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, &'static str> {
        if text == "lower" { Ok(Lower(text)) } else { Err("a word is not as it should be") }
    }
}

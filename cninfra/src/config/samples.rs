//! Types that say in words of their own what is wrong, for tests.

use serde::{Deserialize, Serialize};

/// Of two numbers, the second is the larger one.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Ends")]
pub(super) struct Span {
    low: u8,
    high: u8,
}

#[derive(Deserialize)]
struct Ends {
    low: u8,
    high: u8,
}

impl TryFrom<Ends> for Span {
    type Error = &'static str;
    fn try_from(Ends { low, high }: Ends) -> Result<Self, Self::Error> {
        if low < high { Ok(Span { low, high }) } else { Err("it ends before it begins") }
    }
}

/// A text that nobody would try: `even`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Even(String);

impl TryFrom<String> for Even {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text == "even" { Ok(Even(text)) } else { Err(format!("`{text}` is odd")) }
    }
}

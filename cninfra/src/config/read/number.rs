//! Numbers of all sizes. The deserializer reads them all in one way, and serde checks whether one fits its type.

use figment::value::Num;

/// The methods of a [`Deserializer`](serde::Deserializer) for number types: each calls its own method `number`.
macro_rules! methods {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failed> {
            self.number(visitor)
        })*
    };
}

pub(super) use methods;

/// A number as the integer that it is, or else (`No`) as a float.
pub(super) enum Whole {
    Unsigned(u64),
    Signed(i64),
    No(f64),
}

pub(super) fn whole(number: Num) -> Whole {
    if let Some(number) = number.to_u128().and_then(|number| u64::try_from(number).ok()) {
        return Whole::Unsigned(number);
    }
    match number.to_i128().map(|number| (u64::try_from(number), i64::try_from(number))) {
        Some((Ok(number), _)) => Whole::Unsigned(number),
        Some((_, Ok(number))) => Whole::Signed(number),
        // More than any integer type that is read here can hold.
        Some((_, Err(_))) => Whole::No(f64::INFINITY),
        None => Whole::No(number.to_f64().unwrap_or(f64::INFINITY)),
    }
}

/// What a type expects instead of a number that is too large for an `f32`.
pub(in crate::config) const WANTED: &str = "a number up to 3.4e38";

/// Is the number too large for an `f32`?
pub(super) fn is_beyond(number: f64) -> bool {
    number.is_finite() && (number as f32).is_infinite()
}

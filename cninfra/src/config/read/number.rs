//! Numbers of all sizes. The deserializer reads them all in one way, and serde checks whether one fits its type.

use figment::value::Num;

/// The methods of a [`Deserializer`](serde::Deserializer) for number types: each calls its own method `visit_number`.
macro_rules! methods {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failed> {
            self.visit_number(visitor)
        })*
    };
}

pub(super) use methods;

/// A number as the integer that it is, or else (`Float`) as a float.
pub(super) enum IntegerOrFloat {
    Unsigned(u64),
    Signed(i64),
    Float(f64),
}

pub(super) fn integer_or_float(number: Num) -> IntegerOrFloat {
    // A number that no integer type read here can hold is a float, as in YAML and TOML.
    match (number.to_u128(), number.to_i128()) {
        (Some(number), _) => {
            u64::try_from(number).map_or(IntegerOrFloat::Float(number as f64), IntegerOrFloat::Unsigned)
        }
        (None, Some(number)) => match (u64::try_from(number), i64::try_from(number)) {
            (Ok(number), _) => IntegerOrFloat::Unsigned(number),
            (_, Ok(number)) => IntegerOrFloat::Signed(number),
            _ => IntegerOrFloat::Float(number as f64),
        },
        (None, None) => IntegerOrFloat::Float(number.to_f64().unwrap_or(f64::NAN)),
    }
}

/// What a type expects instead of a number that is too large for an `f32`.
pub(in crate::config) const WANTED: &str = "a number up to 3.4e38";

/// Is the number too large for an `f32`?
pub(super) fn is_beyond(number: f64) -> bool {
    number.is_finite() && (number as f32).is_infinite()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_integer_holds_is_a_float_of_its_size_and_sign() {
        let shown = |number: Num| match integer_or_float(number) {
            IntegerOrFloat::Unsigned(number) => format!("u {number}"),
            IntegerOrFloat::Signed(number) => format!("i {number}"),
            IntegerOrFloat::Float(number) => format!("f {number:e}"),
        };
        let numbers = [Num::U8(7), Num::I8(7), Num::I8(-7), Num::U128(1 << 64), Num::I128(-(1 << 64)), Num::F32(0.5)];
        let expected = ["u 7", "u 7", "i -7", "f 1.8446744073709552e19", "f -1.8446744073709552e19", "f 5e-1"];
        assert_eq!(numbers.map(shown), expected);
    }
}

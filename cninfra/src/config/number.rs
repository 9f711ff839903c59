//! Numbers of all sizes, which a deserializer reads in one way: the type that wants one looks whether it fits.

/// The methods of a [`Deserializer`](serde::Deserializer) for types of numbers: all are its own `number`.
macro_rules! methods {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
            self.number(visitor)
        })*
    };
}

pub(super) use methods;

//! [`Protobuf`]: the codec for the binary form.

use cninfra::keyval::{Codec, CodecError};
use prost::Message;

/// Messages in the binary form of protobuf.
///
/// ```
/// use cninfra::keyval::Codec;
/// use cninfra_proto::Protobuf;
///
/// let mut bytes = Vec::new();
/// Protobuf.encode(&String::from("x"), &mut bytes)?;
/// let read: String = Protobuf.decode(&bytes)?;
/// assert_eq!(read, "x");
/// # Ok::<(), cninfra::keyval::CodecError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Protobuf;

impl<T: Message + Default> Codec<T> for Protobuf {
    fn encode(&self, value: &T, to: &mut Vec<u8>) -> Result<(), CodecError> {
        value.encode(to).map_err(Into::into)
    }

    fn decode(&self, from: &[u8]) -> Result<T, CodecError> {
        T::decode(from).map_err(Into::into)
    }
}

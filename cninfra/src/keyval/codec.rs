//! [`Codec`]: how values are encoded as bytes.

use serde::{Serialize, de::DeserializeOwned};
use std::error::Error as StdError;

/// The codec's own error: why a value could not be encoded or decoded.
pub type CodecError = Box<dyn StdError + Send + Sync>;

/// Encodes values of a type as bytes, and decodes them.
pub trait Codec<T>: Send + Sync + 'static {
    /// Appends the encoded value to the buffer.
    ///
    /// # Errors
    /// The value cannot be encoded in this format.
    fn encode(&self, value: &T, to: &mut Vec<u8>) -> Result<(), CodecError>;

    /// Decodes a value.
    ///
    /// # Errors
    /// The bytes are not a valid value.
    fn decode(&self, from: &[u8]) -> Result<T, CodecError>;
}

/// Values in JSON, through serde.
///
/// ```
/// use cninfra::keyval::{Codec, SerdeJson};
///
/// let mut bytes = Vec::new();
/// SerdeJson.encode(&vec![1, 2], &mut bytes)?;
/// assert_eq!(bytes, b"[1,2]");
/// let read: Vec<u8> = SerdeJson.decode(&bytes)?;
/// assert_eq!(read, [1, 2]);
/// # Ok::<(), cninfra::keyval::CodecError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SerdeJson;

impl<T: Serialize + DeserializeOwned> Codec<T> for SerdeJson {
    fn encode(&self, value: &T, to: &mut Vec<u8>) -> Result<(), CodecError> {
        serde_json::to_writer(to, value).map_err(Into::into)
    }

    fn decode(&self, from: &[u8]) -> Result<T, CodecError> {
        serde_json::from_slice(from).map_err(Into::into)
    }
}

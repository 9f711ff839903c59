//! [`Codec`]: how values become bytes.

use serde::{Serialize, de::DeserializeOwned};
use std::error::Error as StdError;

/// Why a value could not be read or written: the codec's own error.
pub type CodecError = Box<dyn StdError + Send + Sync>;

/// How values of a type become bytes, and are read of them.
pub trait Codec<T>: Send + Sync + 'static {
    /// Writes a value behind what is in the buffer.
    ///
    /// # Errors
    /// It can not be written in this form.
    fn encode(&self, value: &T, to: &mut Vec<u8>) -> Result<(), CodecError>;

    /// Reads a value.
    ///
    /// # Errors
    /// It is none.
    fn decode(&self, from: &[u8]) -> Result<T, CodecError>;
}

/// Values as serde has them, in JSON.
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

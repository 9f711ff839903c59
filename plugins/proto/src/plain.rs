//! [`PlainJson`]: the JSON that Go's encoding/json makes of golang/protobuf's structs.

mod error;
mod names;
mod read;
mod text;
mod write;

pub use error::FieldError;

use cninfra::keyval::{Codec, CodecError};
use prost_reflect::{DynamicMessage, ReflectMessage};

/// Messages in the plain JSON of cn-infra v1: with the field names of the `.proto`, in its order; zero values left out;
/// enums and 64-bit integers as numbers; bytes in base64; well-known types as the structs that they are.
///
/// It reads what v1 and v2 wrote: integers as numbers or strings, enums as numbers or names, names in any case,
/// well-known types also as strings, and `Struct`, `Value` and `Any` in both forms. Fields that a message does not have
/// are ignored.
///
/// What v1 lost is lost here, too: extensions, and whether an empty optional `bytes` is set.
///
/// NaN, infinite numbers, and maps with keys of type `bool` cannot be written: the error ([`FieldError`]) names the
/// field. Messages may be nested at most 100 deep.
///
/// ```
/// use cninfra::keyval::Codec;
/// use cninfra_proto::{PlainJson, ProtoJson};
///
/// let bytes = br#"{"seconds":1500000000,"nanos":5}"#;
/// let time: prost_types::Timestamp = PlainJson.decode(bytes)?;
/// let mut again = Vec::new();
/// PlainJson.encode(&time, &mut again)?;
/// assert_eq!(again, bytes);
/// # Ok::<(), cninfra::keyval::CodecError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct PlainJson;

impl<T: ReflectMessage + Default> Codec<T> for PlainJson {
    fn encode(&self, value: &T, to: &mut Vec<u8>) -> Result<(), CodecError> {
        let mut message = DynamicMessage::new(value.descriptor());
        message.transcode_from(value)?;
        let begun = to.len();
        write::message(&message, to).map_err(|error| {
            to.truncate(begun);
            error.into()
        })
    }

    fn decode(&self, from: &[u8]) -> Result<T, CodecError> {
        let message = read::value(&T::default().descriptor(), from)?;
        Ok(message.transcode_to()?)
    }
}

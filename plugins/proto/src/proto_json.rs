//! [`ProtoJson`]: protobuf's own JSON.

mod sorted;

use cninfra::keyval::{Codec, CodecError};
use prost_reflect::{DeserializeOptions, DynamicMessage, ReflectMessage, SerializeOptions};

/// Messages in protobuf's own JSON, with the field names of the `.proto`: enums are names, 64-bit integers strings.
///
/// The values are equivalent to those of cn-infra v2, but spaces differ, as they did between v2's own builds. The
/// entries of a map are sorted (except those within an `Any`), so that the same message has the same bytes. Fields that
/// a message does not have are ignored when reading.
///
/// ```
/// use cninfra::keyval::Codec;
/// use cninfra_proto::ProtoJson;
///
/// let mut bytes = Vec::new();
/// ProtoJson.encode(&7_i64, &mut bytes)?;
/// assert_eq!(bytes, br#""7""#);
/// # Ok::<(), cninfra::keyval::CodecError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ProtoJson;

impl<T: ReflectMessage + Default> Codec<T> for ProtoJson {
    fn encode(&self, value: &T, to: &mut Vec<u8>) -> Result<(), CodecError> {
        let mut message = DynamicMessage::new(value.descriptor());
        message.transcode_from(value)?;
        let options = SerializeOptions::new().use_proto_field_name(true);
        let mut json = Vec::new();
        message.serialize_with_options(&mut serde_json::Serializer::new(&mut json), &options)?;
        match sorted::is_needed(&message) {
            true => sorted::message(&message.descriptor(), serde_json::from_slice(&json)?, to)?,
            false => to.append(&mut json),
        }
        Ok(())
    }

    fn decode(&self, from: &[u8]) -> Result<T, CodecError> {
        let options = DeserializeOptions::new().deny_unknown_fields(false);
        let mut json = serde_json::Deserializer::from_slice(from);
        let message = DynamicMessage::deserialize_with_options(T::default().descriptor(), &mut json, &options)?;
        json.end()?;
        Ok(message.transcode_to()?)
    }
}

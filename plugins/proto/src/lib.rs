//! Codecs for protobuf messages, for the typed views of a store ([`Kv::typed`](cninfra::keyval::Kv::typed)).
//!
//! - [`PlainJson`]: what agents of cn-infra v1 wrote, byte for byte. It also reads what v2 wrote. In a mix of old and
//!   new agents, use this one.
//! - [`ProtoJson`]: protobuf's own JSON, with the names of the `.proto`, as v2 wrote it.
//! - [`Protobuf`]: the binary form, as the predecessor's libraries wrote it.
//!
//! The two JSON codecs need the descriptors of the messages. A build script provides them, without `protoc`; it needs
//! `protox`, `prost-build` and `prost-reflect`:
//!
//! ```no_run
//! // build.rs
//! use prost::Message as _;
//! use std::{env, error::Error, fs, path::PathBuf};
//!
//! fn main() -> Result<(), Box<dyn Error>> {
//!     let files = protox::compile(["contact.proto"], ["."])?;
//!     let path = PathBuf::from(env::var("OUT_DIR")?).join("descriptors.bin");
//!     fs::write(&path, files.encode_to_vec())?;
//!     let pool = prost_reflect::DescriptorPool::from_file_descriptor_set(files.clone())?;
//!     let mut config = prost_build::Config::new();
//!     for message in pool.all_messages() {
//!         let name = message.full_name();
//!         config
//!             .type_attribute(name, "#[derive(::prost_reflect::ReflectMessage)]")
//!             .type_attribute(name, format!(r#"#[prost_reflect(message_name = "{name}")]"#))
//!             .type_attribute(name, r#"#[prost_reflect(file_descriptor_set_bytes = "crate::DESCRIPTORS")]"#);
//!     }
//!     config.compile_fds(files)?;
//!     Ok(())
//! }
//! ```
//!
//! In the crate, put beside `include!(concat!(env!("OUT_DIR"), "/contact.rs"))`:
//! `const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));`. Then
//! `kv.typed::<Contact, _>(PlainJson)` is a view.

mod binary;
mod object;
mod plain;
mod proto_json;

pub use binary::Protobuf;
pub use plain::{FieldError, PlainJson};
pub use proto_json::ProtoJson;

//! The values that cn-infra itself wrote.

use cninfra::keyval::Codec;
use cninfra_proto::{PlainJson, ProtoJson, Protobuf};
use fixture_messages::interop::Contact;

fn written(codec: &impl Codec<Contact>, contact: &Contact) -> Vec<u8> {
    let mut bytes = Vec::new();
    codec.encode(contact, &mut bytes).unwrap();
    bytes
}

#[test]
fn values_of_both_versions_are_one() {
    let pairs: [(&[u8], &[u8]); 3] = [
        (include_bytes!("../vectors/etcd/v1.7.0-s.bin"), include_bytes!("../vectors/etcd/v2.5.0-s.bin")),
        (include_bytes!("../vectors/etcd/v1.7.0-p1.bin"), include_bytes!("../vectors/etcd/v2.5.0-p1.bin")),
        (include_bytes!("../vectors/etcd/v1.7.0-s-zero.bin"), include_bytes!("../vectors/etcd/v2.5.0-s-zero.bin")),
    ];
    for (v1, v2) in pairs {
        let contact: Contact = PlainJson.decode(v1).unwrap();
        assert_eq!(written(&PlainJson, &contact), v1);
        assert_eq!(contact, PlainJson.decode(v2).unwrap());
        assert_eq!(contact, ProtoJson.decode(v2).unwrap());
        // v2's own builds differ in spaces.
        let ours: serde_json::Value = serde_json::from_slice(&written(&ProtoJson, &contact)).unwrap();
        assert_eq!(ours, serde_json::from_slice::<serde_json::Value>(v2).unwrap());
    }
}

#[test]
fn the_binary_form_is_protobufs() {
    let bytes = include_bytes!("../vectors/etcd/v1.7.0-b.bin");
    let contact: Contact = Protobuf.decode(bytes).unwrap();
    let of_json: Contact = PlainJson.decode(include_bytes!("../vectors/etcd/v1.7.0-s.bin")).unwrap();
    assert_eq!(contact, of_json);
    // The order of a map's entries is nobody's.
    assert_eq!(written(&Protobuf, &contact).len(), bytes.len());
    assert_eq!(contact, Protobuf.decode(&written(&Protobuf, &contact)).unwrap());
}

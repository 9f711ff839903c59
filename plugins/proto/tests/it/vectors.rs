//! Tests with the output of Go's encoding/json for golang/protobuf's structs.

use cninfra::keyval::Codec;
use cninfra_proto::{PlainJson, ProtoJson};
use data_encoding::BASE64;
use fixture_messages::{kinds, old};
use prost_reflect::ReflectMessage;

const VECTORS: &str = include_str!("../vectors/go.txt");

fn check<T: ReflectMessage + PartialEq + std::fmt::Debug + Default>(name: &str, wire: &[u8], json: &str) {
    let message = T::decode(wire).unwrap();
    let mut written = Vec::new();
    let result = PlainJson.encode(&message, &mut written);
    if json == "error" {
        let error = result.unwrap_err().to_string();
        assert!(error.contains("field `") && written.is_empty(), "{name}: {error}");
        return;
    }
    result.unwrap();
    assert_eq!(String::from_utf8(written).unwrap(), json, "{name}");
    let read: T = PlainJson.decode(json.as_bytes()).unwrap();
    assert_eq!(read, message, "{name}");
    let mut again = Vec::new();
    PlainJson.encode(&read, &mut again).unwrap();
    assert_eq!(String::from_utf8(again).unwrap(), json, "{name}");
    // The same message in v2's form.
    let mut v2 = Vec::new();
    ProtoJson.encode(&message, &mut v2).unwrap();
    let read: T = PlainJson.decode(&v2).unwrap();
    let mut again = Vec::new();
    PlainJson.encode(&read, &mut again).unwrap();
    assert_eq!(String::from_utf8(again).unwrap(), json, "{name} by way of v2's form");
}

#[test]
fn plain_json_is_gos() {
    let mut lines = VECTORS.lines();
    let mut count = 0;
    while let (Some(head), Some(json)) = (lines.next(), lines.next()) {
        let mut head = head.split(' ');
        let (name, kind) = (head.next().unwrap(), head.next().unwrap());
        let wire = BASE64.decode(head.next().unwrap().as_bytes()).unwrap();
        match kind {
            "*kinds.All" => check::<kinds::All>(name, &wire, json),
            "*kinds.Choice" => check::<kinds::Choice>(name, &wire, json),
            "*old.Old" => check::<old::Old>(name, &wire, json),
            other => panic!("{other}"),
        }
        count += 1;
    }
    assert!(count >= 25, "{count}");
}

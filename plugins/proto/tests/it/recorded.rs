//! Tests with values that cn-infra itself wrote.

use cninfra::keyval::Codec;
use cninfra_proto::{PlainJson, ProtoJson, Protobuf};
use fixture_messages::{interop::Contact, kinds::All};

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
        // The builds of v2 differ in spaces.
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
    // The order of a map's entries is not defined.
    assert_eq!(written(&Protobuf, &contact).len(), bytes.len());
    assert_eq!(contact, Protobuf.decode(&written(&Protobuf, &contact)).unwrap());
}

#[test]
fn what_may_be_any_json_is_read_in_both_forms() {
    fn one<T: prost_reflect::ReflectMessage + Default + PartialEq + std::fmt::Debug>(v1: &str, v2: &str) {
        let (of_v1, of_v2): (T, T) =
            (PlainJson.decode(v1.as_bytes()).unwrap(), PlainJson.decode(v2.as_bytes()).unwrap());
        assert_eq!(of_v1, of_v2, "{v2}");
        assert_ne!(of_v1, T::default(), "{v2}");
        let mut again = Vec::new();
        PlainJson.encode(&of_v2, &mut again).unwrap();
        assert_eq!(String::from_utf8(again).unwrap(), v1);
    }
    let inner = r#"{"Kind":{"NumberValue":1}}"#;
    one::<prost_types::Value>(inner, "1");
    one::<prost_types::Value>(r#"{"Kind":{"StructValue":{}}}"#, "{}");
    one::<prost_types::Value>(&format!(r#"{{"Kind":{{"ListValue":{{"values":[{inner}]}}}}}}"#), "[1]");
    one::<prost_types::Struct>(&format!(r#"{{"fields":{{"fields":{inner}}}}}"#), r#"{"fields":1}"#);
    let nested = format!(r#"{{"Kind":{{"StructValue":{{"fields":{{"Kind":{inner}}}}}}}}}"#);
    one::<prost_types::Struct>(&format!(r#"{{"fields":{{"fields":{nested}}}}}"#), r#"{"fields":{"Kind":1}}"#);
    one::<prost_types::Any>(
        r#"{"type_url":"type.googleapis.com/google.protobuf.Duration","value":"CAE="}"#,
        r#"{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1s"}"#,
    );
}

#[test]
fn the_same_message_is_the_same_bytes() {
    let numbers = [10, 2, -1, 7, 100, 3, 55];
    let of = |inner: bool| All {
        int32_value: 7,
        nested: inner.then(|| Box::new(All { texts: vec!["\"<é\u{7}".into()], ..All::default() })),
        others: vec![All { by_number: numbers.iter().map(|n| (*n, n.to_string())).collect(), ..All::default() }],
        labels: numbers.iter().map(|n| (format!("k{n}"), "v".into())).collect(),
        by_name: [(
            "a".into(),
            All { by_size: numbers.iter().map(|n| (n.unsigned_abs().into(), *n)).collect(), ..All::default() },
        )]
        .into(),
        ..All::default()
    };
    let written = |all: &All| {
        let mut bytes = b"kept".to_vec();
        ProtoJson.encode(all, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    };
    // Each message has its maps in another order.
    let bytes = written(&of(true));
    assert!((0..20).all(|_| written(&of(true)) == bytes));
    assert_eq!(
        written(&of(false)),
        concat!(
            r#"kept{"int32_value":7,"others":[{"by_number":{"-1":"-1","2":"2","3":"3","7":"7","10":"10","55":"55","100":"100"}}],"#,
            r#""labels":{"k-1":"v","k10":"v","k100":"v","k2":"v","k3":"v","k55":"v","k7":"v"},"#,
            r#""by_name":{"a":{"by_size":{"1":-1,"2":"WORK","3":3,"7":7,"10":10,"55":55,"100":100}}}}"#
        )
    );
    let read: All = ProtoJson.decode(&bytes.as_bytes()[4..]).unwrap();
    assert_eq!(read, of(true));
    let json = r#"{"a":{"x":1.0,"y":[null,{"b":true,"c":"d"}]},"b":2.0,"c":3.0,"d":4.0}"#;
    let any: prost_types::Struct = ProtoJson.decode(json.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    ProtoJson.encode(&any, &mut bytes).unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), json);
}

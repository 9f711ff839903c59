//! Tests that errors name the field that cannot be read or written.

use cninfra::keyval::Codec;
use cninfra_proto::PlainJson;
use fixture_messages::kinds::{All, Choice};

fn error(json: &str) -> String {
    let read: Result<All, _> = PlainJson.decode(json.as_bytes());
    read.unwrap_err().to_string()
}

#[test]
fn errors_name_the_field() {
    let cases = [
        (
            r#"{"others":[{},{"int32_value":"x"}]}"#,
            "field `others[1].int32_value`: expected a value of int32, found `x`",
        ),
        (r#"{"by_name":{"a":{"bytes_value":"*"}}}"#, "field `by_name[\"a\"].bytes_value`: no base64"),
        (r#"{"kind":"NOBODY"}"#, "field `kind`: `NOBODY` is no value of the enum kinds.Kind"),
        (r#"{"int32_value":2147483648}"#, "field `int32_value`"),
        (r#"{"float_value":1e39}"#, "field `float_value`: 1e39 is too large for float"),
        (r#"{"nested":[]}"#, "field `nested`: expected an object, found `[]`"),
        (r#"{"string_value":5}"#, "field `string_value`: expected a string, found `5`"),
        (r#"{"bool_value":"true"}"#, "field `bool_value`: expected true or false"),
        ("", "EOF"),
        ("{} x", "trailing"),
    ];
    for (json, told) in cases {
        assert!(error(json).contains(told), "{json}: {}", error(json));
    }
    let deep = format!("{}{{}}{}", r#"{"nested":"#.repeat(5000), "}".repeat(5000));
    assert!(error(&deep).ends_with("messages are more than 100 deep"), "{}", error(&deep));
}

#[test]
fn what_go_takes_is_taken() {
    let all: All = PlainJson
        .decode(br#" {"INT32_value":1,"nobody":[{}],"string_value":null,"others":[null],"int64Value":"5"} "#)
        .unwrap();
    assert_eq!((all.int32_value, all.int64_value, all.others.len()), (1, 5, 1));
    assert_eq!(PlainJson.decode(b"null").ok(), Some(All::default()));
    let choice: Choice = PlainJson.decode(br#"{"first_name":"x"}"#).unwrap();
    assert_eq!(choice, PlainJson.decode(br#"{"PayLoad":{"FirstName":"x"}}"#).unwrap());
}

#[test]
fn a_number_that_is_none_names_its_field() {
    let all = All { others: vec![All { floats: vec![1.0, f32::NAN], ..All::default() }], ..All::default() };
    let mut bytes = b"kept".to_vec();
    let error = PlainJson.encode(&all, &mut bytes).unwrap_err().to_string();
    assert!(error.starts_with("field `others[0].floats[1]`: NaN has no form"), "{error}");
    assert_eq!(bytes, b"kept");
}

//! Tests with random messages and random bytes.

use cninfra::keyval::Codec;
use cninfra_proto::{PlainJson, ProtoJson, Protobuf};
use fastrand::Rng;
use fixture_messages::kinds::{All, Choice, choice::PayLoad};

fn text(rng: &mut Rng) -> String {
    (0..rng.usize(..6)).map(|_| rng.char(..)).collect()
}

fn double(rng: &mut Rng) -> f64 {
    loop {
        let number = f64::from_bits(rng.u64(..));
        if number.is_finite() && number != 0.0 {
            return number;
        }
    }
}

fn float(rng: &mut Rng) -> f32 {
    loop {
        let number = f32::from_bits(rng.u32(..));
        if number.is_finite() && number != 0.0 {
            return number;
        }
    }
}

fn bytes(rng: &mut Rng) -> Vec<u8> {
    (0..rng.usize(..6)).map(|_| rng.u8(..)).collect()
}

fn all(rng: &mut Rng, depth: usize) -> All {
    let few = rng.usize(..3);
    let inner = if depth == 0 { 0 } else { rng.usize(..2) };
    All {
        double_value: double(rng),
        float_value: float(rng),
        int32_value: rng.i32(..),
        int64_value: rng.i64(..),
        uint32_value: rng.u32(..),
        uint64_value: rng.u64(..),
        sint64_value: rng.i64(..),
        fixed64_value: rng.u64(..),
        bool_value: rng.bool(),
        string_value: text(rng),
        bytes_value: bytes(rng),
        kind: rng.i32(..),
        nested: (inner > 0).then(|| Box::new(all(rng, depth - 1))),
        made_at: rng.bool().then(|| prost_types::Timestamp { seconds: rng.i64(..), nanos: rng.i32(..) }),
        doubles: (0..few).map(|_| double(rng)).collect(),
        floats: (0..few).map(|_| float(rng)).collect(),
        numbers: (0..few).map(|_| rng.i64(..)).collect(),
        texts: (0..few).map(|_| text(rng)).collect(),
        blobs: (0..few).map(|_| bytes(rng)).collect(),
        kinds: (0..few).map(|_| rng.i32(..)).collect(),
        others: (0..inner).map(|_| all(rng, depth - 1)).collect(),
        labels: (0..few).map(|_| (text(rng), text(rng))).collect(),
        by_number: (0..few).map(|_| (rng.i32(..), text(rng))).collect(),
        by_size: (0..few).map(|_| (rng.u64(..), rng.i32(..))).collect(),
        by_name: (0..inner).map(|_| (text(rng), all(rng, depth - 1))).collect(),
        blobs_by_name: (0..few).map(|_| (text(rng), bytes(rng))).collect(),
        camel_name: text(rng),
    }
}

fn choice(rng: &mut Rng) -> Choice {
    let pay_load = match rng.u8(..7) {
        0 => None,
        1 => Some(PayLoad::FirstName(text(rng))),
        2 => Some(PayLoad::Number(rng.i64(..))),
        3 => Some(PayLoad::Raw(bytes(rng))),
        4 => Some(PayLoad::All(all(rng, 1))),
        5 => Some(PayLoad::Kind(rng.i32(..))),
        _ => Some(PayLoad::Reset(rng.bool())),
    };
    Choice { before: text(rng), pay_load, after: text(rng) }
}

#[test]
fn what_is_written_is_read_back() {
    let seed = fastrand::u64(..);
    let mut rng = Rng::with_seed(seed);
    for round in 0..500 {
        let (one, other) = (all(&mut rng, 3), choice(&mut rng));
        let mut json = Vec::new();
        PlainJson.encode(&one, &mut json).unwrap();
        assert_eq!(one, PlainJson.decode(&json).unwrap(), "seed {seed}, round {round}");
        json.clear();
        PlainJson.encode(&other, &mut json).unwrap();
        assert_eq!(other, PlainJson.decode(&json).unwrap(), "seed {seed}, round {round}");
    }
}

#[test]
fn no_bytes_make_it_panic() {
    let seed = fastrand::u64(..);
    eprintln!("seed {seed}");
    let mut rng = Rng::with_seed(seed);
    for _ in 0..300 {
        let mut json = Vec::new();
        PlainJson.encode(&all(&mut rng, 2), &mut json).unwrap();
        for _ in 0..10 {
            let at = rng.usize(..json.len());
            json[at] = *rng.choice(b"{}[]\",:0n\\\xff").unwrap();
            let _: Result<All, _> = PlainJson.decode(&json);
            let _: Result<All, _> = ProtoJson.decode(&json);
            let _: Result<All, _> = Protobuf.decode(&json);
        }
    }
}

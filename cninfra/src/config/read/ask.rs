//! Asks a type what it wants at a place.

use super::{
    named::Named,
    reader::Reader,
    reading::{Notes, Reading, Reads},
};
use crate::config::{
    said::{
        layers::{Dropped, Layers},
        shape::{Shape, Wanted},
    },
    written::{value, way::Step},
    wrong::failure::Failed,
};
use figment::value::Tag;

/// Asks a type what it wants at a place, by reading a value that contains nothing but that place.
pub(in crate::config) fn ask(
    section: Named<'_>,
    way: &[Step],
    read: &dyn Fn(Reader<'_, '_>) -> Result<(), Failed>,
) -> Wanted {
    let value = value::nested(way, value::nothing(Tag::Default));
    let (layers, dropped) = (Layers::default(), Dropped::new());
    let notes = Notes::default().into();
    let reading = Reading { section, layers: &layers, dropped: &dropped, asked: Some(way), reads: Reads::All, notes };
    // The reader stops with an error there, and has noted the answer.
    let _ = read(Reader::new(&reading, &value));
    let notes = reading.notes.into_inner();
    let shape = notes.wanted_kind.map(|kind| Shape { optional: notes.wanted_optional, kind });
    Wanted { shape, secret: notes.wanted_secret, open: notes.wanted_open }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;
    use serde::Deserialize;

    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Odd {
        password: Secret,
    }

    #[test]
    fn the_file_of_a_secret_can_be_asked_for() {
        let read = |reader: Reader<'_, '_>| Odd::deserialize(reader).map(drop);
        let wanted = ask(Named::plain("odd"), &[Step::Key("password-file".to_string())], &read);
        assert!(wanted.secret && wanted.shape.is_some());
    }
}

//! [`Reading`]: one reading of a section, and what is seen on the way.

use super::{
    again::Reads,
    failure::{Failure, Spot},
    layers::{Dropped, Layers},
    mistake::Mistake,
    reader::Reader,
    section::Named,
    shape::{Kind, Shape},
    source::Step,
    value,
};
use figment::value::Tag;
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

/// One reading of a section.
pub(super) struct Reading<'a> {
    pub(super) section: Named<'a>,
    pub(super) layers: &'a Layers,
    /// Values that were found wrong in an earlier reading: they are not there any more.
    pub(super) dropped: &'a Dropped,
    /// Where the type is only asked what it wants.
    pub(super) asked: Option<&'a [Step]>,
    pub(super) reads: Reads,
    pub(super) notes: RefCell<Notes>,
}

/// What is seen on the way.
#[derive(Default)]
pub(super) struct Notes {
    /// What to do about a key that nobody knows, where one was met.
    pub(super) unknown: Option<String>,
    /// What was probably meant by them.
    pub(super) meant: Vec<String>,
    /// Keys that nobody knows, and the like: what does not stop the reading.
    pub(super) mistakes: Vec<(Spot, Mistake)>,
    /// Where each key's value comes from.
    pub(super) origins: BTreeMap<Vec<String>, Spot>,
    /// Paths whose keys are fields of a type.
    pub(super) structs: BTreeSet<Vec<String>>,
    /// Paths of choices.
    pub(super) choices: BTreeSet<Vec<String>>,
    /// Paths of lengths of time of the standard library.
    pub(super) times: BTreeSet<Vec<String>>,
    /// The agent's keys, where the section's type has no such keys.
    pub(super) agent_keys: BTreeMap<String, Spot>,
    /// Where others than those that hold stand: overridden ones, and second spellings.
    pub(super) overridden_agent_keys: Vec<(String, Spot)>,
    /// The files that secrets stand in, with the paths of these. The last one is that of the secret that is read.
    pub(super) secret_files: Vec<(Vec<String>, PathBuf)>,
    /// The files of secrets, and what they hold.
    pub(super) secrets: Vec<(PathBuf, String)>,
    /// Numbers that an `f32` can not hold, of which the type does not say beforehand what it wants.
    pub(super) large: Vec<Spot>,
    /// Names of plugins.
    pub(super) plugins: Vec<(Spot, String)>,
    /// What secrets hold, for who looks whether it is told.
    #[cfg(feature = "testing")]
    pub(super) hidden: Vec<String>,
    /// What the type wants where it was asked.
    pub(super) told: Option<Kind>,
    pub(super) told_optional: bool,
    /// It is a secret there, or in one.
    pub(super) told_secret: bool,
    /// It takes whatever mapping it is given there.
    pub(super) told_open: bool,
}

/// What a type says of a place.
#[derive(Clone, Copy)]
pub(super) struct Told {
    /// `None` where it can not be known.
    pub(super) shape: Option<Shape>,
    /// It is a secret, or in one.
    pub(super) secret: bool,
    /// It takes any mapping, and only its own code knows what is in that.
    pub(super) open: bool,
}

/// Asks a type what it wants at a place, by reading a value that has nothing but that place.
pub(super) fn ask(section: Named<'_>, way: &[Step], read: &dyn Fn(Reader<'_, '_>) -> Result<(), Failure>) -> Told {
    let value = value::nested(way, value::nothing(Tag::Default));
    let (layers, dropped) = (Layers::default(), Dropped::new());
    let notes = Notes::default().into();
    let reading = Reading { section, layers: &layers, dropped: &dropped, asked: Some(way), reads: Reads::All, notes };
    // the answer is an error
    let _ = read(Reader::new(&reading, &value));
    let notes = reading.notes.into_inner();
    let shape = notes.told.map(|kind| Shape { optional: notes.told_optional, kind });
    Told { shape, secret: notes.told_secret, open: notes.told_open }
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
        let told = ask(Named::plain("odd"), &[Step::Key("password-file".to_string())], &read);
        assert!(told.secret && told.shape.is_some());
    }
}

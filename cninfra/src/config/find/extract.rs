//! Reads a section from all its layers, and each layer by itself, so that overridden values are checked, too.

use super::{
    again::Scope,
    mistakes::Mistakes,
    trial::{BUDGET, ReadFn},
};
use crate::{
    Result,
    config::{
        read::{
            ask::ask,
            named::Named,
            reader::Reader,
            reading::{Notes, Reads},
        },
        said::{
            entry::Entries,
            layers::{Dropped, Layers},
            source::Source,
        },
        written::{place::Part, way::Way},
        wrong::{
            failure::shortened,
            mistake::{self, Mistake},
        },
    },
    foreign::{self, Panic},
};
use figment::Figment;
use serde::de::DeserializeOwned;
use std::cell::{Cell, RefCell};

/// The result of reading a section. It has about a kilobyte and is passed through many functions, so it is boxed.
#[derive(Default)]
pub(in crate::config) struct Outcome {
    pub(in crate::config) mistakes: Vec<Mistake>,
    /// The mistakes of secrets whose files do not answer. Nothing more can be reported about such a section.
    pub(in crate::config) unanswered: Vec<Mistake>,
    /// Something that the sources say is not in the value, because it is wrong.
    pub(in crate::config) is_incomplete: bool,
    /// The known keys that unknown ones were probably meant to be.
    pub(in crate::config) meant: Vec<String>,
    /// The first required key of the section itself that no source sets.
    pub(in crate::config) missing: Option<&'static str>,
    /// Values were made up for missing keys, so what was read is not the section's value.
    is_made_up: bool,
    /// The paths at which something was left out because one key was set by two of its names.
    pub(in crate::config) named_twice: Vec<Vec<String>>,
    pub(in crate::config) notes: Notes,
    pub(in crate::config) layers: Layers,
    /// All layers merged, including what is wrong.
    pub(in crate::config) figment: Figment,
}

/// Which values of a section are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::config) enum Depth {
    /// The values in force.
    Top,
    /// Overridden values, too. They have to be right, since they may be in force at the next start.
    All,
}

impl Outcome {
    /// Adds the value that was read, unless something in it was made up.
    fn with<C>(self: Box<Self>, value: Option<C>) -> (Option<C>, Box<Self>) {
        if !self.is_made_up {
            return (value, self);
        }
        foreign::discard(value);
        (None, self)
    }

    /// The value that was read, with the rest of the outcome.
    ///
    /// # Errors
    /// All mistakes, each on a line with its help.
    pub(in crate::config) fn sound<C>(mut self: Box<Self>, value: Option<C>) -> Result<(C, Box<Self>)> {
        let mut wrong = std::mem::take(&mut self.mistakes);
        wrong.append(&mut self.unanswered);
        match value {
            Some(value) if wrong.is_empty() => Ok((value, self)),
            // If there is no value, there are mistakes.
            value => {
                foreign::discard(value);
                Err(mistake::combined(wrong))
            }
        }
    }
}

/// Reads a section from its entries. If there are none, the value is the type's default. If no value is returned, there
/// are mistakes.
pub(in crate::config) fn extract<C: DeserializeOwned + Default>(
    section: Named<'_>,
    entries: &Entries<'_>,
    depth: Depth,
) -> (Option<C>, Box<Outcome>) {
    if entries.all.is_empty() {
        return match default_of(section) {
            Ok(value) => (Some(value), Box::default()),
            Err(mistake) => (None, Box::new(Outcome { mistakes: vec![mistake], ..Outcome::default() })),
        };
    }
    extract_of(section, (entries, None), depth)
}

/// The type's default, for a section about which no source says anything.
pub(in crate::config) fn default_of<C: Default>(section: Named<'_>) -> std::result::Result<C, Mistake> {
    foreign::guard(C::default).map_err(|panic| has_no_default(section, panic))
}

fn has_no_default(section: Named<'_>, panic: Panic) -> Mistake {
    let what = format!("section `{}`: making its defaults panicked: {}", section.name, shortened(panic));
    Mistake::new(Source::Default.place(&[], Part::Value), what).in_section(section.name)
}

/// Like [`extract`], for a section that has entries. `known`: its layers and their merged value, if they are known.
pub(in crate::config) fn extract_of<C: DeserializeOwned>(
    section: Named<'_>,
    (entries, known): (&Entries<'_>, Option<(Layers, Figment)>),
    depth: Depth,
) -> (Option<C>, Box<Outcome>) {
    let value = RefCell::new(None);
    let outcome = extract_with(section, (entries, known), depth, &|reader| {
        let is_all = reader.reading.reads == Reads::All;
        let read = Some(C::deserialize(reader)?);
        // A value that is not used may panic when it is dropped.
        foreign::discard(if is_all { value.replace(read) } else { read });
        Ok(())
    });
    outcome.with(value.into_inner())
}

/// Reads a section without some of its values, to see what would be in force then. The files of secrets need not exist.
pub(in crate::config) fn extract_without<C: DeserializeOwned>(
    section: Named<'_>,
    entries: &Entries<'_>,
    without: Dropped,
) -> (Option<C>, Box<Outcome>) {
    let value = RefCell::new(None);
    let outcome = outcome_of(section, (entries, None), without, Reads::OneLayer, Depth::Top, &|reader| {
        value.replace(Some(C::deserialize(reader)?));
        Ok(())
    });
    outcome.with(value.into_inner())
}

// Not generic, so that it is compiled only once for all sections.
fn extract_with(
    section: Named<'_>,
    from: (&Entries<'_>, Option<(Layers, Figment)>),
    depth: Depth,
    read: ReadFn<'_>,
) -> Box<Outcome> {
    outcome_of(section, from, Dropped::new(), Reads::All, depth, read)
}

fn outcome_of(
    section: Named<'_>,
    (entries, known): (&Entries<'_>, Option<(Layers, Figment)>),
    mut dropped: Dropped,
    reads: Reads,
    depth: Depth,
    read: ReadFn<'_>,
) -> Box<Outcome> {
    // The type's code is not ours, and may panic.
    let read = &|reader: Reader<'_, '_>| {
        let reading = reader.reading;
        reading.enter(reader.spot());
        foreign::guard(|| read(reader)).unwrap_or_else(|panic| Err(reading.failure_of_panic(panic)))
    };
    let (mut layers, mut merged) = known.unwrap_or_else(|| {
        let layers = Layers::of(section.name, entries, &|way| ask(section, way, read));
        let merged = layers.merge(&layers.numbers(), &Dropped::new());
        (layers, merged)
    });
    let budget = Cell::new(BUDGET);
    let mut mistakes = Mistakes::new(section, &layers, &merged, &budget);
    mistakes.report_duplicates();
    let mut notes = mistakes.search(Scope { read, reads, layers: &layers.numbers() }, &mut dropped);
    let (is_incomplete, is_made_up) = (mistakes.is_incomplete, mistakes.is_made_up);
    let overridden = if depth == Depth::All { 1..layers.len() } else { 0..0 };
    for number in overridden {
        let is_of_layer =
            |place: &&(usize, Way)| place.0 == number && !mistakes.dropped_from_merge_only.contains(*place);
        let mut dropped_here = dropped.iter().filter(is_of_layer).cloned().collect();
        let scope = Scope { read, reads: Reads::OneLayer, layers: &(number..number + 1) };
        let below = mistakes.search(scope, &mut dropped_here);
        // What is in force has been noted already.
        let new: Vec<_> = below.plugins.into_iter().filter(|named| !notes.plugins.contains(named)).collect();
        notes.plugins.extend(new);
        let new: Vec<_> =
            below.agent_keys.into_iter().filter(|(key, spot)| notes.agent_keys.get(key) != Some(spot)).collect();
        notes.overridden_agent_keys.extend(new);
    }
    let (missing, unanswered) = (mistakes.missing, std::mem::take(&mut mistakes.unanswered));
    let (meant, named_twice) = (std::mem::take(&mut mistakes.meant), std::mem::take(&mut mistakes.named_twice));
    let texts = std::mem::take(&mut mistakes.restored_texts);
    let mistakes = mistakes.into_sorted();
    if texts.iter().any(|texts| !texts.is_empty()) {
        layers.restore_texts(&texts);
        merged = layers.merge(&layers.numbers(), &Dropped::new());
    }
    Box::new(Outcome {
        mistakes,
        unanswered,
        is_incomplete,
        meant,
        missing,
        is_made_up,
        named_twice,
        notes,
        figment: merged,
        layers,
    })
}

#[cfg(test)]
mod tests {
    use crate::config::{ByteSize, Config, Duration, Secret};
    use serde::{Deserialize, Serialize};
    use std::collections::BTreeMap;

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Every {
        text: String,
        optional: Option<String>,
        number: i8,
        maybe: Option<u16>,
        ratio: f32,
        on: bool,
        letter: char,
        time: Duration,
        std_time: std::time::Duration,
        size: ByteSize,
        secret: Secret,
        list: Vec<String>,
        pair: (u8, String),
        map: BTreeMap<String, u8>,
        inner: Inner,
        choice: Choice,
        any: serde_json::Value,
    }

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Inner {
        max_open: u8,
        name: String,
    }

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Choice {
        #[default]
        Nothing,
        OneOf(u8),
        Both {
            max_open: u8,
        },
    }

    fn read(values: &[(&str, &str)]) -> Result<Every, String> {
        let mut config = Config::new();
        for (key, text) in values {
            config.set_variable("every", key, text, "V");
        }
        config.section("every").map_err(|error| error.to_string())
    }

    #[test]
    fn a_secret_and_its_file_are_one_key_in_layers_of_one_kind() {
        const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let say = |says: &[(&str, bool)]| {
            let mut config = Config::new();
            for (key, is_flag) in says {
                match is_flag {
                    true => config.set_flag("every", key, FILE, key),
                    false => config.set_variable("every", key, "x", &key.to_uppercase()),
                }
            }
            config.section::<Every>("every").map(|every| every.secret.into_inner()).map_err(|error| error.to_string())
        };
        let twice = |place: &str, key: &str, other: &str| {
            Err(format!("{place}: key `every.{key}` is there twice, also as `{other}`"))
        };
        assert_eq!(
            say(&[("secret", true), ("secret-file", true)]),
            twice("flag --secret-file", "secret-file", "secret")
        );
        let variables = say(&[("secret-file", false), ("secret", false)]);
        assert_eq!(variables, twice("variable SECRET-FILE", "secret-file", "secret"));
        // A flag overrides a variable, and a later flag overrides an earlier one for the same key.
        assert!(say(&[("secret", false), ("secret-file", true)]).is_ok_and(|text| text.starts_with("[package]")));
        assert_eq!(say(&[("secret", true), ("secret", true)]), Ok(FILE.to_string()));
    }

    #[test]
    fn the_text_of_a_variable_goes_into_every_type() {
        let default = Every::default;
        for (key, text, expected) in [
            ("text", "12", Every { text: "12".into(), ..default() }),
            ("text", "", Every { text: String::new(), ..default() }),
            ("optional", "null", Every { optional: Some("null".into()), ..default() }),
            ("optional", "", default()),
            ("number", " -7 ", Every { number: -7, ..default() }),
            ("maybe", "7", Every { maybe: Some(7), ..default() }),
            ("maybe", "", default()),
            ("ratio", "2", Every { ratio: 2.0, ..default() }),
            ("ratio", "1e3", Every { ratio: 1000.0, ..default() }),
            ("on", "true", Every { on: true, ..default() }),
            ("on", " True ", Every { on: true, ..default() }),
            ("ratio", ".inf", Every { ratio: f32::INFINITY, ..default() }),
            ("letter", "7", Every { letter: '7', ..default() }),
            ("time", "1m", Every { time: Duration::from_secs(60), ..default() }),
            ("time", "5000000000", Every { time: Duration::from_secs(5), ..default() }),
            ("std_time", "1m", Every { std_time: std::time::Duration::from_secs(60), ..default() }),
            ("std_time", "5000000000", Every { std_time: std::time::Duration::from_secs(5), ..default() }),
            ("size", "2KiB", Every { size: ByteSize(2048), ..default() }),
            ("size", "7", Every { size: ByteSize(7), ..default() }),
            ("secret", "0123", Every { secret: Secret::new("0123".into()), ..default() }),
            ("list", "[a, 'b c']", Every { list: vec!["a".into(), "b c".into()], ..default() }),
            ("pair", "[1, x]", Every { pair: (1, "x".into()), ..default() }),
            ("map", "{a-b: 1}", Every { map: [("a-b".into(), 1)].into(), ..default() }),
            ("map.a-b", "1", Every { map: [("a-b".into(), 1)].into(), ..default() }),
            ("inner", "{MaxOpen: 1}", Every { inner: Inner { max_open: 1, ..Inner::default() }, ..default() }),
            ("Inner.NAME", "1", Every { inner: Inner { name: "1".into(), ..Inner::default() }, ..default() }),
            ("choice", "Nothing", default()),
            ("choice", "{OneOf: 3}", Every { choice: Choice::OneOf(3), ..default() }),
            ("choice.one-of", "3", Every { choice: Choice::OneOf(3), ..default() }),
            ("choice.both.MAX_OPEN", "3", Every { choice: Choice::Both { max_open: 3 }, ..default() }),
            ("any", "{a: [1, x]}", Every { any: serde_json::json!({"a": [1, "x"]}), ..default() }),
        ] {
            assert_eq!(read(&[(key, text)]).as_ref(), Ok(&expected), "{key}={text}");
        }
        let too_large = read(&[("ratio", "1e400")]).unwrap_err();
        assert!(too_large.contains("key `every.ratio` takes a number, not the text `1e400`"), "{too_large}");
        // It would become infinite.
        let too_large = read(&[("ratio", "1e39")]).unwrap_err();
        assert!(too_large.contains("key `every.ratio` takes a number up to 3.4e38, not `1e39`"), "{too_large}");
        let merged =
            read(&[("inner", "{name: a, max-open: 1}"), ("inner.max_open", "2"), ("map.x", "1"), ("map.y", "2")]);
        let merged = merged.unwrap();
        assert_eq!((merged.inner.name.as_str(), merged.inner.max_open, merged.map.len()), ("a", 2, 2));
    }

    /// A text is converted like a flag's if the key takes no text. Values of other types are not converted.
    #[test]
    fn the_text_of_the_program_goes_where_no_text_can_be() {
        let set = |key: &str, text: &str| Config::new().set("every", key, text).section::<Every>("every");
        let default = Every::default;
        for (key, text, expected) in [
            ("text", "12", Every { text: "12".into(), ..default() }),
            ("optional", "", Every { optional: Some(String::new()), ..default() }),
            ("number", " -7 ", Every { number: -7, ..default() }),
            ("maybe", "7", Every { maybe: Some(7), ..default() }),
            ("ratio", "1e3", Every { ratio: 1000.0, ..default() }),
            ("on", "true", Every { on: true, ..default() }),
            ("letter", "7", Every { letter: '7', ..default() }),
            ("std_time", "1m", Every { std_time: std::time::Duration::from_secs(60), ..default() }),
            ("secret", "0123", Every { secret: Secret::new("0123".into()), ..default() }),
            ("list", "[a, 'b c']", Every { list: vec!["a".into(), "b c".into()], ..default() }),
            ("map.a-b", "1", Every { map: [("a-b".into(), 1)].into(), ..default() }),
            ("choice.one-of", "3", Every { choice: Choice::OneOf(3), ..default() }),
            ("any", "7", Every { any: "7".into(), ..default() }),
        ] {
            assert_eq!(set(key, text).unwrap(), expected, "{key}={text}");
        }
        let error = |config: Config| config.section::<Every>("every").unwrap_err().to_string();
        let words = "set by the program: key `every.number` takes a whole number from -128 to 127, not";
        assert_eq!(error(Config::new().set("every", "number", "x")), format!("{words} the text `x`"));
        assert_eq!(error(Config::new().set("every", "number", "200")), format!("{words} `200`"));
        let words =
            "set by the program: key `every.std-time`: `5` has no unit: write `5s` for seconds, `5ms` for milliseconds";
        assert_eq!(error(Config::new().set("every", "std_time", 5)), words);
        let words = "set by the program: key `every.text` takes a text, not `7`";
        assert_eq!(error(Config::new().set("every", "text", 7)), words);
    }

    #[test]
    fn a_text_of_another_type_is_told() {
        for (key, text, words) in [
            ("number", "200", "takes a whole number from -128 to 127, not `200`"),
            ("number", "x", "takes a whole number from -128 to 127, not the text `x`"),
            ("number", "", "takes a whole number from -128 to 127, not an empty text"),
            ("on", "yes", "takes `true` or `false`, not the text `yes`"),
            ("on", "1", "takes `true` or `false`, not the text `1`"),
            ("letter", "ab", "takes one character, not the text `ab`"),
            ("list", "a,b", "takes a list, not a text"),
            ("list", "[a", "takes a list, not a text"),
            ("map", "x", "takes a mapping of keys to values, not a text"),
            ("choice", "other", "takes `nothing`, `one-of` or `both`, not `other`"),
            ("pair", "[1]", "takes 2 values, not 1"),
        ] {
            assert_eq!(read(&[(key, text)]), Err(format!("variable V: key `every.{key}` {words}")), "{key}={text}");
        }
    }

    #[test]
    fn what_is_overridden_is_read_by_the_check_alone() {
        use crate::config::{Known, Section as _};
        use std::cell::Cell;
        thread_local! {
            static READ: Cell<u32> = const { Cell::new(0) };
        }
        #[derive(Debug, Default, Serialize)]
        struct Counted(u8);
        impl<'de> Deserialize<'de> for Counted {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let number = u8::deserialize(deserializer)?;
                READ.set(READ.get() + 1);
                Ok(Counted(number))
            }
        }
        #[derive(Debug, Default, Serialize, Deserialize)]
        struct Counts {
            number: Counted,
        }
        let mut config = Config::new().set("counts", "number", 1);
        config.set_variable("counts", "number", "2", "V");
        config.set_flag("counts", "number", "3", "F");
        let read = |by: &dyn Fn()| {
            READ.set(0);
            by();
            READ.get()
        };
        assert_eq!(read(&|| assert_eq!(config.section::<Counts>("counts").unwrap().number.0, 3)), 1);
        let known = Known::none().with("counts", Counts::META);
        assert_eq!(read(&|| assert_eq!(config.check(&known), [])), 3);
    }

    #[test]
    fn all_that_is_wrong_is_told_with_its_mend() {
        let mut config = Config::new();
        config.set_variable("every", "numbr", "1", "N");
        config.set_variable("every", "std-time", "5x", "T");
        let error = config.section::<Every>("every").unwrap_err().to_string();
        let lines: Vec<&str> = error.lines().collect();
        let [time, number] = &lines[..] else { panic!("{error}") };
        let is_unit = time.starts_with("variable T: key `every.std-time`")
            || number.starts_with("variable T: key `every.std-time`");
        assert!(
            is_unit && error.contains("variable N: key `every.numbr` is unknown (did you mean `number`?"),
            "{error}"
        );
    }
}

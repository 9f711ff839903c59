//! [`Secret`]: a value that is never printed.

use crate::foreign;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{cell::Cell, fmt, marker::PhantomData};

/// The name of the newtype by which the reader recognises a secret.
pub(in crate::config) const NAME: &str = "$cninfra::Secret";
/// What is shown instead of the value.
pub(in crate::config) const MASK: &str = "***";
/// Stands in an error message that leaves out the value.
pub(in crate::config) const HIDDEN: &str = "(it is not shown, since it is a secret)";

thread_local! {
    static BEING_READ: Cell<usize> = const { Cell::new(0) };
}

/// Is a secret being read on this thread? Then no message may show a value, even where the reader does not know that it
/// is reading a secret: serde reads tagged and untagged enums from its own buffer, past the reader.
pub(in crate::config) fn is_being_read() -> bool {
    BEING_READ.get() > 0
}

/// Marks a secret as being read until it is dropped. Secrets may be nested, hence the counter.
struct BeingRead;

impl BeingRead {
    fn begin() -> Self {
        BEING_READ.set(BEING_READ.get() + 1);
        BeingRead
    }
}

impl Drop for BeingRead {
    fn drop(&mut self) {
        BEING_READ.set(BEING_READ.get() - 1);
    }
}

/// A value that is never printed: not by `Debug`, not by `--print-config`, and not by an error about it.
/// `--print-config` shows whether it is empty.
///
/// In a config section, a key of this type has a second form: `password-file` is the path of a file that contains the
/// `password`. A relative path starts at the folder of the config file. Line ends at the end of the file are removed.
/// The file is read once, together with the config files: before anything is created, and, if the section follows its
/// file ([`Live`](crate::config::Live)), each time these are checked. A file that contains nothing else is a mistake,
/// since that nearly always means that a mount has failed. For no secret, leave the key out. Only `Secret<Option<..>>`
/// accepts such a file, as `None`.
///
/// The second form does not work inside an enum with `tag` or `untagged`, or inside a flattened value: there it is not
/// known before reading that a key is a secret.
///
/// The value is masked, but not wiped from memory. Wiping this value alone would promise too much: the text it was read
/// from is also in the parser's buffers, in the retained text of its file, in figment's values, which are copied in
/// each merge, and in the arguments and variables of the process. A secret that must not stay in memory should be read
/// by its plugin when it is needed, from a file whose path is the key.
///
/// ```
/// use cninfra::config::Secret;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Default, Serialize, Deserialize)]
/// #[serde(default)]
/// struct StoreConfig {
///     password: Secret<String>,
/// }
///
/// let config = StoreConfig { password: Secret::new("hunter2".to_string()) };
/// assert_eq!(format!("{config:?}"), "StoreConfig { password: *** }");
/// assert_eq!(config.password.reveal(), "hunter2");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret<T = String>(T);

impl<T> Secret<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Secret(value)
    }

    /// The value, for the call that needs it.
    pub fn reveal(&self) -> &T {
        &self.0
    }

    /// Unwraps the value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Secret(value)
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl<T: Serialize> Serialize for Secret<T> {
    /// Masked, in every format. An empty value is written as it is, to show that none was set.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serde_json::to_value(&self.0) {
            Ok(nothing) if is_empty(&nothing) => nothing.serialize(serializer),
            // A value that cannot be serialised is masked, too.
            _ => serializer.serialize_str(MASK),
        }
    }
}

/// An empty text, list or mapping, or null.
fn is_empty(value: &serde_json::Value) -> bool {
    use serde_json::Value;
    match value {
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) => false,
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Inner<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> de::Visitor<'de> for Inner<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a secret")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
                T::deserialize(deserializer)
            }
        }

        let being_read = BeingRead::begin();
        // The message of a panic may show the value, so it must appear neither in the log nor in the error.
        let read =
            foreign::guard_quietly(|| deserializer.deserialize_newtype_struct(NAME, Inner(PhantomData)).map(Secret));
        drop(being_read);
        read.unwrap_or_else(|panic| {
            let at = panic.location.map(|at| format!(" at {at}")).unwrap_or_default();
            Err(de::Error::custom(format_args!("reading its value panicked{at} {HIDDEN}")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::{Section as _, given::Given},
        foreign::Panic,
    };
    use serde_json::{Value, json};
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Odd {
        one: Option<Secret<Short>>,
        both: Option<Secret<Both>>,
        tagged: Option<Tagged>,
        port: u8,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Both {
        pin: Short,
        other: Short,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
    enum Tagged {
        Of { one: Secret<Short>, port: u8 },
    }

    /// Panics at a text of more than three characters, with that text in the message.
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(try_from = "String")]
    struct Short(String);

    /// Was this panic also reported to the log?
    static LOUD: AtomicBool = AtomicBool::new(false);

    impl TryFrom<String> for Short {
        type Error = String;
        fn try_from(text: String) -> Result<Self, String> {
            if text.len() > 3 {
                LOUD.fetch_or(!Panic::is_quiet(), Relaxed);
                panic!("{text} is long");
            }
            Ok(Short(text))
        }
    }

    #[test]
    fn a_panic_over_it_does_not_print_it() {
        let wrong = |file: &str| Given::file(Odd::META, file).wrong_in_line();
        let panicked = |at: usize, key: &str| format!("{at}: key `odd.{key}`: reading its value panicked");
        let port = |at: usize, key: &str| {
            format!("{at}: key `odd.{key}` takes a whole number from 0 to 255, not the text `x`")
        };
        for (file, messages) in [
            ("{one: hunter2, port: x}", vec![panicked(7, "one"), port(22, "port")]),
            // Both keys are reported, but as `both`, not by their own names.
            (
                "{both: {pin: hunter2, other: hunter3}, port: x}",
                vec![panicked(14, "both"), panicked(30, "both"), port(46, "port")],
            ),
            ("{tagged: {kind: of, one: hunter2, port: x}}", vec![panicked(26, "tagged"), port(41, "tagged.port")]),
        ] {
            let wrong = wrong(file);
            assert_eq!(wrong.len(), messages.len(), "{wrong:?}");
            assert!(wrong.iter().zip(&messages).all(|(wrong, message)| wrong.starts_with(message)), "{wrong:?}");
            assert!(!wrong.concat().contains("hunter"), "{wrong:?}");
        }
        assert!(!LOUD.load(Relaxed));
    }

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default)]
    struct Needed {
        password: Secret,
        pin: Secret<u16>,
    }

    #[test]
    fn that_nothing_is_there_is_told() {
        let wrong = Given::file(Needed::META, "{password: , pin: }").wrong_in_line();
        let (text, number) =
            ("takes a text, but has no value", "takes a whole number from 0 to 65535, but has no value");
        let wanted = [format!("12: key `odd.password` {text}"), format!("19: key `odd.pin` {number}")];
        assert_eq!(wrong, wanted);
    }

    #[test]
    fn nothing_prints_it() {
        let secret = Secret::new("hunter2".to_string());
        assert_eq!(format!("{secret} {secret:?} {:?}", Some(&secret)), "*** *** Some(***)");
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"***\"");
        assert_eq!(secret.into_inner(), "hunter2");
        // An empty value is no secret.
        let shown = |secret: Value| serde_json::to_string(&Secret::new(secret)).unwrap();
        for nothing in [json!(""), json!([]), json!({}), json!(null)] {
            assert_eq!(shown(nothing.clone()), nothing.to_string());
        }
        for something in [json!(" "), json!([""]), json!({"a": ""}), json!(0), json!(false)] {
            assert_eq!(shown(something), "\"***\"");
        }
        assert_eq!(serde_json::from_str::<Secret<u8>>("7").unwrap().reveal(), &7);
    }
}

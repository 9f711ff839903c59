//! [`EffectiveSection`]: the values in force for each key of a section, and their origins. `--print-config` prints
//! them.

use super::one_line::scalar;
use crate::config::{said::source::Source, types::secret};
use serde::{Serialize, Serializer, ser::SerializeStruct as _};
use yaml_serde::Value;

/// A section of the config of a running agent: the values in force for its keys. See
/// [`Context::effective_config`](crate::Context::effective_config).
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct EffectiveSection {
    /// The section's name: the plugin's instance name, or `agent` or `logs`.
    pub name: &'static str,
    /// Whether the files have changed in a way that only takes effect after a restart of the agent.
    pub outdated: bool,
    /// Its keys, in the order of the section's type.
    pub values: Vec<EffectiveValue>,
}

/// The value in force for one key, and where it comes from. The value of a secret is masked, and is not in here.
///
/// As JSON: `{"key": "read-timeout", "value": "5s", "origin": "./http.conf:2:1", "secret": false}`.
#[derive(Clone, PartialEq, Debug)]
pub struct EffectiveValue {
    /// The keys from the section to this one, the outermost first.
    pub(super) path: Vec<String>,
    pub(super) value: Value,
    pub(super) origin: String,
    pub(super) secret: bool,
    /// The value is derived from other sections; setting the key in this section would end that.
    pub(super) follows: bool,
}

impl EffectiveValue {
    pub(super) fn new(path: Vec<String>, value: Value, origin: String) -> Self {
        EffectiveValue { path, value, origin, secret: false, follows: false }
    }

    /// The full key, its parts separated by dots. A part that contains a dot is in quotes.
    #[must_use]
    pub fn key(&self) -> String {
        let part = |part: &String| if part.contains(['.', '"']) { format!("{part:?}") } else { part.clone() };
        self.path.iter().map(part).collect::<Vec<_>>().join(".")
    }

    /// The value on one line, as in a YAML file.
    #[must_use]
    pub fn text(&self) -> String {
        if self.secret && self.value.is_string() { secret::MASK.to_string() } else { scalar(&self.value) }
    }

    /// Where it comes from: a file with line and column, a variable, a flag, the program, or `default`. For a secret in
    /// a file of its own, also that file.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether it is the default of its type.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.origin == Source::Default.to_string()
    }

    /// Whether it is a secret, or contains one, and is masked therefore.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.secret
    }
}

impl Serialize for EffectiveValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("EffectiveValue", 4)?;
        fields.serialize_field("key", &self.key())?;
        fields.serialize_field("value", &as_json(&self.value))?;
        fields.serialize_field("origin", &self.origin)?;
        fields.serialize_field("secret", &self.secret)?;
        fields.end()
    }
}

/// The value as JSON. Keys become texts, and so do numbers that JSON does not have (infinity, NaN).
fn as_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Number(number) if !number.is_finite() => scalar(value).into(),
        Value::Sequence(items) => items.iter().map(as_json).collect(),
        Value::Mapping(mapping) => {
            let key = |key: &Value| key.as_str().map_or_else(|| scalar(key), str::to_string);
            let mut object = serde_json::Map::new();
            object.extend(mapping.iter().map(|(name, value)| (key(name), as_json(value))));
            object.into()
        }
        // Only scalars get here; a number that JSON does not have was handled above.
        value => serde_json::to_value(value).unwrap_or_default(),
    }
}

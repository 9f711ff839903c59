//! The path of a file that holds a secret.

use crate::config::wrong::failure::What;
use figment::value::Value;
use std::path::PathBuf;

/// The path that the value of `<key>-file` names, relative to the folder of the config file that says so.
pub(super) fn path(value: &Value, folder: Option<PathBuf>) -> Result<PathBuf, What> {
    let found = match value {
        // Joined with the folder, an empty path would name the folder itself.
        Value::String(_, path) if path.is_empty() => "an empty text",
        Value::String(_, path) => return Ok(folder.unwrap_or_default().join(path)),
        Value::Array(..) => "a list",
        Value::Dict(..) => "a mapping",
        Value::Empty(..) => "nothing",
        Value::Num(..) => "a number",
        Value::Bool(..) => "`true` or `false`",
        Value::Char(..) => "a character",
    };
    Err(What::OfFile(format!(" takes the path of a file, not {found}"), Some("name one, or remove the key")))
}

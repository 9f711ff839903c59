//! The file that holds a secret, as it is named.

use crate::config::wrong::failure::What;
use figment::value::Value;
use std::path::PathBuf;

/// The file that the value names, from the folder of the file that says so.
pub(super) fn path(value: &Value, folder: Option<PathBuf>) -> Result<PathBuf, What> {
    let found = match value {
        // joined with the folder it would be that
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

//! Reading a config file.

use crate::{Error, Result};
use figment::value::Dict;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Reads a YAML file, an empty one too; `None` where there is none.
///
/// # Errors
/// It can not be read, or it is not a YAML mapping: with path, line and column.
pub(super) fn read(path: &Path) -> Result<Option<(PathBuf, Dict)>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::from(error).context(format_args!("config file {}", path.display()))),
    };
    match yaml_serde::from_str::<Option<Dict>>(&text) {
        Ok(dict) => Ok(Some((path.to_path_buf(), dict.unwrap_or_default()))),
        Err(error) => {
            let place = error.location().map(|at| format!(":{}:{}", at.line(), at.column())).unwrap_or_default();
            Err(Error::from(error).context(format_args!("config file {}{place}", path.display())))
        }
    }
}

//! Parses the argument of `--set SECTION.KEY=VALUE`.

use super::said::{Origin, Value};

/// The key and its text, or what is wrong and how to fix it. A text that is not a key is not shown: it may contain a
/// secret.
pub(super) fn read(argument: &str) -> Result<Value, (String, &'static str)> {
    let parts = argument.split_once('=').and_then(|(path, text)| Some((path.split_once('.')?, text)));
    let is_key = |key: &str| key.split('.').all(|part| !part.is_empty()) && before_colon(key) == key;
    if let Some(((section, key), text)) = parts.filter(|((section, key), _)| !section.is_empty() && is_key(key)) {
        let origin = Origin::Flag(format!("set {section}.{key}"));
        return Ok(Value { section: section.to_string(), key: key.to_string(), text: text.to_string(), origin });
    }
    // Without a `=`, this text may be the value, so it is not shown.
    let is_of_key = |char: char| char.is_alphanumeric() || matches!(char, '.' | '-' | '_');
    if argument.split_once('.').is_some_and(|(section, key)| !section.is_empty() && is_key(key))
        && argument.chars().all(is_of_key)
    {
        let help = "write `=` and the value behind the key, as in `--set http.port=8080`";
        return Err(("flag --set: it does not say which value".to_string(), help));
    }
    let path = argument.split('=').next().unwrap_or_default();
    let help = if before_colon(path) == path {
        "write `--set SECTION.KEY=VALUE`, such as `--set http.port=8080`"
    } else {
        "write `=` for `:`, as in `--set http.port=8080`"
    };
    let shown = argument.find(|char| !is_of_key(char)).map_or("", |end| &argument[..end]);
    let flag = format!("flag --set {shown}");
    Err((format!("{}: it does not say which key", flag.trim_end()), help))
}

/// The part before a `:` that may have been written for `=`. `::` does not count: it is part of the names of libraries'
/// loggers.
fn before_colon(path: &str) -> &str {
    let bytes = path.as_bytes();
    let is_alone = |at: &usize| {
        bytes[*at] == b':'
            && bytes.get(at + 1) != Some(&b':')
            && at.checked_sub(1).is_none_or(|before| bytes[before] != b':')
    };
    (0..bytes.len()).find(is_alone).map_or(path, |at| &path[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_key_is_not_shown() {
        let wrong = |argument: &str| read(argument).map_err(|(what, help)| format!("{what} | {help}")).unwrap_err();
        let colon = "it does not say which key | write `=` for `:`, as in `--set http.port=8080`";
        assert_eq!(wrong("store.password:hunter2"), format!("flag --set store.password: {colon}"));
        assert_eq!(wrong("store.password: hunter2="), format!("flag --set store.password: {colon}"));
        let equals = "it does not say which key | write `--set SECTION.KEY=VALUE`, such as `--set http.port=8080`";
        assert_eq!(wrong("store.password/hunter2"), format!("flag --set store.password: {equals}"));
        let value =
            "it does not say which value | write `=` and the value behind the key, as in `--set http.port=8080`";
        for argument in ["hunter2.x", "store.tls.hunter2"] {
            assert_eq!(wrong(argument), format!("flag --set: {value}"));
        }
        assert_eq!(wrong("store."), format!("flag --set: {equals}"));
        for argument in
            ["store.password hunter2", "=hunter2", "store.pass:hunter2.x=y", "store.pass,hunter2", "hunter2"]
        {
            assert!(!wrong(argument).contains("hunter2"), "{argument}: {}", wrong(argument));
        }
        let value = read("logs.levels.hyper::proto=debug:x").unwrap();
        assert_eq!((&*value.key, &*value.text), ("levels.hyper::proto", "debug:x"));
    }
}

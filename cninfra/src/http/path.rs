//! Which paths a route can have.

use matchit::InsertError;

/// The limit of the router itself is higher, but exceeding that makes it panic.
const MAX_PARAMETERS: usize = 20;

/// What is wrong with a path, and after `: ` how to fix it. A valid path causes no panic in axum's router.
pub(super) fn check(path: &str) -> Result<(), &'static str> {
    check_text(path)?;
    matchit::Router::new().insert(path, ()).map_err(|error| match error {
        InsertError::InvalidParam => {
            "has a `{` or `}` that is not a parameter: write `{name}`, or `{{` and `}}` for the characters"
        }
        InsertError::InvalidParamSegment => {
            "has more than a parameter in a segment: write `/{name}`, or `/before-{name}` with text only before it"
        }
        InsertError::InvalidCatchAll => "goes on after `{*..}`: put it at the end, in a segment of its own",
        _ => "is none that can be routed: use plain segments and `{name}`",
    })
}

/// The part of [`check`] that a router does not find, and that needs none.
pub(super) fn check_text(path: &str) -> Result<(), &'static str> {
    if !path.starts_with('/') {
        return Err("does not start with `/`: write it with a `/` in front");
    }
    if !path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'?' && byte != b'#') {
        return Err("has a character that is in no path: write it percent-encoded, and leave out query and fragment");
    }
    // Called for each route during a start, so it works on bytes.
    if path.as_bytes().windows(2).any(|two| two[0] == b'/' && matches!(two[1], b':' | b'*')) {
        return Err(
            "has a segment that starts with `:` or `*`: write `{name}` for a segment, `{*rest}` for all that follows",
        );
    }
    let braces = path.bytes().filter(|byte| *byte == b'{').count();
    // An escaped brace is not a parameter.
    if braces > MAX_PARAMETERS && braces - 2 * path.matches("{{").count() > MAX_PARAMETERS {
        return Err("has more than 20 parameters: take what follows in one, by `{*rest}`");
    }
    Ok(())
}

/// Whether it may match more than one path, because it has a brace, which may be a parameter.
pub(super) fn is_pattern(path: &str) -> bool {
    path.bytes().any(|byte| byte == b'{' || byte == b'}')
}

/// Whether the router would refuse the two in one table.
pub(super) fn conflict(a: &str, b: &str) -> bool {
    let mut router = matchit::Router::new();
    router.insert(a, ()).is_ok() && router.insert(b, ()).is_err()
}

/// Whether there is a request that both would answer. The paths have to be valid.
pub(super) fn meet(a: &str, b: &str) -> bool {
    // An escaped brace is not a parameter.
    let (a, b) = (a.replace("{{", "\u{1}"), b.replace("{{", "\u{1}"));
    let (mut a, mut b) = (a.split('/'), b.split('/'));
    loop {
        let (a, b) = match (a.next(), b.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) => (a, b),
            _ => return false,
        };
        if a.starts_with("{*") || b.starts_with("{*") {
            return true;
        }
        let same = match (a.split_once('{'), b.split_once('{')) {
            (None, None) => a == b,
            (Some((before, _)), None) => b.len() > before.len() && b.starts_with(before),
            (None, Some((before, _))) => a.len() > before.len() && a.starts_with(before),
            (Some((a, _)), Some((b, _))) => a.starts_with(b) || b.starts_with(a),
        };
        if !same {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_paths() {
        let escaped = "/{{a}}".repeat(20);
        for path in [&*escaped, "/", "/a", "/a/", "/a/{b}", "/a/{b}/c/{d}", "/{*all}", "/a-{b}", "/a/{{b}}", "/%C3%A4"]
        {
            assert_eq!(check(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn a_wrong_path_is_told_with_the_mend() {
        let many = "/{a}".repeat(30);
        for (path, part) in [
            ("", "start with `/`"),
            ("a", "start with `/`"),
            ("/:a", "write `{name}`"),
            ("/*a", "write `{name}`"),
            ("/a b", "percent-encoded"),
            ("/ä", "percent-encoded"),
            ("/a?b", "leave out query"),
            ("/{a", "write `{name}`"),
            ("/a}", "write `{name}`"),
            ("/{}", "write `{name}`"),
            ("/{a}{b}", "more than a parameter"),
            ("/{a}b", "text only before it"),
            ("/{*a}/b", "put it at the end"),
            (many.as_str(), "more than 20"),
        ] {
            let wrong = check(path).unwrap_err();
            assert!(wrong.contains(part) && wrong.contains(": "), "{path}: {wrong}");
        }
    }

    #[test]
    fn what_passes_never_panics_in_axum() {
        // All paths of up to five of these pieces.
        let pieces = ["/", "a", "{a}", "{*b}", "{{", "}}", "{", "}", ":", "*", ""];
        let (mut taken, mut paths) = (0, vec![String::new()]);
        for _ in 0..5 {
            paths = paths.iter().flat_map(|path| pieces.map(|piece| format!("{path}{piece}"))).collect();
            paths.sort();
            paths.dedup();
            for path in paths.iter().filter(|path| check(path).is_ok()) {
                let _ = axum::Router::<()>::new().route(path, axum::routing::get(async || ""));
                taken += 1;
            }
        }
        assert!(taken > 100, "{taken}");
    }
}

//! The error about a name that the graph does not know, with a suggestion.

use super::{Graph, Node, instance::base, text::Text};

/// How many names a message lists at most if none is similar.
const LISTED: usize = 8;
/// Longer names are not compared.
const LONGEST: usize = 48;

/// Fails because no plugin, or more than one, has this name.
#[track_caller]
pub(super) const fn fail(graph: &Graph, name: &str, is_known: bool) -> ! {
    let mut message = Text::<2400>::new();
    let what = if is_known { "more than one plugin" } else { "no plugin" };
    message.put_all(&["CN024: flavor `", graph.name(), "` has ", what, " named `", name, "`\n= help: "]);
    if is_known {
        message.put("use `GRAPH.edges()`, or compare the indexes in `GRAPH.nodes()` by module");
    } else if let Some(near) = nearest(graph.nodes, name) {
        message.put_all(&["did you mean `", near, "`?"]);
    } else if graph.is_empty() {
        message.put("the flavor has no plugins");
    } else {
        message.put("plugins are named after their types: ");
        let mut i = 0;
        while i < graph.names.len() && i < LISTED {
            message.put_all(&[if i == 0 { "`" } else { ", `" }, graph.names[i], "`"]);
            i += 1;
        }
        if i < graph.names.len() {
            message.put(" and ");
            message.put_number(graph.names.len() - i);
            message.put(" more");
        }
    }
    panic!("{}", message.as_str())
}

/// The plugin whose name is similar, or whose instance name or field has this name.
const fn nearest(nodes: &[Node], name: &str) -> Option<&'static str> {
    let mut best = None;
    let mut least = 3;
    let mut left = nodes;
    while let [node, rest @ ..] = left {
        left = rest;
        let near = if alike(name, node.name())
            || alike(name, base(node.name()))
            || alike(name, node.instance())
            || alike(name, node.field())
        {
            0
        } else {
            distance(name.as_bytes(), node.name().as_bytes())
        };
        if near < least && 2 * near < name.len() {
            (best, least) = (Some(node.name()), near);
        }
    }
    best
}

/// Whether the two are equal except for case, `-` and `_`.
const fn alike(a: &str, b: &str) -> bool {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        while let [b'-' | b'_', rest @ ..] = a {
            a = rest;
        }
        while let [b'-' | b'_', rest @ ..] = b {
            b = rest;
        }
        match (a, b) {
            ([], []) => return true,
            ([x, more @ ..], [y, others @ ..]) if x.eq_ignore_ascii_case(y) => (a, b) = (more, others),
            _ => return false,
        }
    }
}

/// The edit distance: how many letters have to be inserted, removed or replaced.
const fn distance(a: &[u8], b: &[u8]) -> usize {
    if a.len() > LONGEST || b.len() > LONGEST {
        return LONGEST;
    }
    let mut row = [0; LONGEST + 1];
    let mut j = 0;
    while j <= b.len() {
        row[j] = j;
        j += 1;
    }
    let mut i = 0;
    while i < a.len() {
        let mut corner = row[0];
        row[0] = i + 1;
        let mut j = 0;
        while j < b.len() {
            let changed = corner + (a[i] != b[j]) as usize;
            corner = row[j + 1];
            let other = if corner < row[j] { corner + 1 } else { row[j] + 1 };
            row[j + 1] = if changed < other { changed } else { other };
            j += 1;
        }
        i += 1;
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_differ_are_counted() {
        let counted = |a: &str, b: &str| distance(a.as_bytes(), b.as_bytes());
        assert_eq!([counted("Store", "Store"), counted("Stroe", "Store"), counted("Stor", "Store")], [0, 2, 1]);
        assert_eq!([counted("", "abc"), counted("abc", ""), counted("kitten", "sitting")], [3, 3, 3]);
    }

    #[test]
    fn what_is_called_so_elsewhere_is_alike() {
        assert!(alike("http-server", "HttpServer") && alike("httpServer", "http_server") && alike("", "-"));
        assert!(!alike("http", "https") && !alike("a", "b"));
    }
}

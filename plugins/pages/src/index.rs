//! `/agent`: the list of the pages.

use crate::answer::Html;
use cninfra::{BuildInfo, http::escaped};
use serde::Serialize;
use std::fmt::Write as _;

#[derive(Serialize)]
pub(crate) struct Body<'a> {
    pub(crate) agent: &'a str,
    pub(crate) flavor: &'static str,
    pub(crate) version: &'static str,
    pub(crate) pages: Vec<PageBody>,
}

/// A page: its path, and what it shows.
#[derive(Serialize)]
pub(crate) struct PageBody {
    pub(crate) path: &'static str,
    pub(crate) shows: &'static str,
}

impl<'a> Body<'a> {
    pub(crate) fn new(agent: &'a str, flavor: &'static str, build: BuildInfo, pages: Vec<PageBody>) -> Self {
        Body { agent, flavor, version: build.version, pages }
    }
}

/// All links are relative, here to `/agent`.
pub(crate) fn page(pages: &[PageBody]) -> Html {
    let mut page = String::from("<table>\n<tbody>\n");
    for PageBody { path, shows } in pages {
        let (link, shows) = (path.trim_start_matches('/'), escaped(shows));
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            page,
            "<tr><td><a href=\"{link}\"><code>{path}</code></a></td><td class=\"text\">{shows}</td></tr>"
        );
    }
    page + "</tbody>\n</table>\n"
}

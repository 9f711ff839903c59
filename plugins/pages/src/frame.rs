//! [`Frame`]: the header and the navigation around the content of each page.

use cninfra::{
    BuildInfo,
    http::{
        Page,
        axum::response::{IntoResponse, Response},
        escaped,
    },
};

/// The style of all pages of this plugin.
const STYLE: &str = include_str!("pages.css");

/// The pages: the last segment of the path, and the title. Links are relative, so that they work behind a proxy that
/// adds a prefix to the path.
const PAGES: [(&str, &str); 4] =
    [("status", "Status"), ("graph", "Graph"), ("timeline", "Timeline"), ("config", "Config")];

/// What surrounds the content of a page.
pub(crate) struct Frame<'a> {
    pub(crate) title: &'static str,
    pub(crate) label: &'a str,
    pub(crate) flavor: &'static str,
    pub(crate) build: BuildInfo,
    /// Whether the server lists its routes.
    pub(crate) has_index: bool,
    /// Whether it is the page `/agent` itself, from which links lead down.
    pub(crate) is_top: bool,
}

impl Frame<'_> {
    pub(crate) fn around(&self, content: &str) -> Response {
        let Frame { title, label, flavor, build, has_index, is_top } = self;
        let (down, up, top) = if *is_top { ("agent/", "./", "agent") } else { ("", "../", "../agent") };
        let link = |(path, name): (&str, &str)| {
            let current = if name == *title { " aria-current=\"page\"" } else { "" };
            let down = if path == up { "" } else { down };
            format!("<a href=\"{down}{path}\"{current}>{name}</a>\n")
        };
        let index = has_index.then_some((up, "Routes"));
        let links: String = PAGES.into_iter().chain(index).map(link).collect();
        let (name, build) = (escaped(label), build.to_string());
        let body = format!(
            "<header>\n<p class=\"agent\"><strong><a href=\"{top}\">{name}</a></strong> {} {}</p>\n<nav aria-label=\"Pages\">\n{links}</nav>\n</header>\n\
             <main>\n<h1>{title}</h1>\n{content}</main>\n",
            escaped(flavor),
            escaped(&build),
        );
        Page::new(format!("{label}: {title}")).style(STYLE).body(body).into_response()
    }
}

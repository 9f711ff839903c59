//! [`Page`]: a self-contained page for people.

use crate::marks::is_mark;
use axum::{
    http::{
        HeaderMap,
        header::{
            ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
        },
    },
    response::{Html, IntoResponse, Response},
};
use std::fmt::{self, Write as _};

/// Allows nothing but the page itself and its style: no script, and nothing from elsewhere. Nor may another page embed
/// it.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The style of all pages, light and dark.
const STYLE: &str = include_str!("page.css");

/// A self-contained page: no script, and no style, font or image from elsewhere. It is light or dark, as the browser
/// prefers.
///
/// Its response has a `Content-Security-Policy` that allows nothing else, is not cached, and has a `Vary` header for
/// `Accept`.
///
/// ```
/// use cninfra::http::{Page, Routes, escaped};
///
/// let names = ["alice", "<bob>"];
/// let list: String = names.iter().map(|name| format!("<li>{}</li>", escaped(name))).collect();
/// let page = Page::new("Contacts").body(format!("<h1>Contacts</h1><ul>{list}</ul>"));
/// assert!(page.to_string().contains("<li>&lt;bob&gt;</li>"));
///
/// let routes: Routes = Routes::new().get("/contacts", async move || page.clone());
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Page {
    title: String,
    style: &'static str,
    body: String,
}

impl Page {
    /// A page without content. The title is a text, and is escaped here.
    pub fn new(title: impl Into<String>) -> Self {
        Page { title: title.into(), style: "", body: String::new() }
    }

    /// Adds a style sheet to the one that all pages have.
    pub fn style(self, style: &'static str) -> Self {
        Page { style, ..self }
    }

    /// Sets the content: HTML. Texts in it have to be [`escaped`].
    pub fn body(self, body: impl Into<String>) -> Self {
        Page { body: body.into(), ..self }
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Page { title, style, body } = self;
        let title = escaped(title);
        write!(
            f,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<style>\n{STYLE}{style}</style>\n</head>\n\
             <body>\n{body}</body>\n</html>\n"
        )
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let headers: [(HeaderName, &str); 5] = [
            (CONTENT_SECURITY_POLICY, POLICY),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (REFERRER_POLICY, "no-referrer"),
            (CACHE_CONTROL, "no-store"),
            (VARY, "accept"),
        ];
        (headers, Html(self.to_string())).into_response()
    }
}

/// Whether the client prefers a page to JSON. A browser asks for HTML explicitly. A client that accepts anything gets
/// JSON.
#[must_use]
pub fn wants_html(headers: &HeaderMap) -> bool {
    let accept = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let types: Vec<&str> = accept.flat_map(|value| value.split(',')).collect();
    // The quality of a type; of two with the same quality, the one that is named first is preferred.
    let wanted = |name: &str| {
        types.iter().enumerate().find_map(|(place, one)| {
            let mut parts = one.split(';').map(str::trim);
            parts.next().filter(|kind| kind.eq_ignore_ascii_case(name))?;
            let quality = parts
                .filter_map(|part| part.split_once('='))
                .find(|(name, _)| name.trim_end().eq_ignore_ascii_case("q"))
                .map_or(Ok(1.0), |(_, value)| value.trim_start().parse::<f32>());
            Some((quality.ok().filter(|quality| *quality > 0.0)?, types.len() - place))
        })
    };
    wanted("text/html") > wanted("application/json")
}

/// A text, escaped for HTML and XML, also in attributes: nothing in it is markup. Characters that would change how the
/// text is displayed (control characters, changes of direction) are made visible, as `\u{202e}`.
pub fn escaped(text: &str) -> impl fmt::Display + '_ {
    Escaped(text)
}

struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for char in self.0.chars() {
            match char {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '\n' | '\t' => f.write_char(char)?,
                char if is_mark(char) => write!(f, "{}", char.escape_unicode())?,
                char => f.write_char(char)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_page_is_for_who_wants_it_more_than_json() {
        for (accept, html) in [
            ("text/html", true),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
            ("text/html;q=1, */*", true),
            ("Text/HTML", true),
            ("text/html;level=1;q=0.5, application/json;q=0.4", true),
            ("text/html, application/json", true),
            ("application/json, text/html", false),
            ("text/html;q=0.1, application/json", false),
            ("text/html;q=0", false),
            ("text/html; Q=0.1, application/json", false),
            ("text/html; Q=0", false),
            ("text/html;q=x", false),
            ("text/html;q=nan", false),
            ("text/html ; q = 0 ", false),
            (" text/html ; level=1 ; Q = 0.5 , application/json ; q = 0.4 ", true),
            ("*/*", false),
            ("text/*", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(wants_html(&headers), html, "{accept}");
        }
        assert!(!wants_html(&HeaderMap::new()));
    }

    #[test]
    fn what_steers_a_text_is_shown() {
        let shown = escaped("a\u{202e}b\u{2066}\u{200f}\u{61c}\u{1b}[2J\u{9b}\n\tü<").to_string();
        assert_eq!(shown, "a\\u{202e}b\\u{2066}\\u{200f}\\u{61c}\\u{1b}[2J\\u{9b}\n\tü&lt;");
    }

    #[test]
    fn a_page_needs_nothing_else() {
        let page = Page::new("<script>&").body("x").to_string();
        assert!(page.contains("<title>&lt;script&gt;&amp;</title>"), "{page}");
        for part in ["<script", "<link", "http://", "https://", "url(", "@import", "src="] {
            assert!(!page.contains(part), "{part}: {page}");
        }
        let headers = Page::new("").into_response().headers().clone();
        let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        assert_eq!(headers["content-security-policy"], policy);
        assert_eq!(
            (&headers["cache-control"], &headers["x-content-type-options"]),
            (&"no-store".parse().unwrap(), &"nosniff".parse().unwrap())
        );
    }
}

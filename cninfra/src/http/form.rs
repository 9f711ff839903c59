//! [`wanted_form`]: the form of an answer that a client wants, if there are several.

use super::{Query, page::wants_html};
use axum::http::{HeaderMap, Uri};
use serde::Deserialize;

/// The query of such a request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormQuery {
    format: Option<String>,
}

/// The form of an answer that is wanted, if there is one for people and one for programs: `html` or `json`, or one of
/// `others`, the further forms available. The query `?format=` chooses it. Without that query, it is `html` for a
/// client that [prefers HTML](wants_html), and `json` for all others.
///
/// ```
/// use cninfra::http::{axum::http::{HeaderMap, Uri}, wanted_form};
///
/// let wanted = |uri| wanted_form(&HeaderMap::new(), &Uri::from_static(uri), &["dot"]);
/// assert_eq!(wanted("/graph"), Ok("json"));
/// assert_eq!(wanted("/graph?format=dot"), Ok("dot"));
/// assert_eq!(wanted("/graph?format=xml"), Err("no format `xml`; one of json, html, dot".to_string()));
/// ```
///
/// # Errors
/// The query asks for a form that is not available, or has something else in it. The text says what was asked for and
/// what is available. It is meant for an answer with 400.
pub fn wanted_form(headers: &HeaderMap, uri: &Uri, others: &[&'static str]) -> Result<&'static str, String> {
    let Query(FormQuery { format }) = Query::of(uri).map_err(|refused| refused.to_string())?;
    let Some(format) = format else { return Ok(if wants_html(headers) { "html" } else { "json" }) };
    let all = [&["json", "html"], others].concat();
    let known = all.iter().copied().find(|known| *known == format);
    known.ok_or_else(|| format!("no format `{format}`; one of {}", all.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderValue, header::ACCEPT};

    #[test]
    fn the_query_goes_over_the_header() {
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("text/html"))]);
        let wanted = |query: &str| wanted_form(&headers, &query.parse().unwrap(), &["text"]);
        for (uri, form) in [
            ("/", "html"),
            ("/?", "html"),
            ("/?format=json", "json"),
            ("/?format=html", "html"),
            ("/?format=h%74ml", "html"),
            ("/?format=text", "text"),
        ] {
            assert_eq!(wanted(uri), Ok(form), "{uri}");
        }
        for (uri, part) in [
            ("/?format=xml", "no format `xml`; one of json, html, text"),
            ("/?format=HTML", "no format `HTML`"),
            ("/?format=", "no format ``"),
            ("/?fromat=html", "unknown field `fromat`, expected `format`"),
            ("/?format=html&format=json", "duplicate field `format`"),
        ] {
            let told = wanted(uri).unwrap_err();
            assert!(told.contains(part), "{uri}: {told}");
        }
    }
}

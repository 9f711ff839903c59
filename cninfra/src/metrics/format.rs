//! [`Format`]: how metrics are written.

/// How metrics are written.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub enum Format {
    /// Prometheus' text format, version 0.0.4, which every scraper reads.
    #[default]
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

const OPEN: &str = "application/openmetrics-text";

impl Format {
    /// The format for a request with this `Accept` header: OpenMetrics, if it is named explicitly and nothing else is
    /// preferred.
    ///
    /// ```
    /// use cninfra::metrics::Format;
    ///
    /// let prometheus = "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    /// assert_eq!(Format::of_accept(prometheus), Format::OpenMetrics);
    /// assert_eq!(Format::of_accept("text/html, */*"), Format::Text);
    /// ```
    #[must_use]
    pub fn of_accept(accept: &str) -> Self {
        let (mut open, mut text) = (0.0, 0.0);
        // Media types, names of parameters and these versions are not case-sensitive.
        let accept = accept.to_ascii_lowercase();
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let Some(kind) = parts.next() else { continue };
            let mut likes = 1.0;
            let mut is_known = true;
            for (name, value) in parts.filter_map(|part| part.split_once('=')) {
                match name.trim() {
                    "q" => likes = value.trim().parse().unwrap_or(0.0),
                    // Versions 0.0.1 and 1.0.0 have the same form for everything that is exposed here.
                    "version" if kind == OPEN => is_known = matches!(value.trim().trim_matches('"'), "1.0.0" | "0.0.1"),
                    _ => {}
                }
            }
            match kind {
                OPEN if is_known => open = f64::max(open, likes),
                "text/plain" | "text/*" | "*/*" => text = f64::max(text, likes),
                _ => {}
            }
        }
        if open > 0.0 && open >= text { Format::OpenMetrics } else { Format::Text }
    }

    /// The value of the header `Content-Type`.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Format::Text => "text/plain; version=0.0.4; charset=utf-8",
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_scraper_asks_for() {
        for (accept, format) in [
            ("", Format::Text),
            ("*/*", Format::Text),
            ("text/plain;version=0.0.4", Format::Text),
            ("application/openmetrics-text", Format::OpenMetrics),
            ("application/openmetrics-text; version=1.0.0; charset=utf-8", Format::OpenMetrics),
            ("application/openmetrics-text;version=2.0.0", Format::Text),
            ("application/openmetrics-text;q=0.3,text/plain;q=0.5", Format::Text),
            ("application/openmetrics-text;q=0", Format::Text),
            ("application/openmetrics-text;q=oops", Format::Text),
            ("Application/OpenMetrics-Text", Format::OpenMetrics),
            (
                " application/openmetrics-text ; Version = \"1.0.0\" ; Q = 0.6 , TEXT/plain ; Q = 0.5",
                Format::OpenMetrics,
            ),
            ("APPLICATION/OPENMETRICS-TEXT;Q=0, */*", Format::Text),
            ("application/openmetrics-text;q=0.5,Text/Plain;q=0.8", Format::Text),
            ("application/openmetrics-text;VERSION=2.0.0", Format::Text),
            ("text/plain;q=0.5;version=0.0.4, application/openmetrics-text;version=0.0.1;q=0.75", Format::OpenMetrics),
        ] {
            assert_eq!(Format::of_accept(accept), format, "{accept}");
        }
    }
}

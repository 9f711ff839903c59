//! Where a macro is invoked, of which identities are made.

/// The package, crate and file of an item. Not its line: an edit above a plugin would change the plugin's type.
#[derive(Default)]
pub(crate) struct Source {
    pub(crate) package: String,
    pub(crate) version: String,
    pub(crate) crate_name: String,
    /// Relative to the package if possible, so that it is the same on every machine.
    pub(crate) file: String,
}

impl Source {
    /// That of the macro that is being expanded.
    pub(crate) fn here() -> Self {
        let env = |name| std::env::var(name).unwrap_or_default();
        let file = proc_macro::Span::call_site().file().replace('\\', "/");
        let root = env("CARGO_MANIFEST_DIR").replace('\\', "/");
        let file = match file.strip_prefix(&root) {
            Some(rest) if !root.is_empty() => rest.trim_start_matches('/').to_string(),
            _ => file,
        };
        Source {
            package: env("CARGO_PKG_NAME"),
            version: env("CARGO_PKG_VERSION"),
            crate_name: env("CARGO_CRATE_NAME"),
            file,
        }
    }
}

/// An empty span at the end of `span` that belongs to the macro: rustc does not take tokens there for the user's.
pub(crate) fn end_of(span: proc_macro2::Span) -> proc_macro2::Span {
    if !proc_macro::is_available() {
        return span;
    }
    span.unwrap().end().resolved_at(proc_macro::Span::call_site()).into()
}

/// The tokens in the parentheses of an attribute. For `#[plugin = "x"]`, rustc reports the error, and passes what is
/// after the `=`, which is ignored here.
pub(crate) fn arguments(tokens: proc_macro::TokenStream) -> proc_macro2::TokenStream {
    let begins_with_a_value = matches!(tokens.clone().into_iter().next(), Some(proc_macro::TokenTree::Literal(_)));
    let is_told = begins_with_a_value
        && proc_macro::Span::call_site()
            .source_text()
            .is_some_and(|text| text.find(['(', '=']).is_some_and(|at| text[at..].starts_with('=')));
    if is_told { proc_macro2::TokenStream::new() } else { tokens.into() }
}

//! `/agent/config`: the value in force for each key, and its origin.

use crate::answer::Html;
use cninfra::{
    config::{EffectiveSection, EffectiveValue},
    http::escaped,
};
use serde::Serialize;
use std::fmt::Write as _;

#[derive(Serialize)]
pub(crate) struct Body<'a> {
    pub(crate) agent: &'a str,
    /// What is wrong with the current files: the sections keep their previous values.
    pub(crate) mistakes: &'a [String],
    pub(crate) sections: &'a [EffectiveSection],
}

pub(crate) fn page(sections: &[EffectiveSection], mistakes: &[String]) -> Html {
    let mut page = String::new();
    if !mistakes.is_empty() {
        page.push_str("<div class=\"note warn\"><p>The files have changed and are not valid: the previous values stay in force, but a new start would end with this.</p>\n<ul>\n");
        mistakes.iter().for_each(|mistake| {
            // Writing to a `String` cannot fail.
            let _ = writeln!(page, "<li>{}</li>", escaped(mistake));
        });
        page.push_str("</ul></div>\n");
    }
    for section in sections.iter().filter(|section| !section.values.is_empty()) {
        let name = escaped(section.name);
        // Writing to a `String` cannot fail.
        let _ = writeln!(page, "<h2><code>{name}</code></h2>");
        if section.outdated {
            page.push_str("<p class=\"note warn\">Its files have changed: a new start of the agent will see it.</p>\n");
        }
        page.push_str("<div class=\"wide\" tabindex=\"0\">\n<table class=\"rows keys\">\n<thead><tr><th>Key</th><th>Value</th><th>Origin</th></tr></thead>\n<tbody>\n");
        section.values.iter().for_each(|value| put(&mut page, value));
        page.push_str("</tbody>\n</table>\n</div>\n");
    }
    page
}

fn put(page: &mut Html, value: &EffectiveValue) {
    let (key, text) = (value.key(), value.text());
    let (key, text, origin) = (escaped(&key), escaped(&text), escaped(value.origin()));
    let class = if value.is_default() { " class=\"default\"" } else { "" };
    let secret = if value.is_secret() { " <span class=\"dim\">a secret</span>" } else { "" };
    let _ = writeln!(
        page,
        "<tr{class}><td><code>{key}</code></td><td class=\"text\"><code>{text}</code>{secret}</td><td class=\"text\">{origin}</td></tr>"
    );
}

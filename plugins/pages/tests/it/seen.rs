//! The pages as a browser draws them: light and dark, wide and narrow. What it has drawn is measured, and kept as pictures below the target directory
//! (`tmp/pages`), for people to look at.

use crate::{
    browser::{Browser, is_there},
    forty::start,
};
use serde_json::Value;

/// All labels, and what a label of something else may not be over, each with where it is drawn.
const DRAWN: &str =
    "[...document.querySelectorAll('.graph text, .graph .box, .scale span, .gantt code, td.time, nav a')]
    .map(e => { const r = e.getBoundingClientRect(); return {
        text: e.textContent, label: !e.matches('.box'), of: e.closest('.node')?.id ?? '',
        left: r.left, right: r.right, top: r.top, bottom: r.bottom } })
    .filter(e => e.right > e.left)";

#[derive(Debug)]
struct Drawn {
    text: String,
    label: bool,
    /// The plugin's node that it is of.
    of: String,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Drawn {
    fn all(browser: &mut Browser) -> Vec<Self> {
        let read = |value: &Value| {
            let number = |key: &str| value[key].as_f64().unwrap();
            Drawn {
                text: value["text"].as_str().unwrap().to_string(),
                label: value["label"] == true,
                of: value["of"].as_str().unwrap().to_string(),
                left: number("left"),
                right: number("right"),
                top: number("top"),
                bottom: number("bottom"),
            }
        };
        browser.ask(DRAWN).as_array().unwrap().iter().map(read).collect()
    }

    fn overlaps(&self, other: &Drawn) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }

    fn is_in(&self, other: &Drawn) -> bool {
        self.left >= other.left && self.right <= other.right && self.top >= other.top && self.bottom <= other.bottom
    }
}

/// Labels over each other, over another plugin, or out of their own.
fn overlaps(drawn: &[Drawn]) -> Vec<(&Drawn, &Drawn)> {
    let mut found = Vec::new();
    for (i, one) in drawn.iter().enumerate() {
        for other in &drawn[..i] {
            let wrong = match (one.label, other.label) {
                (false, false) => one.overlaps(other),
                (true, true) => one.overlaps(other),
                _ if !one.of.is_empty() && one.of == other.of => {
                    let (label, node) = if one.label { (one, other) } else { (other, one) };
                    !label.is_in(node)
                }
                _ => one.overlaps(other),
            };
            if wrong {
                found.push((one, other));
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn no_label_overlaps_another_light_and_dark_wide_and_narrow() {
    if !is_there() {
        return;
    }
    let (agent, addr) = start().await;
    let looked = tokio::task::spawn_blocking(move || {
        let mut browser = Browser::start();
        for (width, dark) in [(1280, false), (1280, true), (480, false), (480, true)] {
            browser.look(width, dark);
            for (path, least) in [("graph", 40 * 3), ("timeline", 40 * 4), ("status", 4), ("config", 4)] {
                let url = format!("http://{addr}/agent/{path}");
                browser.open(&url);
                let scheme = if dark { "dark" } else { "light" };
                let picture = browser.picture(&format!("{path}-{width}-{scheme}"));
                let drawn = Drawn::all(&mut browser);
                assert!(drawn.len() >= least, "{url}: {}", drawn.len());
                let wrong = overlaps(&drawn);
                assert!(wrong.is_empty(), "{}: {wrong:#?}", picture.display());
                // its own scroller is as wide as it is; the page is not
                let widest = browser.ask("document.documentElement.scrollWidth");
                assert_eq!(widest, width, "{}", picture.display());
            }
        }
    });
    looked.await.unwrap();
    agent.close().await.unwrap();
}

//! Tests of the pages as a browser draws them: light and dark, wide and narrow. The drawn pages are measured, and saved
//! as pictures below the target directory (`tmp/pages`), for people to look at.

use crate::{
    browser::{Browser, is_there},
    forty::start,
};
use serde_json::Value;

/// All labels, and everything else that a label must not overlap, each with its position.
const DRAWN: &str =
    "[...document.querySelectorAll('.graph text, .graph .box, .scale span, .gantt code, td.time, nav a')]
    .map(e => { const r = e.getBoundingClientRect(); return {
        text: e.textContent, label: !e.matches('.box'), of: e.closest('.node')?.id ?? '',
        left: r.left, right: r.right, top: r.top, bottom: r.bottom } })
    .filter(e => e.right > e.left)";

#[derive(Debug)]
struct Drawn {
    #[expect(dead_code, reason = "it is told when something is wrong")]
    text: String,
    label: bool,
    /// The node of the plugin that it belongs to.
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

/// Labels that overlap each other or another plugin, or extend beyond their own.
fn overlaps(drawn: &[Drawn]) -> Vec<String> {
    let mut found = Vec::new();
    for (i, one) in drawn.iter().enumerate() {
        for other in &drawn[..i] {
            let wrong = match (one.label, other.label) {
                (true, false) if one.of == other.of => !one.is_in(other),
                (false, true) if one.of == other.of => !other.is_in(one),
                _ => one.overlaps(other),
            };
            if wrong {
                found.push(format!("{one:?} and {other:?}"));
            }
        }
    }
    found
}

/// Texts that are hard to read: their contrast to the background is below that of WCAG's level AA.
const FAINT: &str = "(() => {
    const rgb = s => s.match(/[\\d.]+/g).map(Number);
    const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
        return .2126 * r + .7152 * g + .0722 * b; };
    const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] !== 0) return c; } };
    const back = rgb(getComputedStyle(document.body).backgroundColor);
    const shown = [...document.querySelectorAll('h1, h2, p, a, td, th, dt, dd, code, span, b, strong, .graph text')];
    return shown.filter(e => e.childNodes.length && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())).map(e => {
        const svg = e instanceof SVGElement, style = getComputedStyle(e);
        const text = rgb(svg ? style.fill : style.color).slice(0, 3), ground = (svg ? back : behind(e)).slice(0, 3);
        const [a, b] = [light(text), light(ground)].sort((a, b) => b - a);
        return [(a + .05) / (b + .05), e.textContent.slice(0, 40), style.color]; }).filter(([ratio]) => !(ratio >= 4.5));
})()";

#[tokio::test(flavor = "multi_thread")]
async fn no_label_overlaps_another_light_and_dark_wide_and_narrow() {
    if !is_there() {
        return;
    }
    let (agent, addr) = start().await;
    let looked = tokio::task::spawn_blocking(move || {
        let mut browser = Browser::start();
        for (width, dark) in [(1280, false), (1280, true), (800, false), (480, false), (480, true), (400, true)] {
            browser.look(width, dark);
            for (path, least) in [("graph", 40 * 3), ("timeline", 40 * 4), ("status", 4), ("config", 4)] {
                let url = format!("http://{addr}/agent/{path}");
                browser.open(&url);
                let scheme = if dark { "dark" } else { "light" };
                let picture = browser.picture(&format!("{path}-{width}-{scheme}"));
                let shown = picture.display();
                let drawn = Drawn::all(&mut browser);
                assert!(drawn.len() >= least, "{shown}: {}", drawn.len());
                assert_eq!(overlaps(&drawn), [""; 0], "{shown}");
                // Wider content scrolls by itself.
                assert_eq!(browser.ask("document.documentElement.scrollWidth"), width, "{shown}");
                let ground = if dark { "rgb(15, 19, 23)" } else { "rgb(255, 255, 255)" };
                assert_eq!(browser.ask("getComputedStyle(document.body).backgroundColor"), ground, "{shown}");
                assert_eq!(browser.ask(FAINT), Value::Array(vec![]), "{shown}");
                // Only the page itself is requested, and nothing in it is refused.
                assert_eq!(browser.requests(), [&*url], "{shown}");
                assert_eq!(browser.complaints(), [""; 0], "{shown}");
                assert_eq!(browser.ask("document.scripts.length"), 0, "{shown}");
            }
            browser.open(&format!("http://{addr}/"));
            browser.picture(&format!("index-{width}"));
            assert_eq!(browser.ask("document.documentElement.scrollWidth"), width, "the list of the routes");
        }
    });
    looked.await.unwrap();
    agent.close().await.unwrap();
}

/// Gives plugins names of sixty characters, with and without hyphens, and reasons of a few lines, with and without
/// spaces.
const LONG: &str = "document.querySelectorAll('tbody tr').forEach((row, n) => {
    const name = row.querySelector('code'), long = ['a-name-of-'.repeat(6), 'x'.repeat(60), name.textContent];
    name.textContent = long[n % 3];
    const reason = row.querySelector('.text');
    reason.textContent = [reason.textContent, 'no route to host; it is tried again, and '.repeat(6), 'x'.repeat(200)][n % 3];
    [...row.querySelectorAll('.time')][0].textContent = '364days 23h 59m 59s'; })";

/// The cells of each row that overlap, or that are not completely visible without scrolling.
const CUT: &str = "[...document.querySelectorAll('tbody tr')].flatMap(row => {
    const all = [...row.children].map(e => { const range = document.createRange(); range.selectNodeContents(e);
        const r = range.getBoundingClientRect(); return { text: e.textContent, l: r.left, r: r.right, t: r.top, b: r.bottom }; });
    const over = (a, b) => a.l < b.r && b.l < a.r && a.t < b.b && b.t < a.b;
    return all.filter((e, n) => e.r > innerWidth || e.l < 0 || all.slice(0, n).some(other => over(e, other))).map(e => e.text); })";

#[tokio::test(flavor = "multi_thread")]
async fn all_of_the_states_is_seen_however_narrow_the_window_and_long_the_names_are() {
    if !is_there() {
        return;
    }
    let (agent, addr) = start().await;
    let looked = tokio::task::spawn_blocking(move || {
        let mut browser = Browser::start();
        for (width, dark) in [(1280, false), (800, false), (800, true), (400, false), (400, true), (320, false)] {
            browser.look(width, dark);
            browser.open(&format!("http://{addr}/agent/status"));
            browser.ask(LONG);
            let scheme = if dark { "dark" } else { "light" };
            let picture = browser.picture(&format!("status-long-{width}-{scheme}"));
            let shown = picture.display();
            assert_eq!(browser.ask(CUT), Value::Array(vec![]), "{shown}");
            assert_eq!(browser.ask("document.documentElement.scrollWidth"), width, "{shown}");
            assert_eq!(browser.ask(FAINT), Value::Array(vec![]), "{shown}");
        }
    });
    looked.await.unwrap();
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_overlaps_is_seen() {
    if !is_there() {
        return;
    }
    let (agent, addr) = start().await;
    let looked = tokio::task::spawn_blocking(move || {
        let mut browser = Browser::start();
        browser.look(1280, false);
        browser.open(&format!("http://{addr}/agent/graph"));
        for (spoil, seen) in [
            ("document.querySelector('#n3 .name').textContent = 'a name that is longer than its box'", "its box"),
            ("document.querySelector('#n3 .word').setAttribute('y', 22)", "n3"),
            (
                "document.querySelector('#n7').setAttribute('transform', document.querySelector('#n8').getAttribute('transform'))",
                "n7",
            ),
        ] {
            browser.ask(spoil);
            let wrong = overlaps(&Drawn::all(&mut browser));
            assert!(wrong.iter().any(|wrong| wrong.contains(seen)), "{spoil}: {wrong:?}");
        }
        assert_eq!(browser.ask(FAINT), Value::Array(vec![]));
        browser.ask("document.querySelector('.graph .level').style.fill = '#999'");
        assert!(browser.ask(FAINT).to_string().contains("level 0"));
        // While the pointer is on a plugin, its edges are highlighted.
        browser.open(&format!("http://{addr}/agent/graph"));
        let strong =
            "[...document.querySelectorAll('.edges path')].filter(e => getComputedStyle(e).opacity === '1').length";
        assert_eq!(browser.ask(strong), 0);
        let at = browser.ask("(() => { const r = document.querySelector('#n3').getBoundingClientRect(); return { type: 'mouseMoved', x: r.x + 9, y: r.y + 9 }; })()");
        browser.call("Input.dispatchMouseEvent", &at);
        assert!(browser.ask(strong).as_u64().unwrap() >= 3);
        browser.picture("graph-pointed-at");
    });
    looked.await.unwrap();
    agent.close().await.unwrap();
}

//! The drawing of a graph, as SVG.

use crate::{
    answer::Html,
    layout::{HEIGHT, Layout, Path, WIDTH},
    look::Look,
    words,
};
use cninfra::http::escaped;
use std::fmt::Write as _;

/// How many characters of the font fit in the width of a plugin.
const NAME: usize = 19;

/// What is shown about a plugin.
pub(crate) struct Shown {
    pub(crate) name: &'static str,
    pub(crate) look: Look,
    /// How long its `init` took.
    pub(crate) took: Option<String>,
    /// All that is known about it, in lines.
    pub(crate) whole: String,
    pub(crate) optional: bool,
}

pub(crate) fn drawing(layout: &Layout, title: &str, nodes: &[Shown]) -> Html {
    let Layout { width, height, .. } = layout;
    // The drawing may shrink a little and stay readable; if it is still wider than the window, it scrolls.
    let least = (0.9 * width).round();
    let mut svg = format!(
        "<svg class=\"graph\" role=\"group\" aria-label=\"{}\" style=\"width:{width}px;min-width:{least}px\" viewBox=\"0 0 {width} {height}\">\n\
         <defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" markerUnits=\"userSpaceOnUse\" orient=\"auto\">\
         <path d=\"M0 0 8 4 0 8z\"/></marker></defs>\n",
        escaped(title)
    );
    // Writing to a `String` cannot fail.
    for (number, band) in layout.levels.iter().enumerate() {
        let (top, height) = (band.top - 8.0, band.bottom - band.top + 16.0);
        let odd = if number % 2 == 0 { "" } else { " odd" };
        let _ = writeln!(
            svg,
            "<rect class=\"band{odd}\" x=\"0\" y=\"{top}\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>\
             <text class=\"level\" x=\"10\" y=\"{}\">level {}</text>",
            band.top + HEIGHT / 2.0 + 4.0,
            band.level,
        );
    }
    svg.push_str("<g class=\"edges\">\n");
    put_paths(&mut svg, layout);
    svg.push_str("</g>\n");
    for (place, (node, (x, y))) in nodes.iter().zip(&layout.nodes).enumerate() {
        put_node(&mut svg, place, node, *x, *y);
    }
    svg + "</svg>\n"
}

/// Each path has the classes of the plugins at both ends, so that it is highlighted with either of them.
fn put_paths(svg: &mut Html, layout: &Layout) {
    for Path { from, to, arrives, target, sources, optional } in &layout.paths {
        let ((x, y), (to_x, to_y)) = (from, to);
        let _ = write!(svg, "<path class=\"e{target}");
        for source in sources {
            let _ = write!(svg, " e{source}");
        }
        if *optional {
            svg.push_str(" optional");
        }
        let half = f64::midpoint(*y, *to_y);
        let way = if x == to_x { format!("V{to_y}") } else { format!("C{x} {half} {to_x} {half} {to_x} {to_y}") };
        let arrow = if *arrives { " marker-end=\"url(#arrow)\"" } else { "" };
        let _ = writeln!(svg, "\" d=\"M{x} {y}{way}\"{arrow}/>");
    }
}

fn put_node(svg: &mut Html, place: usize, node: &Shown, x: f64, y: f64) {
    let Shown { name, look, took, whole, optional } = node;
    let Look { class, shape, word } = look;
    let short = words::shortened(name, NAME);
    let optional = if *optional { " optional" } else { "" };
    let _ = writeln!(
        svg,
        "<a id=\"n{place}\" class=\"node {class}{optional}\" href=\"#p{place}\" transform=\"translate({x} {y})\"><title>{}</title>\
         <rect class=\"box\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"6\"/><path class=\"bar\" d=\"M6 0H4.5V{HEIGHT}H6A6 6 0 0 1 0 {}V6A6 6 0 0 1 6 0z\"/>\
         <text class=\"name\" x=\"14\" y=\"19\">{}</text><path class=\"mark\" transform=\"translate(14 28) scale(.83)\" d=\"{shape}\"/>\
         <text class=\"word\" x=\"29\" y=\"37\">{word}</text><text class=\"took\" x=\"{}\" y=\"37\">{}</text></a>",
        escaped(whole),
        HEIGHT - 6.0,
        escaped(&short),
        WIDTH - 10.0,
        escaped(took.as_deref().unwrap_or_default()),
    );
}

/// A browser evaluates each of these rules whenever the pointer moves to another element, so their number is limited.
const HIGHLIGHTS: usize = 200;

/// Highlights the edges of a plugin while the pointer is on it.
pub(crate) fn highlights(count: usize) -> Html {
    if count > HIGHLIGHTS {
        return String::new();
    }
    let mut style = String::from("<style>\n");
    for place in 0..count {
        let _ = writeln!(
            style,
            ".graph:has(#n{place}:is(:hover,:focus-visible)) .e{place}{{opacity:1;stroke:var(--link);stroke-width:2}}"
        );
    }
    style + "</style>\n"
}

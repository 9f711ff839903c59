//! `/agent/timeline`: who took how long in the start.

use crate::{answer::Html, words};
use cninfra::{
    Phase,
    agent::{Event, Outcome, Step, Timeline},
    graph::Graph,
    status::AgentStatus,
};
use serde::Serialize;
use std::{fmt::Write as _, time::Duration};

#[derive(Serialize)]
pub(crate) struct Body<'a> {
    agent: &'a str,
    flavor: &'static str,
    /// When the start began.
    started: String,
    /// Has it come to its end? Before, no step is told.
    complete: bool,
    /// From the begin of the start to the end of the last step.
    took_us: u64,
    steps: Vec<StepBody>,
}

/// A step; times are microseconds, from the begin of the start.
#[derive(Serialize)]
struct StepBody {
    plugin: &'static str,
    instance: &'static str,
    level: u16,
    phase: &'static str,
    start_us: u64,
    took_us: u64,
    outcome: String,
    critical: bool,
}

impl<'a> Body<'a> {
    pub(crate) fn new(agent: &'a str, graph: &'static Graph, status: &AgentStatus, events: &[Event]) -> Self {
        let timeline = Timeline::new(graph, events);
        let step = |Step { plugin, event, critical, .. }: &Step| {
            let node = &graph.nodes()[usize::from(event.place)];
            StepBody {
                plugin,
                instance: node.instance(),
                level: node.level,
                phase: event.phase.name(),
                start_us: words::micros(event.started),
                took_us: words::micros(event.took),
                outcome: event.outcome.to_string(),
                critical: *critical,
            }
        };
        Body {
            agent,
            flavor: graph.name(),
            started: words::moment(status.started),
            complete: status.has_started,
            took_us: words::micros(timeline.took()),
            steps: timeline.steps().map(step).collect(),
        }
    }
}

pub(crate) fn page(graph: &'static Graph, status: &AgentStatus, events: &[Event]) -> Html {
    let timeline = Timeline::new(graph, events);
    let started = words::moment_in_words(status.started);
    if timeline.steps().next().is_none() {
        let why = if status.has_started {
            "Nothing was recorded: <code>Agent::main</code> records the start, and a program that embeds an agent does with <code>Builder::record_events</code>."
        } else {
            "The agent is starting: look again when it is done, or at its <a href=\"status\">status</a> meanwhile."
        };
        return format!("<p>The start began on {started}.</p>\n<p class=\"note\">{why}</p>\n");
    }
    let whole = timeline.took();
    let mut page = format!(
        "<p>The start began on {started}; its last step ended {} after that, and 0 is its begin. What all else waited for, and took a hundredth of that at least, is underlined, and marked with <b class=\"critical\">*</b>: to start faster, begin there.</p>\n\
         <p class=\"legend\"><span><i class=\"bar create\"></i>create</span> <span><i class=\"bar init\"></i>init</span> <span><i class=\"bar after_init\"></i>after_init</span> \
         <span><i class=\"bar bad\"></i>failed</span></p>\n\
         <div class=\"wide\" tabindex=\"0\">\n<table class=\"gantt\">\n<thead><tr><th>Plugin</th><th class=\"chart\">{}</th><th>create</th><th>init</th><th>after_init</th></tr></thead>\n",
        words::took(whole),
        ticks(whole),
    );
    let mut steps: Vec<Vec<&Step>> = vec![Vec::new(); graph.len()];
    timeline.steps().for_each(|step| steps[usize::from(step.event.place)].push(step));
    let mut level = None;
    for (node, steps) in graph.nodes().iter().zip(&steps) {
        // writing to a text can not fail
        if level != Some(node.level) {
            let end = if level.is_some() { "</tbody>\n" } else { "" };
            level = Some(node.level);
            let _ = writeln!(
                page,
                "{end}<tbody>\n<tr class=\"level\"><th colspan=\"5\" scope=\"rowgroup\">level {}</th></tr>",
                node.level
            );
        }
        let name = words::both_names(node.instance(), node.name());
        let _ = write!(page, "<tr><th scope=\"row\">{name}</th><td class=\"chart\"><div class=\"lane\">");
        steps.iter().for_each(|step| put_bar(&mut page, step, whole));
        page.push_str("</div></td>");
        for phase in [Phase::Create, Phase::Init, Phase::AfterInit] {
            let of_it = steps.iter().filter(|step| step.event.phase == phase);
            let told: Vec<String> = of_it.map(|step| told(step, whole)).collect();
            let _ = write!(
                page,
                "<td class=\"time\">{}</td>",
                if told.is_empty() { "–".into() } else { told.join("<br>") }
            );
        }
        page.push_str("</tr>\n");
    }
    page + "</tbody>\n</table>\n</div>\n"
}

/// One of the steps of the critical path that are worth a look.
fn is_marked(step: &Step, whole: Duration) -> bool {
    step.critical && step.event.took * 100 >= whole
}

fn told(step: &Step, whole: Duration) -> String {
    let mark = if is_marked(step, whole) { " <b class=\"critical\">*</b>" } else { "" };
    let took = words::took(step.event.took);
    match step.event.outcome {
        Outcome::Done => format!("{took}{mark}"),
        outcome => format!("{took}{mark} <strong class=\"bad\">{outcome}</strong>"),
    }
}

/// A step that takes no time has none.
fn put_bar(page: &mut Html, step: &Step, whole: Duration) {
    let Event { phase, started, took, outcome, .. } = step.event;
    if took.is_zero() && outcome == Outcome::Done {
        return;
    }
    let class = if outcome == Outcome::Done { phase.name() } else { "bad" };
    let critical = if is_marked(step, whole) { " critical" } else { "" };
    let (left, width) = (percent(started, whole), percent(took, whole));
    let (at, took) = (words::took(started), words::took(took));
    let _ = write!(
        page,
        "<i class=\"bar {class}{critical}\" style=\"left:{left:.3}%;width:{width:.3}%\" title=\"{phase}: {took} at {at}, {outcome}\"></i>"
    );
}

fn percent(time: Duration, whole: Duration) -> f64 {
    let whole = whole.as_secs_f64();
    if whole > 0.0 { (100.0 * time.as_secs_f64() / whole).min(100.0) } else { 0.0 }
}

/// The scale: a few round times.
fn ticks(whole: Duration) -> String {
    let nanos = whole.as_nanos() as f64;
    let rough = (nanos / 4.0).max(1.0);
    let unit = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|times| times * unit).find(|step| *step >= rough).unwrap_or(rough);
    let mut all = String::from("<div class=\"lane scale\">");
    let mut at = 0.0;
    // one at the very end would stand over it
    while at <= 0.93 * nanos {
        let time = Duration::from_nanos(at as u64);
        let shown = if time.is_zero() { "0".to_string() } else { format!("{time:?}") };
        let _ = write!(all, "<span style=\"left:{:.3}%\">{shown}</span>", percent(time, whole));
        at += step;
    }
    all + "</div>"
}

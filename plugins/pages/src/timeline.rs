//! `/agent/timeline`: how long each plugin took in the start, also while it goes on, and in what came later: further
//! attempts, and the stop.

use crate::{answer::Html, words};
use cninfra::{
    Phase,
    agent::{Course, Event, Outcome, RunningStep, Step, Timeline},
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
    /// Whether the start has ended.
    complete: bool,
    /// From the beginning of the start to the end of its last step so far.
    took_us: u64,
    steps: Vec<StepBody>,
    /// Steps that are waiting for something now.
    running: Vec<RunningBody>,
    /// What came after the start: further attempts for plugins that are down, and the stop.
    later: Vec<StepBody>,
}

/// A step that has not ended.
#[derive(Serialize)]
struct RunningBody {
    plugin: &'static str,
    instance: &'static str,
    level: u16,
    phase: &'static str,
    start_us: u64,
    so_far_us: u64,
}

/// A step. Times are in microseconds, from the beginning of the start.
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
    pub(crate) fn new(agent: &'a str, graph: &'static Graph, status: &AgentStatus, course: &Course) -> Self {
        let timeline = Timeline::new(graph, &course.events);
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
                // The critical path is known only when the start has ended.
                critical: *critical && status.has_started,
            }
        };
        let running = |step: &RunningStep| {
            let node = &graph.nodes()[usize::from(step.place)];
            RunningBody {
                plugin: node.name(),
                instance: node.instance(),
                level: node.level,
                phase: step.phase.name(),
                start_us: words::micros(step.started),
                so_far_us: words::micros(step.so_far),
            }
        };
        Body {
            agent,
            flavor: graph.name(),
            started: words::moment(status.started),
            complete: status.has_started,
            took_us: words::micros(timeline.took()),
            steps: timeline.steps().map(step).collect(),
            running: course.running.iter().map(running).collect(),
            later: timeline.later().map(step).collect(),
        }
    }
}

pub(crate) fn page(graph: &'static Graph, status: &AgentStatus, course: &Course) -> Html {
    let timeline = Timeline::new(graph, &course.events);
    let started = words::moment_in_words(status.started);
    if course.events.is_empty() && course.running.is_empty() {
        let why = if status.has_started {
            "Nothing was recorded: <code>Agent::main</code> records the start, and a program that embeds an agent does with <code>Builder::record_events</code>."
        } else {
            "The agent is starting, and nothing is done yet; or nothing is recorded, as where a program embeds it without <code>Builder::record_events</code>. Its <a href=\"status\">status</a> tells more."
        };
        return format!("<p>The start began on {started}.</p>\n<p class=\"note\">{why}</p>\n");
    }
    let chart = Chart::of(graph, status, course, &timeline);
    let took = words::took(chart.whole);
    let mut page = if status.has_started {
        format!(
            "<p>The start began on {started}; its last step ended {took} after that, and 0 is its begin. What all else waited for, and took a hundredth of that at least, is underlined, and marked with <b class=\"critical\">*</b>: to start faster, begin there.</p>\n"
        )
    } else {
        format!(
            "<p>The start began on {started}, {took} ago, and 0 is its begin. <strong>It goes on</strong>: load the page again to see how far it is.</p>\n"
        )
    };
    page.push_str(
        "<p class=\"legend\"><span><i class=\"bar create\"></i>create</span> <span><i class=\"bar init\"></i>init</span> <span><i class=\"bar after_init\"></i>after_init</span> \
         <span><i class=\"bar bad\"></i>failed</span></p>\n",
    );
    chart.put(&mut page, graph);
    put_later(&mut page, graph, course, &timeline);
    page
}

/// The steps of the start, by plugin.
struct Chart<'a> {
    steps: Vec<Vec<&'a Step>>,
    running: Vec<Vec<&'a RunningStep>>,
    /// From the beginning of the start to its end, or to now.
    whole: Duration,
    is_complete: bool,
}

impl<'a> Chart<'a> {
    fn of(graph: &'static Graph, status: &AgentStatus, course: &'a Course, timeline: &'a Timeline) -> Self {
        let (mut steps, mut running) = (vec![Vec::new(); graph.len()], vec![Vec::new(); graph.len()]);
        timeline.steps().for_each(|step| steps[usize::from(step.event.place)].push(step));
        let (is_complete, mut whole) = (status.has_started, timeline.took());
        // What runs after the start is not part of it.
        for step in course.running.iter().filter(|_| !is_complete) {
            running[usize::from(step.place)].push(step);
            whole = whole.max(step.started + step.so_far);
        }
        Chart { steps, running, whole, is_complete }
    }

    fn put(&self, page: &mut Html, graph: &'static Graph) {
        let whole = self.whole;
        // Writing to a `String` cannot fail.
        let _ = write!(
            page,
            "<div class=\"wide\" tabindex=\"0\">\n<table class=\"gantt\">\n<thead><tr><th>Plugin</th><th class=\"chart\">{}</th><th>create</th><th>init</th><th>after_init</th></tr></thead>\n",
            ticks(whole),
        );
        let mut level = None;
        for (node, (steps, running)) in graph.nodes().iter().zip(self.steps.iter().zip(&self.running)) {
            if level != Some(node.level) {
                let end = if level.is_some() { "</tbody>\n" } else { "" };
                level = Some(node.level);
                let _ = writeln!(
                    page,
                    "{end}<tbody>\n<tr class=\"level\"><th colspan=\"5\" scope=\"rowgroup\">level {}</th></tr>",
                    node.level
                );
            }
            let name = words::instance_first(node.names());
            let _ = write!(page, "<tr><th scope=\"row\">{name}</th><td class=\"chart\"><div class=\"lane\">");
            steps.iter().for_each(|step| self.put_bar(page, step));
            running.iter().for_each(|step| self.put_running(page, step));
            page.push_str("</div></td>");
            for phase in [Phase::Create, Phase::Init, Phase::AfterInit] {
                let ended = steps.iter().filter(|step| step.event.phase == phase).map(|step| self.told(step));
                let going_on = running.iter().filter(|step| step.phase == phase).map(|step| so_far(step));
                let told: Vec<String> = ended.chain(going_on).collect();
                let _ = write!(
                    page,
                    "<td class=\"time\">{}</td>",
                    if told.is_empty() { "–".into() } else { told.join("<br>") }
                );
            }
            page.push_str("</tr>\n");
        }
        page.push_str("</tbody>\n</table>\n</div>\n");
    }

    /// Whether it is a step of the critical path that took long enough to matter.
    fn is_marked(&self, step: &Step) -> bool {
        self.is_complete && step.critical && step.event.took * 100 >= self.whole
    }

    fn told(&self, step: &Step) -> String {
        let mark = if self.is_marked(step) { " <b class=\"critical\">*</b>" } else { "" };
        told(&step.event, mark)
    }

    /// A step that took no time has no bar.
    fn put_bar(&self, page: &mut Html, step: &Step) {
        let Event { phase, started, took, outcome, .. } = step.event;
        if took.is_zero() && outcome == Outcome::Done {
            return;
        }
        let class = if outcome == Outcome::Done { phase.name() } else { "bad" };
        let critical = if self.is_marked(step) { " critical" } else { "" };
        let (left, width) = (percent(started, self.whole), percent(took, self.whole));
        let (at, took) = (words::took(started), words::took(took));
        let _ = write!(
            page,
            "<i class=\"bar {class}{critical}\" style=\"left:{left:.3}%;width:{width:.3}%\" title=\"{phase}: {took} at {at}, {outcome}\"></i>"
        );
    }

    fn put_running(&self, page: &mut Html, step: &RunningStep) {
        let RunningStep { phase, started, so_far, .. } = *step;
        let (left, width) = (percent(started, self.whole), percent(so_far, self.whole));
        let (at, class) = (words::took(started), phase.name());
        let _ = write!(
            page,
            "<i class=\"bar {class} running\" style=\"left:{left:.3}%;width:{width:.3}%\" title=\"{phase}: goes on since {at}\"></i>"
        );
    }
}

fn told(event: &Event, mark: &str) -> String {
    let took = words::took(event.took);
    match event.outcome {
        Outcome::Done => format!("{took}{mark}"),
        outcome => format!("{took}{mark} <strong class=\"bad\">{outcome}</strong>"),
    }
}

fn so_far(step: &RunningStep) -> String {
    format!("{} <strong class=\"busy\">goes on</strong>", words::took(step.so_far))
}

/// What came after the start: further attempts, and the stop.
fn put_later(page: &mut Html, graph: &'static Graph, course: &Course, timeline: &Timeline) {
    // There is nothing to show about a method that is left at its default.
    let is_told = |step: &&Step| step.event.outcome != Outcome::Done || !step.event.took.is_zero();
    let ended = timeline.later().filter(is_told);
    let ended = ended.map(|Step { event, .. }| (event.place, event.phase, event.started, told(event, "")));
    let is_later = |step: &&RunningStep| {
        let has_failed = |other: &Step| other.event.place == step.place && other.event.outcome != Outcome::Done;
        matches!(step.phase, Phase::Drain | Phase::Close) || timeline.steps().any(has_failed)
    };
    let going_on = course.running.iter().filter(is_later);
    let going_on = going_on.map(|step| (step.place, step.phase, step.started, so_far(step)));
    let mut rows = ended.chain(going_on).peekable();
    if rows.peek().is_none() {
        return;
    }
    page.push_str(
        "<h2>After the start</h2>\n<p>Later attempts at plugins whose <code>init</code> had failed, and the stop.</p>\n<div class=\"wide\" tabindex=\"0\">\n<table>\n\
         <thead><tr><th>Plugin</th><th>Step</th><th>After the begin</th><th>Took</th></tr></thead>\n<tbody>\n",
    );
    for (place, phase, started, told) in rows {
        let node = &graph.nodes()[usize::from(place)];
        let (name, at) = (words::instance_first(node.names()), words::took(started));
        let _ = writeln!(
            page,
            "<tr><td>{name}</td><td>{phase}</td><td class=\"time\">{at}</td><td class=\"time\">{told}</td></tr>"
        );
    }
    page.push_str("</tbody>\n</table>\n</div>\n");
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
    // A tick at the very end would extend beyond the chart.
    while at <= 0.93 * nanos {
        let time = Duration::from_nanos(at as u64);
        let shown = if time.is_zero() { "0".to_string() } else { format!("{time:?}") };
        let _ = write!(all, "<span style=\"left:{:.3}%\">{shown}</span>", percent(time, whole));
        at += step;
    }
    all + "</div>"
}

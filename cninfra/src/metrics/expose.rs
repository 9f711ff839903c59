//! [`Exposition`]: the answer to a scrape.

use super::{
    Entry, Format, Metrics,
    lines::{self, Family},
};
use crate::foreign;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use std::{collections::BTreeMap, sync::Arc};

/// The answer to a scrape.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Exposition {
    /// The metrics, in the format that was requested.
    pub text: String,
    /// What was left out, and why: metrics that panic, whose samples belong to another metric, or that write what a
    /// scraper refuses, such as a label `a-b`. With them, the scraper would lose all other metrics, too.
    pub left_out: Vec<String>,
}

impl Metrics {
    /// All current metrics, ordered by name.
    ///
    /// It holds no lock while metrics are written, and never fails: see [`Exposition::left_out`].
    #[must_use]
    pub fn expose(&self, format: Format) -> Exposition {
        let entries: Vec<(String, Arc<Entry>)> =
            self.entries().iter().map(|(name, entry)| (name.clone(), entry.clone())).collect();
        let mut exposition = Exposition { text: String::new(), left_out: Vec::new() };
        let mut taken = BTreeMap::new();
        for (name, entry) in &entries {
            let written = entry.write();
            let read = written.as_deref().map_err(String::clone).and_then(|text| Ok((text, lines::families(text)?)));
            let left_out = match read {
                Err(why) => format!("metric `{name}` of `{}` {}", entry.owner, entry.refusal.get_or_init(|| why)),
                Ok((text, families)) => match claim_names(&families, &entry.owner, &mut taken) {
                    Err(why) => why,
                    Ok(()) => {
                        match format {
                            Format::OpenMetrics => put_as_open(text, &mut exposition.text),
                            Format::Text => put_as_text(text, &mut exposition.text),
                        }
                        continue;
                    }
                },
            };
            exposition.left_out.push(left_out);
        }
        if format == Format::OpenMetrics {
            // Writing to a string does not fail.
            let _ = encode_eof(&mut exposition.text);
        }
        exposition
    }
}

impl Entry {
    /// Writes the metric in the OpenMetrics format, or says why that failed.
    fn write(&self) -> Result<String, String> {
        let mut text = String::new();
        match foreign::guard_quietly(|| encode_registry(&mut text, &self.registry)) {
            Ok(Ok(())) => Ok(text),
            Ok(Err(_)) => Err("could not be written".to_string()),
            Err(panic) => Err(format!("panicked: {panic}")),
        }
    }
}

/// Adds the names of these families to those that are exposed already, or says which one is taken.
fn claim_names(families: &[Family<'_>], owner: &str, taken: &mut BTreeMap<String, String>) -> Result<(), String> {
    let mut new = BTreeMap::new();
    for family in families {
        for sample in family.names() {
            if let Some(other) = taken.get(&sample).or_else(|| new.get(&sample)) {
                let me = format!("metric `{}` of `{owner}`", family.name);
                return Err(match family.name == other {
                    true => format!("{me} is told already by another one"),
                    false => format!("{me} has samples `{sample}`, as metric `{other}` has: give it another name"),
                });
            }
            new.insert(sample, family.name.to_string());
        }
    }
    taken.append(&mut new);
    Ok(())
}

/// Help texts are escaped as for Prometheus' text format. In OpenMetrics, quotes in them are escaped, too.
fn put_as_open(written: &str, text: &mut String) {
    for line in written.split_inclusive('\n') {
        match line.starts_with("# HELP ") && line.contains('"') {
            true => text.push_str(&line.replace('"', "\\\"")),
            false => text.push_str(line),
        }
    }
}

/// Rewrites OpenMetrics as Prometheus' text format, in which a family has the name of its samples, and which has no
/// units, exemplars and infos.
fn put_as_text(open: &str, text: &mut String) {
    let mut help = None;
    for line in open.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ');
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            let (end, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                "unknown" => ("", "untyped"),
                kind => ("", kind),
            };
            if let Some((_, help)) = help.take().filter(|(of, _)| *of == name) {
                put(text, &["# HELP ", name, end, " ", help]);
            }
            put(text, &["# TYPE ", name, end, " ", kind]);
        } else if !line.starts_with('#') {
            put(text, &[without_exemplar(line)]);
        }
    }
}

fn put(text: &mut String, parts: &[&str]) {
    parts.iter().for_each(|part| text.push_str(part));
    text.push('\n');
}

/// A sample without what follows its value. Labels are quoted, and may contain any characters.
fn without_exemplar(sample: &str) -> &str {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in sample.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '#' if !quoted => return sample[..at].trim_end(),
            _ => {}
        }
    }
    sample
}

#[cfg(test)]
mod tests {
    use super::super::{Collector, Counter, Family, Gauge, Unit};
    use super::*;
    use prometheus_client::{
        encoding::{DescriptorEncoder, EncodeMetric},
        metrics::{exemplar::CounterWithExemplar, gauge::ConstGauge, histogram::Histogram, info::Info},
    };

    fn some() -> Metrics {
        let metrics = Metrics::new("test");
        let requests = Family::<Vec<(String, String)>, Counter>::default();
        requests.get_or_create(&vec![("path".to_string(), "/a\"b\n # {c=\"d\"}".to_string())]).inc_by(3);
        metrics.register("requests", "Requests", requests).unwrap();
        let open = Gauge::<i64>::default();
        open.set(-2);
        metrics.register("open", "What is open", open).unwrap();
        metrics.register("build", "The build", Info::new([("version", "1")])).unwrap();
        let took = Histogram::new([0.1, 1.0]);
        took.observe(0.5);
        metrics.register_with_unit("took", "Time", Unit::Seconds, took).unwrap();
        let traced = CounterWithExemplar::<Vec<(String, String)>>::default();
        traced.inc_by(1, Some(vec![("trace".to_string(), "7".to_string())]), None);
        metrics.register("traced", "With an exemplar", traced).unwrap();
        metrics
    }

    #[test]
    fn the_text_format() {
        let expected = r#"# HELP build_info The build.
# TYPE build_info gauge
build_info{version="1"} 1
# HELP open What is open.
# TYPE open gauge
open -2
# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{path="/a\"b\n # {c=\"d\"}"} 3
# HELP took_seconds Time.
# TYPE took_seconds histogram
took_seconds_sum 0.5
took_seconds_count 1
took_seconds_bucket{le="0.1"} 0
took_seconds_bucket{le="1.0"} 1
took_seconds_bucket{le="+Inf"} 1
# HELP traced_total With an exemplar.
# TYPE traced_total counter
traced_total 1
"#;
        assert_eq!(some().expose(Format::Text), Exposition { text: expected.to_string(), left_out: vec![] });
    }

    #[test]
    fn open_metrics_are_as_they_are_written() {
        let text = some().expose(Format::OpenMetrics).text;
        assert!(text.contains("# TYPE requests counter\nrequests_total{"), "{text}");
        assert!(text.contains("# UNIT took_seconds seconds\n"), "{text}");
        assert!(text.contains("traced_total 1 # {trace=\"7\"} 1"), "{text}");
        assert!(text.ends_with("# EOF\n"), "{text}");
    }

    #[test]
    fn a_quote_in_a_help_text_is_escaped_in_open_metrics_alone() {
        let metrics = Metrics::new("a");
        metrics.register("open", r#"What is "open""#, Gauge::<i64>::default()).unwrap();
        let help = |format| metrics.expose(format).text.lines().next().unwrap_or_default().to_string();
        assert_eq!(help(Format::Text), r#"# HELP open What is "open"."#);
        assert_eq!(help(Format::OpenMetrics), r#"# HELP open What is \"open\"."#);
        let text = some().expose(Format::OpenMetrics).text;
        assert!(text.contains(r#"requests_total{path="/a\"b"#), "{text}");
    }

    #[derive(Debug)]
    struct Told(&'static str);

    impl Collector for Told {
        fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
            assert!(!self.0.is_empty(), "on purpose");
            let gauge = ConstGauge::new(1_i64);
            gauge.encode(encoder.encode_descriptor(self.0, "Told", None, gauge.metric_type())?)
        }
    }

    #[test]
    fn what_can_not_be_told_is_left_out() {
        let metrics = Metrics::new("a");
        metrics.register("open", "What is open", Gauge::<i64>::default()).unwrap();
        metrics.of("b").register_collector("x", Told("open")).unwrap();
        metrics.of("c").register_collector("y", Told("")).unwrap();
        metrics.register_collector("z", Told("other")).unwrap();
        let told = metrics.expose(Format::Text);
        assert_eq!(told.text.matches("# TYPE").count(), 2, "{}", told.text);
        assert_eq!(
            told.left_out,
            ["metric `open` of `b` is told already by another one", "metric `y` of `c` panicked: on purpose"]
        );
    }

    #[test]
    fn what_scrapers_refuse_is_left_out() {
        let metrics = Metrics::new("a");
        let labelled = |labels: &[&str]| {
            let family = Family::<Vec<(String, String)>, Gauge>::default();
            let labels = labels.iter().map(|label| ((*label).to_string(), "7".to_string()));
            let _ = family.get_or_create(&labels.collect());
            family
        };
        metrics.register("dashed", "A label", labelled(&["bad-label"])).unwrap();
        metrics.register("empty", "A label", labelled(&["fine", ""])).unwrap();
        metrics.register("fine", "A label", labelled(&["fine", "_fine"])).unwrap();
        metrics.register("inner", "A label", labelled(&["__name__"])).unwrap();
        metrics.register("twice", "A label", labelled(&["a", "a"])).unwrap();
        metrics.register("took", "A histogram", Histogram::new([1.0])).unwrap();
        metrics.of("b").register("took_sum", "A gauge", Gauge::<i64>::default()).unwrap();
        metrics.of("b").register_collector("x", Told("took_bucket")).unwrap();
        metrics.of("b").register_collector("y", Told("a-b")).unwrap();
        metrics.register("z", r"A \ in a help text", Gauge::<i64>::default()).unwrap();
        for format in [Format::Text, Format::OpenMetrics] {
            let told = metrics.expose(format);
            let letters = "write it of a to z, 0 to 9 and `_`, a letter first";
            assert_eq!(
                told.left_out,
                [
                    format!("metric `dashed` of `a` has the label `bad-label`: {letters}"),
                    format!("metric `empty` of `a` has the label ``: {letters}"),
                    format!("metric `inner` of `a` has the label `__name__`: {letters}"),
                    "metric `took_sum` of `b` has samples `took_sum`, as metric `took` has: give it another name"
                        .to_string(),
                    "metric `twice` of `a` has the label `a` twice: leave out one".to_string(),
                    "metric `took_bucket` of `b` has samples `took_bucket`, as metric `took` has: give it another name"
                        .to_string(),
                    format!("metric `y` of `b` has the name `a-b`: {letters}"),
                ]
            );
            assert_eq!(told.text.matches("# TYPE").count(), 3, "{}", told.text);
            assert!(told.text.contains(r"# HELP z A \\ in a help text."), "{}", told.text);
        }
    }

    #[test]
    fn a_label_that_changes_is_told_of_once() {
        let metrics = Metrics::new("a");
        let family = Family::<Vec<(String, String)>, Gauge>::default();
        metrics.register("requests", "Requests", family.clone()).unwrap();
        let told: Vec<_> = ["1", "2"]
            .into_iter()
            .map(|label| {
                family.clear();
                let _ = family.get_or_create(&vec![(label.to_string(), String::new())]);
                metrics.expose(Format::Text).left_out
            })
            .collect();
        assert_eq!(told[0].len(), 1);
        assert_eq!(told[0], told[1]);
    }

    #[test]
    fn a_help_text_is_one_line() {
        let metrics = Metrics::new("a");
        for help in ["Two\nlines", "A\rline"] {
            let error = metrics.register("polls", help, Counter::<u64>::default()).unwrap_err();
            assert_eq!(error.to_string(), "the help text of metric `polls` has more than one line");
            assert_eq!(error.help(), Some("write it in one line, without a full stop"));
            let error = metrics.register_with_unit("polls", help, Unit::Seconds, Gauge::<i64>::default()).unwrap_err();
            assert_eq!(error.to_string(), "the help text of metric `polls_seconds` has more than one line");
        }
        assert_eq!(metrics.expose(Format::Text).text, "");
    }

    #[test]
    fn names() {
        let metrics = Metrics::new("a");
        metrics.register("polls", "Polls", Counter::<u64>::default()).unwrap();
        let error = metrics.of("b").register("polls", "Polls", Counter::<u64>::default()).unwrap_err();
        assert_eq!(error.to_string(), "metric `polls` of `b` is registered already, by `a`");
        for name in ["", "7", "a-b", "a:b", "ä", "polls_total", "my_info"] {
            let error = metrics.register(name, "..", Counter::<u64>::default()).unwrap_err();
            assert_eq!(error.to_string(), format!("`{name}` cannot be a metric's name"));
            assert!(error.help().is_some());
        }
        assert!(!metrics.of("b").unregister("polls"));
        assert!(metrics.unregister("polls"));
        assert!(!metrics.unregister("polls"));
        metrics.of("b").register("polls", "Polls", Counter::<u64>::default()).unwrap();
    }
}

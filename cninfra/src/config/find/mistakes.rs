//! [`Mistakes`]: what is wrong with a section. Each mistake is reported once, without what only follows from it.

use super::{culprit::Nearness, looks, trial::Trial};
use crate::config::{
    read::{named::Named, reading::Notes},
    said::{
        layers::{Dropped, Duplicate, Layers},
        texts::OriginalTexts,
    },
    written::{
        place::Part,
        way::{Step, Way},
    },
    wrong::{
        failure::What,
        mistake::{self, Mistake},
        spot::Spot,
    },
};
use figment::{Figment, value::Value};
use std::{cell::Cell, collections::HashSet, time::Instant};

/// Where something is wrong, as far as it is known.
#[derive(Clone, Copy)]
pub(super) struct At<'s> {
    pub(super) spot: &'s Spot,
    pub(super) nearness: Nearness,
}

/// The mistakes of a section, and the state of the search for them.
pub(super) struct Mistakes<'a> {
    pub(super) section: Named<'a>,
    pub(super) layers: &'a Layers,
    /// All layers merged.
    pub(super) merged: &'a Figment,
    /// The most mistakes that are reported.
    pub(super) most_reported: usize,
    pub(super) began: Instant,
    /// It took so long that there may be more mistakes than were found.
    pub(super) is_late: bool,
    /// If the name of a variant is made up: what is read, and the place in it that is searched for mistakes.
    pub(super) searched: Option<(&'a Value, &'a [Step])>,
    /// The places about which something has been reported.
    reported_at: HashSet<(usize, Way)>,
    /// The first required key of the section itself that no source sets.
    pub(super) missing: Option<&'static str>,
    pub(super) all: Vec<Mistake>,
    /// Something that the sources say has been left out, because it is wrong.
    pub(super) is_incomplete: bool,
    /// Parts of mappings that are left out because several layers together say something wrong. A layer is read with
    /// its own part.
    pub(super) dropped_from_merge_only: Dropped,
    /// The paths at which something was left out because one key was set by two of its names.
    pub(super) named_twice: Vec<Vec<String>>,
    /// A value was made up for something missing or wrong.
    pub(super) is_made_up: bool,
    /// The known keys that unknown ones were probably meant to be.
    pub(super) meant: Vec<String>,
    /// Where unknown keys are in values that serde buffers.
    pub(super) unknown_keys: HashSet<(usize, Way)>,
    /// The mistakes of secrets whose files do not answer.
    pub(super) unanswered: Vec<Mistake>,
    /// For each layer, the texts that look like something else and are read as texts.
    pub(super) restored_texts: Vec<OriginalTexts>,
    /// How many more values may be read to find such texts.
    pub(super) text_budget: usize,
    /// How many more values may be read to find out where mistakes are.
    pub(super) budget: &'a Cell<usize>,
}

impl<'a> Mistakes<'a> {
    /// No mistakes so far.
    pub(super) fn new(section: Named<'a>, layers: &'a Layers, merged: &'a Figment, budget: &'a Cell<usize>) -> Self {
        Mistakes {
            section,
            layers,
            merged,
            most_reported: layers.most_mistakes(),
            began: Instant::now(),
            is_late: false,
            searched: None,
            reported_at: HashSet::new(),
            missing: None,
            all: Vec::new(),
            is_incomplete: false,
            dropped_from_merge_only: Dropped::new(),
            named_twice: Vec::new(),
            is_made_up: false,
            meant: Vec::new(),
            unknown_keys: HashSet::new(),
            unanswered: Vec::new(),
            restored_texts: vec![OriginalTexts::new(); layers.len()],
            text_budget: looks::TEXT_BUDGET,
            budget,
        }
    }

    /// Adds a mistake that a reading has noted, unless something is reported at its place.
    pub(super) fn add(&mut self, spot: &Spot, mistake: &Mistake) {
        if self.reported_at.insert((spot.entry, spot.way.clone())) && !self.all.contains(mistake) {
            self.all.push(mistake.clone());
        }
    }

    /// No mistakes so far, for a search at this place with a made-up name of a variant.
    pub(super) fn for_variant_name<'l>(
        &self,
        searched: (&'l Value, &'l [Step]),
        budget: &'l Cell<usize>,
    ) -> Mistakes<'l>
    where
        'a: 'l,
    {
        let (restored_texts, text_budget, began) = (self.restored_texts.clone(), self.text_budget, self.began);
        let new = Mistakes::new(self.section, self.layers, self.merged, budget);
        Mistakes { restored_texts, text_budget, began, searched: Some(searched), ..new }
    }

    /// Is it around the value that is searched?
    pub(super) fn is_around_searched(&self, way: &[Step]) -> bool {
        self.searched.is_some_and(|(_, place)| place.len() > way.len() && place.starts_with(way))
    }

    /// Has these texts read as texts, in spite of what they look like.
    pub(super) fn keep_as_texts(&mut self, texts: OriginalTexts) {
        for (way, text) in texts {
            self.restored_texts[self.layers.layer_of(text.tag(), &way)].push((way, text));
        }
    }

    /// Is something reported about what a layer says at this place, or inside it?
    pub(super) fn has_reported_within(&self, entry: usize, way: &[Step]) -> bool {
        self.reported_at.iter().any(|(of, place)| *of == entry && place.starts_with(way))
    }

    /// Reports the keys that are set by two files, or by two spellings of a variable.
    pub(super) fn report_duplicates(&mut self) {
        for Duplicate { first, second } in self.layers.duplicates().into_iter().take(self.most_reported + 1) {
            let (first, place) = (self.layers.place(&first, Part::Key), self.layers.place(&second, Part::Key));
            let what = format!("key `{}.{}` is also set in {first}", self.section.name, second.path.join("."));
            self.all.push(Mistake::new(place, what).in_section(self.section.name).help("keep one of them"));
        }
    }

    /// Reports why a reading stopped, unless that follows from something else.
    pub(super) fn report(&mut self, what: &What, at: At<'_>, notes: &Notes, dropped: &Dropped, trial: &Trial<'_>) {
        if self.follows(what, at, notes, dropped, trial) {
            return;
        }
        let spot = at.spot;
        if let What::Missing { field, .. } = what
            && spot.path.is_empty()
        {
            self.missing.get_or_insert(field);
        }
        let Some((text, help)) = self.worded(what, at, notes, dropped, trial) else { return };
        let mistake = Mistake::new(self.place_shown(what, spot), text).in_section(self.section.name).help_if(help);
        // A layer may be read by itself more than once.
        if self.all.contains(&mistake) {
            return;
        }
        self.reported_at.insert((spot.entry, spot.way.clone()));
        if matches!(what, What::Unknown { .. }) {
            self.unknown_keys.insert((spot.entry, spot.way.clone()));
        }
        if matches!(what, What::Unanswered(_)) { self.unanswered.push(mistake) } else { self.all.push(mistake) }
    }

    /// The mistakes in the order of their places.
    pub(super) fn into_sorted(mut self) -> Vec<Mistake> {
        mistake::sort(&mut self.all);
        if self.all.len() > self.most_reported || self.is_late {
            let is_sure = self.all.len() > self.most_reported;
            let last = if is_sure { self.all.drain(self.most_reported..).next() } else { self.all.last().cloned() };
            let last = last.and_then(|mistake| mistake.place);
            let more = last.map(|place| Mistake::more(place, &format!("section `{}`", self.section.name), is_sure));
            self.all.extend(more.map(|more| more.in_section(self.section.name)));
        }
        self.all
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Section as _, given::Given, samples::Span};
    use serde::{Deserialize, Serialize};
    use std::collections::BTreeMap;

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Odd {
        tls: Option<Tls>,
        by_name: BTreeMap<String, Tls>,
        tagged: Option<Tagged>,
        untagged: Option<Untagged>,
        auth: Option<Auth>,
        flat: Option<Flat>,
        around: Option<Around>,
        span: Option<Span>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Around {
        port: u16,
        tagged: Tagged,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Tls {
        cert: String,
        key: String,
        #[serde(default)]
        port: u16,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
    enum Tagged {
        Some { tls: Tls, port: u16 },
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Auth {
        Basic(Tls),
        Token(String),
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        Port(u16),
        Both { host: String, port: u16 },
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Flat {
        name: String,
        #[serde(flatten)]
        tls: Tls,
    }

    fn wrong(file: &str, variables: &[(&str, &str)], flags: &[(&str, &str)]) -> Vec<String> {
        Given::file(Odd::META, file).variables(variables).flags(flags).wrong()
    }

    #[test]
    fn a_key_that_is_wrong_further_in_hides_none_of_its_name_that_is_missing() {
        let told = wrong("around: {tagged: {kind: some, tls: {cert: a, key: b}, port: x}}", &[], &[]);
        assert_eq!(
            told,
            [
                "odd.conf:1:9: key `odd.around`: the key `port` is missing",
                "odd.conf:1:61: key `odd.around.tagged.port` takes a whole number from 0 to 65535, not the text `x`",
            ]
        );
        let told = wrong("tagged: {kind: some, tls: {cert: a, key: b, port: x}}", &[], &[]);
        assert_eq!(
            told,
            [
                "odd.conf:1:9: key `odd.tagged`: the key `port` is missing",
                "odd.conf:1:51: key `odd.tagged.tls.port` takes a whole number from 0 to 65535, not the text `x`",
            ]
        );
    }

    #[test]
    fn a_whole_that_is_wrong_is_told_and_not_what_it_is_over() {
        let files = [
            ("tls", "tls: {cert: a, key: b}"),
            ("by-name.a", "by-name: {a: {cert: a, key: b}}"),
            ("tagged", "tagged: {kind: some, port: 1, tls: {cert: a, key: b}}"),
            ("tagged.tls", "tagged: {kind: some, port: 1, tls: {cert: a, key: b}}"),
            ("auth.basic", "auth: {basic: {cert: a, key: b}}"),
            ("flat", "flat: {name: x, cert: a, key: b}"),
        ];
        for (key, file) in files {
            for text in ["5", "x", "[x]", "true"] {
                let is_one =
                    |told: &[String], of: &str| told.len() == 1 && told[0].starts_with(&format!("{of}: key `"));
                let told = wrong(file, &[], &[(key, text)]);
                assert!(is_one(&told, &format!("flag --{key}")), "{key} {text}: {told:?}");
                // And a part again that overrides it.
                let variable = format!("variable {}", key.to_uppercase());
                let told = wrong(file, &[(key, text)], &[(&format!("{key}.port"), "2")]);
                assert!(is_one(&told, &variable), "{key} {text}: {told:?}");
                let told = wrong(file, &[(key, text)], &[(&format!("{key}.port"), "y")]);
                assert!(told.len() == 2 && told[0].contains(".port`") && is_one(&told[1..], &variable), "{told:?}");
            }
        }
        // A value of another variant is not wrong, and a part that overrides it gets nothing from the layers below.
        let told = wrong("untagged: {host: x, port: 1}", &[("untagged", "7")], &[("untagged.port", "2")]);
        assert_eq!(told, ["flag --untagged.port: key `odd.untagged`: what is there fits nothing that it takes"]);
        let told = wrong("tls: {cert: a, key: b}", &[("tls", "")], &[("tls.port", "2")]);
        let missing = ["cert", "key"].map(|key| format!("odd.conf:1:6: key `odd.tls`: the key `{key}` is missing"));
        assert_eq!(told, missing);
    }

    #[test]
    fn a_whole_of_several_layers_that_is_wrong_hides_nothing_of_one_of_them() {
        let ends = "key `odd.span`: it ends before it begins";
        let byte = "key `odd.span.high` takes a whole number from 0 to 255, not the text `x`";
        let [ends, byte] = [ends, byte].map(str::to_string);
        let told = wrong("span: {low: 5, high: 9}", &[], &[("span.high", "2")]);
        assert_eq!(told, [format!("flag --span.high: {ends}")]);
        let told = wrong("span: {low: 5}", &[], &[("span.high", "2")]);
        assert_eq!(told, [format!("flag --span.high: {ends}")]);
        // The wrong value is overridden.
        let told = wrong("span: {low: 5, high: x}", &[], &[("span.high", "2")]);
        assert_eq!(told, [format!("odd.conf:1:22: {byte}"), format!("flag --span.high: {ends}")]);
        let told = wrong("span: {low: 5}", &[("span.high", "x")], &[("span.high", "2")]);
        assert_eq!(told, [format!("flag --span.high: {ends}"), format!("variable SPAN.HIGH: {byte}")]);
    }
}

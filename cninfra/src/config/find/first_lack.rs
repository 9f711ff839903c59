//! Finds the mapping that lacks a key by bisection. Serde reports the first mapping that lacks it, so what is put into
//! those that are read later does not matter.

use super::lacks::Lack;
use crate::config::written::{
    value,
    way::{Way, inner},
};
use figment::value::{Tag, Value};
use std::ops::RangeFrom;

impl Lack<'_, '_> {
    /// The first of these mappings that lacks the key, and a value that fits there, provided that they are read in this
    /// order. `None` if that cannot be seen.
    ///
    /// A value that no type reads is put into all mappings from one on. If the original failure still occurs, a mapping
    /// before that one lacks the key. So mappings that may do without the key, that do not know it, or that have it by
    /// another name need no readings of their own. Some are read in another order: what is flattened is read last. Then
    /// a value that fits does not make the failure disappear, since another mapping still lacks the key.
    pub(super) fn find_by_halves(&self, all: &[Way]) -> Option<(Way, Value)> {
        if !self.fails_alike_with(all, all.len()..) {
            return None;
        }
        let (mut before, mut at) = (0, all.len());
        // The failure occurs with the value in all mappings from `at` on, and does not with it in all from `before` on.
        while at - before > 1 {
            if self.trial.is_spent() {
                return None;
            }
            let middle = before.midpoint(at);
            if self.fails_alike_with(all, middle..) { at = middle } else { before = middle }
        }
        let mapping = &all[at.checked_sub(1)?];
        let (mut later, way) = (self.with_unreadable(all, at..), inner(mapping, self.field));
        let fits = self.fitting(mapping, self.key_read_as(mapping, self.trial.merged)?, &later)?;
        // A type's own message about the value hides whether the key is missing in another mapping that is read later.
        if self.is_judged_in_own_words(&way, &fits, &later) {
            let mut others = self.with_unreadable(all, 0..);
            value::remove(&mut others, &way);
            return self.fails_alike(&others).then(|| (mapping.clone(), fits));
        }
        value::insert(&mut later, &way, fits.clone());
        (!self.fails_alike(&later)).then(|| (mapping.clone(), fits))
    }

    fn fails_alike_with(&self, all: &[Way], later: RangeFrom<usize>) -> bool {
        self.fails_alike(&self.with_unreadable(all, later))
    }

    /// What is read, with a value that no type reads at the key in the later mappings.
    fn with_unreadable(&self, all: &[Way], later: RangeFrom<usize>) -> Value {
        let mut with = self.trial.merged.clone();
        for mapping in &all[later] {
            value::insert(&mut with, &inner(mapping, self.field), value::unreadable(0, Tag::Default));
        }
        with
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        config::{Section as _, given::Given},
        foreign::Panic,
    };
    use serde::{Deserialize, Serialize, de::Error as _};
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Odd {
        group: Option<Group>,
        task: Option<Task>,
        all: Vec<Group>,
        frame: Option<Frame>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Group {
        title: String,
        #[serde(flatten)]
        part: Part,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Part {
        #[serde(default)]
        members: Vec<Member>,
        #[serde(default)]
        steps: Vec<Step>,
        #[serde(default)]
        others: Vec<Other>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Member {
        name: String,
        #[serde(alias = "addr")]
        address: String,
        zip: Option<u8>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Step {
        Run(String),
        Task(Box<Task>),
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Other {
        id: u8,
        note: Option<String>,
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
    enum Task {
        Http { timeout: Option<String> },
        Exec { timeout: String, name: String },
        All { of: Vec<Task> },
    }

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "kebab-case")]
    enum Frame {
        Of { inner: Option<Inner>, name: String },
        Picky { label: String, picky: Picky },
        All { of: Vec<Frame> },
    }

    #[derive(Debug, Serialize, Deserialize)]
    struct Inner {
        name: Option<String>,
    }

    /// Would a panic about a value that nobody has written be logged?
    static LOUD: AtomicBool = AtomicBool::new(false);

    /// Accepts no trial value.
    #[derive(Debug, Serialize)]
    struct Picky;
    impl<'de> Deserialize<'de> for Picky {
        fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            let text = String::deserialize(from).map_err(|error| {
                // Serde itself reports the missing key.
                if format!("{error:?}").contains("Missing") { error } else { panic!("no text") }
            })?;
            LOUD.fetch_or(!Panic::is_quiet(), Relaxed);
            Err(D::Error::custom(format!("`{text}` is odd")))
        }
    }

    fn wrong(file: &str) -> Vec<String> {
        Given::file(Odd::META, file)
            .wrong_in_line()
            .iter()
            .map(|told| told.split_once(": ").unwrap().1.to_string())
            .collect()
    }

    fn missing(key: &str, missing: &str) -> String {
        format!("key `odd.{key}`: the key `{missing}` is missing")
    }

    #[test]
    fn another_name_of_the_key_in_a_mapping_before_hides_nothing() {
        let told = wrong("group: {title: t, members: [{name: a, addr: x}, {name: b}, {addr: y, zip: x}]}");
        assert_eq!(
            told,
            [
                missing("group.members[1]", "address"),
                missing("group.members[2]", "name"),
                "key `odd.group.members[2].zip` takes a whole number from 0 to 255, not the text `x`".to_string(),
            ]
        );
    }

    #[test]
    fn mappings_that_may_do_without_it_hide_nothing_however_many_they_are() {
        let http = ["{kind: http}"; 300].join(", ");
        let told = wrong(&format!("task: {{kind: all, of: [{http}, {{kind: exec}}, {{kind: exec, timeout: t}}]}}"));
        let all = [("task.of[300]", "timeout"), ("task.of[300]", "name"), ("task.of[301]", "name")];
        assert_eq!(told, all.map(|(key, field)| missing(key, field)));
        let others = vec!["{id: 1, note: n}, {id: 2}"; 150].join(", ");
        let told = wrong(&format!("all: [{{title: t, others: [{others}, {{note: n}}, {{id: x}}]}}]"));
        assert_eq!(
            told,
            [
                missing("all[0].others[300]", "id"),
                "key `odd.all[0].others[301].id` takes a whole number from 0 to 255, not the text `x`".to_string(),
            ]
        );
    }

    #[test]
    fn variants_that_have_no_other_key_hide_nothing_however_many_they_are() {
        let steps = ["{run: x}"; 250].join(", ");
        let told =
            wrong(&format!("all: [{{title: t, steps: [{steps}], others: [{{id: 1}}, {{note: a}}, {{id: x}}]}}]"));
        assert_eq!(
            told,
            [
                missing("all[0].others[1]", "id"),
                "key `odd.all[0].others[2].id` takes a whole number from 0 to 255, not the text `x`".to_string(),
            ]
        );
    }

    /// What is flattened is read last, and a mapping is finished only after the mappings in it.
    #[test]
    fn of_mappings_that_are_read_in_another_order_none_is_told_in_the_place_of_another() {
        let told =
            wrong("group: {steps: [{task: {kind: exec, timeout: t, name: n}}], members: [{name: m, address: a}]}");
        assert_eq!(told, [missing("group", "title")]);
        let told = wrong("frame: {kind: of, inner: {}}");
        assert_eq!(told, [missing("frame", "name")]);
        let told = wrong("all: [{title: t, others: [{id: 1}], members: [{name: m}]}, {others: [{id: 1}]}]");
        assert_eq!(told, [missing("all[0].members[0]", "address"), missing("all[1]", "title")]);
    }

    #[test]
    fn where_nothing_fits_it_is_told_as_near_as_that_can_be_come_to() {
        let told = wrong("frame: {kind: all, of: [{kind: of, name: n}, {kind: picky, label: l}]}");
        assert_eq!(told, [missing("frame.of[1]", "picky")]);
        assert!(!LOUD.load(Relaxed));
    }
}

//! [`Layers`]: everything that is said about a section, layer by layer, to be merged by figment.

use super::{
    canonical::{Ask, Canonical},
    chosen::{retain_chosen, variant},
    entry::{Entries, Entry},
    file,
    meant::other_form,
    secrets::Secrets,
    source::{NOWHERE, Texts, origin},
    texts::{self, OriginalTexts},
};
use crate::config::{
    written::{
        format::Format,
        locate::locate,
        place::{Part, Place},
        places::{Places, keys},
        value,
        way::{Step, Way, inner},
    },
    wrong::{mistake::most, spot::Spot},
};
use figment::{
    Figment, Source,
    value::{Tag, Value},
};
use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap, HashSet},
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The prefix of variables that can set any key.
pub(crate) const ANY_KEY: &str = "CNINFRA__";

/// Values that are left out: the layer's index, and the way in it.
pub(in crate::config) type Dropped = HashSet<(usize, Way)>;

/// Everything that is said about a section. Figment does not keep values that a higher layer overrides, so the layers
/// are kept: a wrong value is taken out, and everything is merged again.
#[derive(Default)]
pub(in crate::config) struct Layers {
    section: String,
    /// The highest layer first.
    all: Vec<Layer>,
    /// The layers that have values with this tag: nearly always one. It is needed for each value at each reading, and
    /// there may be hundreds of layers.
    by_tag: HashMap<Tag, Vec<usize>>,
    /// The files of secrets that the layers name.
    pub(in crate::config) secrets: Arc<Secrets>,
    /// A file that does not answer may say more about the section.
    pub(in crate::config) is_partial: bool,
}

/// What one source says about the section, with canonical keys.
struct Layer {
    /// Its values have the tags that figment gave them.
    entry: Entry,
    /// A figment without values, which knows the metadata of the tags.
    origin: Figment,
    canonical: Canonical,
}

impl Layers {
    /// Makes the layers of these entries, the highest first.
    pub(in crate::config) fn of(section: &str, entries: &Entries<'_>, ask: &Ask<'_>) -> Self {
        let layer = |entry: &&Entry| {
            let (value, canonical) = Canonical::of(entry.value.clone(), entry.source.texts(), ask);
            let entry = Entry { section: section.to_string(), ..entry.with(value) };
            let tagged = entry.merge_into(Figment::new());
            // The section exists, since it has just been merged in.
            let value = tagged.find_value(section).unwrap_or_else(|_| value::nothing(Tag::Default));
            Layer { entry: entry.with(value), origin: tagged.focus(NOWHERE), canonical }
        };
        let all: Vec<Layer> = entries.all.iter().map(layer).collect();
        let mut by_tag = HashMap::new();
        all.iter().enumerate().for_each(|(number, layer)| note_tags(&layer.entry.value, number, &mut by_tag));
        Layers {
            section: section.to_string(),
            all,
            by_tag,
            secrets: entries.secrets.clone(),
            is_partial: entries.is_partial,
        }
    }

    /// Merges these layers, without the values that are dropped and those that `Hides` hides.
    pub(in crate::config) fn merge(&self, of: &Range<usize>, dropped: &Dropped) -> Figment {
        // Keys that are hidden in layers below this rank.
        let mut hidden: Vec<(u8, &Way)> = Vec::new();
        let (mut shown, mut values) = (Vec::new(), Vec::new());
        for number in of.clone() {
            let layer = &self.all[number];
            if dropped.contains(&(number, Way::new())) {
                continue;
            }
            let mut value = layer.entry.value.clone();
            let dropped = dropped.iter().filter(|(of, _)| *of == number).map(|(_, way)| way);
            // A default is not hidden: it holds beside whatever is set.
            let is_hidden = |rank: u8| (1..rank).contains(&layer.rank());
            let hidden_here = hidden.iter().filter(|(rank, _)| is_hidden(*rank)).map(|(_, way)| *way);
            dropped.chain(hidden_here).for_each(|way| value::remove(&mut value, way));
            let is_here = |way: &Way| value::at(&value, way).is_some();
            let hides = layer.canonical.hides.iter().filter(|(cause, _)| is_here(cause));
            hidden.extend(hides.map(|(_, way)| (layer.rank(), way)));
            shown.push(layer);
            values.push(value);
        }
        retain_chosen(&mut values, shown.iter().map(|layer| &layer.canonical.choices));
        let merge = |figment: Figment, (layer, value): (&Layer, Value)| {
            figment.merge(&layer.origin).merge(layer.entry.with(value))
        };
        shown.into_iter().zip(values).rev().fold(Figment::new(), merge)
    }

    /// The merged value of the section.
    pub(in crate::config) fn value(&self, figment: &Figment) -> Option<Value> {
        figment.find_value(&self.section).ok()
    }

    /// The most mistakes that are reported for these layers.
    pub(in crate::config) fn most_mistakes(&self) -> usize {
        most(self.all.iter().filter_map(|layer| layer.entry.source.file()).map(|file| file.text.len()).sum())
    }

    /// The highest layer's value of a key of the section, be it right or wrong.
    pub(in crate::config) fn spot_of_key(&self, key: &str) -> Option<Spot> {
        let way = vec![Step::Key(key.to_string())];
        let entry = self.all.iter().position(|layer| value::at(&layer.entry.value, &way).is_some())?;
        Some(Spot { path: vec![key.to_string()], entry, way })
    }

    /// The number of layers.
    pub(in crate::config) fn len(&self) -> usize {
        self.all.len()
    }

    /// The indices of all layers.
    pub(in crate::config) fn numbers(&self) -> Range<usize> {
        0..self.all.len()
    }

    /// The index of the layer that a value with this tag at this place comes from.
    pub(in crate::config) fn layer_of(&self, tag: Tag, way: &[Step]) -> usize {
        let is =
            |number: &usize| value::at(&self.all[*number].entry.value, way).is_some_and(|value| value.tag() == tag);
        // A tag is in one layer only, except if two sections of a figment have the same value.
        match self.by_tag.get(&tag).map_or(&[][..], Vec::as_slice) {
            [only] => *only,
            several => several.iter().copied().find(is).unwrap_or_default(),
        }
    }

    /// Is the value a mapping?
    pub(in crate::config) fn is_mapping(&self, spot: &Spot) -> bool {
        value::at(&self.all[spot.entry].entry.value, &spot.way).is_some_and(|value| value.as_dict().is_some())
    }

    /// Is the value in a list, or in a variant about which no other layer says anything? Then no other layer adds to
    /// what is around it.
    pub(in crate::config) fn is_taken_whole(&self, spot: &Spot) -> bool {
        let in_list = spot.way.iter().any(|step| matches!(step, Step::Index(_)));
        let mut choices = self.all[spot.entry].canonical.choices.keys().filter(|choice| spot.way.starts_with(choice));
        in_list
            || choices.any(|choice| {
                let is_more =
                    |(variant, _): (&str, _)| spot.way.get(choice.len()) == Some(&Step::Key(variant.to_string()));
                !self.variants_of_others(spot.entry, choice).any(is_more)
            })
    }

    /// A value that is not a mapping, at this place or around it, while a lower layer has a mapping there: it overrides
    /// that mapping as a whole.
    pub(in crate::config) fn whole_over_parts(&self, spot: &Spot, dropped: &Dropped) -> Option<(usize, Way)> {
        let here = |number: usize, way: &[Step]| value::at(&self.all[number].entry.value, way);
        let is_mapping = |number: usize, way: &[Step]| here(number, way).is_some_and(|value| value.as_dict().is_some());
        let is_other = |number: usize, way: &Way| {
            let is_other = |value: &Value| !matches!(value, Value::Dict(..) | Value::Empty(..));
            here(number, way).is_some_and(is_other) && !dropped.contains(&(number, way.clone()))
        };
        (1..=spot.way.len()).find_map(|len| {
            let way = spot.way[..len].to_vec();
            let lowest = (0..self.len()).rfind(|number| is_mapping(*number, &way))?;
            let whole = (0..lowest).find(|number| is_other(*number, &way))?;
            Some((whole, way))
        })
    }

    /// Does another layer say what belongs to the variant whose name stands here alone?
    pub(in crate::config) fn has_content_elsewhere(&self, spot: &Spot) -> bool {
        let Some(here) = value::at(&self.all[spot.entry].entry.value, &spot.way) else { return false };
        let is_it = |(said, names): (&str, &[&'static str])| variant(here, names) == Some(said);
        self.variants_of_others(spot.entry, &spot.way).any(is_it)
    }

    /// The variants of a choice about which other layers say something, each with the names of all variants.
    fn variants_of_others<'l>(
        &'l self,
        number: usize,
        choice: &'l [Step],
    ) -> impl Iterator<Item = (&'l str, &'static [&'static str])> {
        let others = self.all.iter().enumerate().filter(move |(other, _)| *other != number);
        others.filter_map(|(_, layer)| {
            let names = *layer.canonical.choices.get(choice)?;
            let said = value::at(&layer.entry.value, choice).filter(|said| said.as_dict().is_some())?;
            Some((variant(said, names)?, names))
        })
    }

    /// What has to be left out of this layer so that a lower layer's value at this place holds: that place, or a value
    /// around it that overrides lower layers as a whole.
    pub(in crate::config) fn what_hides(&self, number: usize, way: &[Step]) -> Way {
        let Layer { entry, canonical, .. } = &self.all[number];
        let is_whole = |len: &usize| {
            let (around, next) = (&way[..*len], &way[*len]);
            match (value::at(&entry.value, around), next) {
                (Some(here @ Value::Dict(..)), Step::Key(key)) => {
                    let names = canonical.choices.get(around);
                    names.is_some_and(|names| variant(here, names) != Some(key.as_str()))
                }
                _ => true,
            }
        };
        let len = (0..way.len()).find(is_whole).unwrap_or(way.len());
        let way = &way[..len];
        // A secret may be set by either of two keys.
        match (way.split_last(), value::at(&entry.value, way)) {
            (Some((Step::Key(key), around)), None) => inner(around, &other_form(key)),
            _ => way.to_vec(),
        }
    }

    /// The original texts of values in the merged value that were converted by what they look like.
    pub(in crate::config) fn originals(&self, merged: &Value, around: &[Step]) -> OriginalTexts {
        let look = |layer: &Layer, (way, text): (&Way, &String)| {
            let (said, here) = (value::at(&layer.entry.value, way)?, value::at(merged, way)?);
            let is_it = said.tag() == here.tag() && !matches!(here, Value::String(..));
            is_it.then(|| (way.clone(), Value::String(here.tag(), text.clone())))
        };
        let mut all = OriginalTexts::new();
        for layer in self.all.iter().filter(|layer| layer.entry.source.texts() == Texts::Untyped) {
            for (way, text) in layer.canonical.texts.iter().filter(|(way, _)| way.starts_with(around)) {
                all.extend(look(layer, (way, text)));
            }
        }
        all
    }

    /// Puts original texts back, for each layer its own.
    pub(in crate::config) fn restore_texts(&mut self, texts: &[OriginalTexts]) {
        self.all.iter_mut().zip(texts).for_each(|(layer, texts)| texts::restore(&mut layer.entry.value, texts));
    }

    /// The layer at which a key that is missing in a mapping is reported: the highest file that says a part of the
    /// mapping.
    pub(in crate::config) fn file_of_mapping(&self, spot: &Spot) -> Option<usize> {
        let is_there =
            |layer: &Layer| value::at(&layer.entry.value, &spot.way).is_some_and(|value| value.as_dict().is_some());
        (0..self.all.len()).find(|number| self.is_file(*number) && is_there(&self.all[*number]))
    }

    /// Is there a secret around the place that is this many steps down?
    pub(in crate::config) fn has_secret_around(&self, steps: usize) -> bool {
        self.all.iter().any(|layer| layer.canonical.has_secret_around(steps))
    }

    /// Is this layer a config file's?
    pub(in crate::config) fn is_file(&self, number: usize) -> bool {
        self.all[number].entry.source.file().is_some()
    }

    /// Are both layers from files, both from the environment, or both from the command line?
    pub(in crate::config) fn are_one_kind(&self, one: usize, other: usize) -> bool {
        const PROGRAM: u8 = super::source::Source::Program.rank();
        let (one, other) = (self.all[one].rank(), self.all[other].rank());
        one == other && one > PROGRAM
    }

    /// Is this layer the type's default?
    pub(in crate::config) fn is_default(&self, number: usize) -> bool {
        matches!(&*self.all[number].entry.source, super::source::Source::Default)
    }

    /// Is this layer a variable's or a flag's?
    pub(in crate::config) fn is_process(&self, number: usize) -> bool {
        self.all[number].entry.source.texts() == Texts::Untyped
    }

    /// The rank of this layer's kind of source: a higher rank overrides a lower one.
    pub(in crate::config) fn rank(&self, number: usize) -> u8 {
        self.all[number].rank()
    }

    /// The folder of the file that a value comes from.
    pub(in crate::config) fn folder(&self, spot: &Spot) -> Option<PathBuf> {
        let metadata = self.all[spot.entry].metadata(&spot.way)?;
        metadata.source.as_ref()?.file_path()?.parent().map(Path::to_path_buf)
    }

    /// The key as the source spells it.
    pub(in crate::config) fn written(&self, spot: &Spot) -> Option<String> {
        match self.all[spot.entry].canonical.way_as_written(&spot.way).pop()? {
            Step::Key(key) => Some(key),
            Step::Index(_) => None,
        }
    }

    /// A message about a value, with the number in it spelled as in the file: `1e3` instead of `1000.0`.
    pub(in crate::config) fn as_written<'w>(&self, words: &'w str, spot: &Spot) -> Cow<'w, str> {
        let number = words.strip_suffix('`').and_then(|words| words.rsplit_once('`'));
        let Some((before, number)) = number.filter(|(_, shown)| shown.parse::<f64>().is_ok()) else {
            return words.into();
        };
        // It must be the same number: something else may stand at that place.
        let is_it = |written: &String| written.replace('_', "").parse::<f64>().ok() == number.parse().ok();
        let written = self.written_value(spot).filter(is_it);
        written.map_or_else(|| words.into(), |written| format!("{before}`{written}`").into())
    }

    /// The position of a key, like [`place`](Layers::place). But all keys of a file are located at once, and kept in
    /// `places` by the layer's index.
    pub(in crate::config) fn place_of_key(&self, spot: &Spot, places: &mut BTreeMap<usize, Places>) -> Place {
        let layer = &self.all[spot.entry];
        let source = &layer.entry.source;
        let known = source.file().and_then(|file| {
            let all = places.entry(spot.entry).or_insert_with(|| keys(&file.text, file.format, &layer.entry.way));
            let way: Way = layer.entry.way.iter().chain(&layer.canonical.way_as_written(&spot.way)).cloned().collect();
            all.get(&way).copied()
        });
        match known {
            Some(at) => Place { source: source.to_string(), at: Some(at) },
            None => self.place(spot, Part::Key),
        }
    }

    /// A value of a single word, as its file, variable or flag spells it.
    pub(in crate::config) fn written_value(&self, spot: &Spot) -> Option<String> {
        let layer = &self.all[spot.entry];
        let Some(file) = layer.entry.source.file() else { return layer.canonical.texts.get(&spot.way).cloned() };
        let (line, column) = self.place(spot, Part::Value).at?;
        let rest = file.text.lines().nth(line - 1)?.chars().skip(column - 1);
        Some(rest.take_while(|c| !c.is_whitespace() && !matches!(c, ',' | ']' | '}' | '#')).collect())
    }

    /// Does the value have a YAML tag, so that it is read as a mapping?
    pub(in crate::config) fn has_tag(&self, spot: &Spot) -> bool {
        let is_yaml = self.all[spot.entry].entry.source.file().is_some_and(|file| file.format == Format::Yaml);
        is_yaml && self.written_value(spot).is_some_and(|written| written.starts_with('!'))
    }

    /// The position of a value or its key. This parses a file again, so it is for messages only.
    pub(in crate::config) fn place(&self, spot: &Spot, part: Part) -> Place {
        let layer = &self.all[spot.entry];
        let written = layer.canonical.way_as_written(&spot.way);
        let way: Way = layer.entry.way.iter().chain(&written).cloned().collect();
        if layer.entry.source.file().is_some() {
            return layer.entry.source.place(&way, part);
        }
        let Some(metadata) = layer.metadata(&spot.way) else { return layer.entry.source.place(&way, part) };
        let at = match &metadata.source {
            Some(Source::File(path)) => in_file_of(path, [&way, &written], part),
            _ => None,
        };
        Place { source: origin(metadata), at }
    }
}

/// Adds the tags of a layer's values.
fn note_tags(value: &Value, number: usize, all: &mut HashMap<Tag, Vec<usize>>) {
    let numbers = all.entry(value.tag()).or_default();
    if numbers.last() != Some(&number) {
        numbers.push(number);
    }
    match value {
        Value::Dict(_, dict) => dict.values().for_each(|value| note_tags(value, number, all)),
        Value::Array(_, items) => items.iter().for_each(|value| note_tags(value, number, all)),
        _ => {}
    }
}

impl Layer {
    fn rank(&self) -> u8 {
        self.entry.source.rank()
    }

    /// What figment knows about the origin of the value at this place, or of what is around it.
    fn metadata(&self, way: &[Step]) -> Option<&figment::Metadata> {
        let around = (0..=way.len()).rev();
        let mut values = around.filter_map(|len| value::at(&self.entry.value, &way[..len]));
        values.find_map(|value| self.origin.get_metadata(value.tag()))
    }
}

/// The position in a file that another figment provider has read: that file has either all sections, or only this one.
fn in_file_of(path: &Path, ways: [&[Step]; 2], part: Part) -> Option<(usize, usize)> {
    let (text, format) = (file::read(path).ok()?, Format::of(path));
    let text = format.prepared(&text);
    ways.into_iter().find_map(|way| locate(&text, format, way, part))
}

/// A key that is set by two files, or by two spellings of a variable.
pub(in crate::config) struct Duplicate {
    pub(in crate::config) first: Spot,
    pub(in crate::config) second: Spot,
}

impl Layers {
    /// The keys that are set by two files, or by two spellings of a variable.
    pub(in crate::config) fn duplicates(&self) -> Vec<Duplicate> {
        let mut all = Vec::new();
        // The file that was read first is the lowest layer.
        let numbers = |is: &dyn Fn(usize) -> bool| (0..self.all.len()).rev().filter(|number| is(*number)).collect();
        let files: Vec<usize> = numbers(&|number| self.is_file(number));
        let variables: Vec<usize> = numbers(&|number| self.parts_of_variable(number).is_some());
        for layers in [files, variables] {
            for (place, second) in layers.iter().enumerate() {
                // A variable for a whole mapping is not another spelling of one for a key in it.
                let parts = self.parts_of_variable(*second);
                for first in layers[..place].iter().filter(|first| self.parts_of_variable(**first) == parts) {
                    let [one, other] = [first, second].map(|number| &self.all[*number]);
                    collect_duplicates(
                        (*first, &one.entry.value),
                        (*second, &other.entry.value),
                        &mut Way::new(),
                        &one.canonical,
                        &mut all,
                    );
                }
            }
        }
        all
    }

    /// The number of parts in the name of a `CNINFRA__` variable; `None` for other variables, each of which has one
    /// fixed name.
    fn parts_of_variable(&self, number: usize) -> Option<usize> {
        match &*self.all[number].entry.source {
            super::source::Source::Variable(name) if name.starts_with(ANY_KEY) => Some(name.split("__").count()),
            _ => None,
        }
    }
}

fn collect_duplicates(
    first: (usize, &Value),
    second: (usize, &Value),
    way: &mut Way,
    canonical: &Canonical,
    all: &mut Vec<Duplicate>,
) {
    let (Value::Dict(_, firsts), Value::Dict(_, seconds)) = (first.1, second.1) else { return };
    for (key, value) in seconds {
        let Some(other) = firsts.get(key) else { continue };
        way.push(Step::Key(key.clone()));
        let may_both_be = match (value, other) {
            // Two files may each say a part of the same variant.
            (Value::Dict(_, one), Value::Dict(_, other)) => {
                !canonical.choices.contains_key(way) || one.keys().eq(other.keys())
            }
            _ => false,
        };
        if may_both_be {
            collect_duplicates((first.0, other), (second.0, value), way, canonical, all);
        } else {
            let spot = |entry| Spot { path: shown(canonical.shown(way)), entry, way: way.clone() };
            all.push(Duplicate { first: spot(first.0), second: spot(second.0) });
        }
        way.pop();
    }
}

fn shown(way: &[Step]) -> Vec<String> {
    let shown = |step: &Step| match step {
        Step::Key(key) => crate::config::written::key::kebab(key),
        Step::Index(index) => index.to_string(),
    };
    way.iter().map(shown).collect()
}

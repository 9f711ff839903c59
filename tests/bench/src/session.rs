//! One run of the benchmark: measures everything that was requested, and saves each figure at once.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use crate::cycle::{self, Cycle};
use crate::design::Design;
use crate::error::{During, Error, Result};
use crate::graph::Graph;
use crate::leaf::{Directories, Leaf};
use crate::measure;
use crate::options::Options;
use crate::phase::Phase;
use crate::record::Row;

/// A run of the benchmark.
pub struct Session {
    /// What is to be measured.
    options: Options,
    /// The directories for everything that is written.
    directories: Directories,
    /// The leaf crates of the designs, in the order of the table.
    leaves: Vec<Leaf>,
    /// Gets a copy of a row whenever that has a new figure, in case the run is interrupted.
    journal: File,
    /// The complete rows, and those of the current size.
    pub rows: Vec<Row>,
    /// The number of figures that could not be measured.
    pub failures: usize,
}

impl Session {
    /// A run that has measured nothing yet.
    pub fn new(options: Options) -> Result<Self> {
        measure::require_valgrind()?;
        let directories = Directories::of_this_build()?;
        fs::create_dir_all(&directories.root).during(|| format!("creating {}", directories.root.display()))?;
        let path = directories.root.join("figures.jsonl");
        let journal = File::create(&path).during(|| format!("creating {}", path.display()))?;
        eprintln!("every figure is kept in {}", path.display());
        let leaves: Result<Vec<Leaf>> = options.designs.iter().map(|design| Leaf::new(&directories, *design)).collect();
        Ok(Self { options, directories, leaves: leaves?, journal, rows: Vec::new(), failures: 0 })
    }

    /// Measures everything that was requested. Whatever fails to build or run is reported and left out.
    pub fn run(&mut self) -> Result<()> {
        for phase in &self.options.phases {
            for leaf in &self.leaves {
                let name = format!("{} {}", leaf.design.name(), phase.name());
                let since = Instant::now();
                leaf.build_dependencies(*phase).during(|| format!("{name}: building the dependencies"))?;
                eprintln!("{name}: dependencies built, {}", seconds(since));
            }
        }
        for plugins in self.options.sizes.clone() {
            let since = Instant::now();
            let first = self.rows.len();
            let leaves = self.leaves.iter();
            let leaves = leaves.filter(|leaf| plugins <= leaf.design.most_plugins());
            let leaves: Vec<Leaf> = leaves.cloned().collect();
            self.rows.extend(leaves.iter().map(|leaf| Row::new(plugins, leaf.design)));
            let graph = Graph::new(plugins);
            for phase in self.options.phases.clone() {
                for (place, leaf) in (first..).zip(&leaves) {
                    self.count(place, leaf, &graph, phase)?;
                }
            }
            if self.options.phases.contains(&Phase::Release) {
                self.time_cycles(first)?;
            }
            eprintln!("{plugins} plugins: done, {}", seconds(since));
        }
        Ok(())
    }

    /// Counts the instructions of one build for one row.
    fn count(&mut self, place: usize, leaf: &Leaf, graph: &Graph, phase: Phase) -> Result<()> {
        let since = Instant::now();
        let plugins = graph.len();
        let source = leaf.design.source(graph);
        let name = format!("{} {plugins} {}", leaf.design.name(), phase.name());
        let counted = (0..self.options.runs_per_build).map(|_| leaf.count(&source, plugins, phase)).collect();
        let counted: Result<Vec<u64>> = counted;
        match counted.map(|runs| runs.into_iter().min()) {
            Ok(Some(instructions)) => {
                eprintln!("{name}: {:.3} G instructions, {}", instructions as f64 / 1e9, seconds(since));
                self.rows[place].set_instructions(phase, instructions);
                if phase == Phase::Release {
                    self.rows[place].binary = Some(leaf.keep_binary(plugins)?);
                }
            }
            Ok(None) => {}
            Err(error) => self.failed(place, &name, &error),
        }
        self.keep(place)
    }

    /// Runs the release binaries of one size in turn: those of the rows from `first` on.
    fn time_cycles(&mut self, first: usize) -> Result<()> {
        let built = |row: &Row| row.binary.is_some() && row.design.starts();
        let places: Vec<usize> = (first..self.rows.len()).filter(|place| built(&self.rows[*place])).collect();
        let mut cycles: Vec<Vec<Cycle>> = vec![Vec::new(); places.len()];
        for _ in 0..self.options.runs_per_binary {
            for (place, cycles) in places.iter().zip(&mut cycles) {
                match cycle::run(&self.binary(*place)) {
                    Ok(cycle) => cycles.push(cycle),
                    Err(error) if !self.rows[*place].failed => self.failed(*place, "start+close", &error),
                    Err(_) => {}
                }
            }
        }
        let mut values: Vec<(Design, u64)> = Vec::new();
        for (place, cycles) in places.into_iter().zip(cycles) {
            let design = self.rows[place].design;
            let Some(value) = cycles.first().map(|cycle| cycle.value) else {
                continue;
            };
            let microseconds = cycle::median(cycles.iter().map(|cycle| cycle.microseconds).collect());
            eprintln!("{} {}: {microseconds:.2} us for a start and close", design.name(), self.rows[place].plugins);
            self.rows[place].start_close = Some(microseconds);
            self.keep(place)?;
            if design.has_lifecycle() {
                values.push((design, value));
            }
        }
        if values.windows(2).any(|pair| pair[0].1 != pair[1].1) {
            return Err(Error::new(format!("the designs do not compute the same number: {values:?}")));
        }
        Ok(())
    }

    /// The path of the release binary of a row.
    fn binary(&self, place: usize) -> PathBuf {
        self.directories.binary(self.rows[place].design, self.rows[place].plugins)
    }

    /// Reports that a figure could not be measured.
    fn failed(&mut self, place: usize, name: &str, error: &Error) {
        eprintln!("{name}: FAILED: {error}");
        self.rows[place].failed = true;
        self.failures += 1;
    }

    /// Writes the current state of a row to the journal.
    fn keep(&mut self, place: usize) -> Result<()> {
        writeln!(self.journal, "{}", self.rows[place].json()).during(|| "writing figures.jsonl".to_owned())
    }
}

/// The seconds since an instant, as text.
fn seconds(since: Instant) -> String {
    format!("took {:.1} s", since.elapsed().as_secs_f64())
}

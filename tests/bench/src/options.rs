//! Parses the command line.

use std::path::PathBuf;

use crate::design::Design;
use crate::error::{Error, Result};
use crate::phase::Phase;

/// What `--help` prints.
pub const HELP: &str = "\
What compile-time injection costs, against wiring by hand, shaku and nject.

    cargo run -p cninfra-bench --bin wiring --release -- [options]

  --sizes 10,50,100,200,400      how many plugins
  --designs ours,hand,..         of: hand ours ours-events ours-nested ours-bare shaku nject
                                 (default: all but ours-nested and ours-bare)
  --phases check,debug,release   release gives also the time of a start and close, and the binary's size
  --runs-per-build 1             builds counted for each figure; the least is taken
  --runs-per-binary 9            runs of each release binary, the designs taking turns; the median is taken
  --nested                       also ours-nested: flavors of ten plugins
  --quick                        --sizes 10,50 --designs ours,hand --phases check,debug
  --json FILE                    the figures as JSON, too
";

/// What is measured, and how often.
#[derive(Debug)]
pub struct Options {
    /// The numbers of plugins.
    pub sizes: Vec<usize>,
    /// The designs, in the order of the table.
    pub designs: Vec<Design>,
    /// The phases, in the order of the table.
    pub phases: Vec<Phase>,
    /// How many builds are measured for each figure.
    pub runs_per_build: usize,
    /// How often each release binary is run.
    pub runs_per_binary: usize,
    /// The file for the figures as JSON.
    pub json: Option<PathBuf>,
    /// Whether only the help is requested.
    pub help: bool,
}

impl Options {
    /// Reads the arguments, without the program's name.
    pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self {
            sizes: vec![10, 50, 100, 200, 400],
            designs: vec![Design::Ours, Design::OursEvents, Design::Hand, Design::Shaku, Design::Nject],
            phases: Phase::ALL.to_vec(),
            runs_per_build: 1,
            runs_per_binary: 9,
            json: None,
            help: false,
        };
        let mut nested = false;
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| Error::new(format!("{argument} wants a value")));
            match argument.as_str() {
                "--sizes" => options.sizes = items(&value()?, positive)?,
                "--designs" => options.designs = items(&value()?, design)?,
                "--phases" => options.phases = items(&value()?, phase)?,
                "--runs-per-build" => options.runs_per_build = positive(&value()?)?,
                "--runs-per-binary" => options.runs_per_binary = positive(&value()?)?,
                "--json" => options.json = Some(value()?.into()),
                "--nested" => nested = true,
                "--quick" => {
                    options.sizes = vec![10, 50];
                    options.designs = vec![Design::Ours, Design::Hand];
                    options.phases = vec![Phase::Check, Phase::Debug];
                }
                "--help" | "-h" => options.help = true,
                _ => {
                    return Err(Error::new(format!("unknown argument {argument}; see --help")));
                }
            }
        }
        if nested {
            options.designs.push(Design::OursNested);
        }
        options.sizes.sort_unstable();
        options.sizes.dedup();
        options.designs = Design::ALL.into_iter().filter(|d| options.designs.contains(d)).collect();
        options.phases = Phase::ALL.into_iter().filter(|p| options.phases.contains(p)).collect();
        Ok(options)
    }
}

/// The items of a list that is separated by commas.
fn items<T>(list: &str, item: impl Fn(&str) -> Result<T>) -> Result<Vec<T>> {
    list.split(',').map(item).collect()
}

/// A number above 0.
fn positive(text: &str) -> Result<usize> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| Error::new(format!("not a number above 0: `{text}`")))
}

/// A design by its name.
fn design(name: &str) -> Result<Design> {
    let found = Design::ALL.into_iter().find(|design| design.name() == name);
    found.ok_or_else(|| Error::new(format!("no such design: `{name}`; see --help")))
}

/// A phase by its name.
fn phase(name: &str) -> Result<Phase> {
    let found = Phase::ALL.into_iter().find(|phase| phase.name() == name);
    found.ok_or_else(|| Error::new(format!("no such phase: `{name}`; see --help")))
}

#[cfg(test)]
mod tests {
    use super::Options;
    use crate::design::Design;
    use crate::phase::Phase;

    fn parse(line: &str) -> Result<Options, String> {
        Options::parse(line.split_whitespace().map(str::to_owned)).map_err(|error| error.to_string())
    }

    #[test]
    fn lists_are_put_in_the_order_of_the_table() {
        let options = parse("--sizes 50,10,50 --designs ours,hand --phases debug,check --nested").unwrap();
        assert_eq!(options.sizes, [10, 50]);
        assert_eq!(options.designs, [Design::Hand, Design::Ours, Design::OursNested]);
        assert_eq!(options.phases, [Phase::Check, Phase::Debug]);
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(parse("--sizes ten").unwrap_err(), "not a number above 0: `ten`");
        assert_eq!(parse("--designs wire").unwrap_err(), "no such design: `wire`; see --help");
        assert_eq!(parse("--json").unwrap_err(), "--json wants a value");
        assert_eq!(parse("--fast").unwrap_err(), "unknown argument --fast; see --help");
    }
}

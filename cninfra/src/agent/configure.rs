//! What the command line, the environment and the files say, put into the settings.

use super::{
    cli::{Cli, Origin},
    own::{self, Own},
    settings::Settings,
};
use crate::{
    Error,
    config::{Files, Known},
    graph::Graph,
};
use figment::Figment;

/// What is to be said of the config.
pub(super) struct Report {
    /// What is odd about it, but no reason not to start.
    pub(super) odd: Vec<String>,
    /// Why nothing is started.
    pub(super) wrong: Vec<Error>,
}

impl Settings {
    /// Takes in the command line and the environment, reads the files, and checks all of it.
    pub(super) fn configure(&mut self, graph: &'static Graph, cli: Cli) -> Report {
        let known = own::known(graph);
        let mut odd = cli.odd;
        let mut wrong: Vec<Error> =
            cli.wrong.into_iter().map(|(what, help)| Error::msg(what).with_help(help)).collect();
        for value in &cli.values {
            match &value.origin {
                Origin::Variable(name) => self.config.set_variable(&value.section, &value.key, &value.text, name),
                Origin::Flag(name) => self.config.set_flag(&value.section, &value.key, &value.text, name),
            }
        }
        match cli.config_dir {
            Some((dir, origin)) if !dir.is_dir() => {
                let what = format_args!("{origin}: there is no directory {}", dir.display()).to_string();
                wrong.push(Error::msg(what).with_help("make it, or leave --config-dir and CONFIG_DIR out"));
            }
            dir => {
                let dir = dir.map_or_else(|| ".".into(), |(dir, _)| dir);
                let named = cli.files.into_iter().map(|(section, path, origin)| (section, path, origin.to_string()));
                self.files = Some(Files { dir, named: named.collect() });
            }
        }
        odd.append(&mut self.read_config(&known));
        wrong.extend(self.config.check(&known).into_iter().map(Error::from));
        Report { odd, wrong }
    }

    /// Is anything not at its default?
    pub(super) fn has_config(&self) -> bool {
        self.own != Own::default() || self.files.is_some() || !self.config.is_empty()
    }

    /// The config as it will be read.
    pub(super) fn figment(&self, graph: &'static Graph) -> Figment {
        let known = own::known(graph);
        let mut config = self.own.under(self.config.clone());
        config.name_sections(&known);
        if let Some(files) = &self.files {
            // what is wrong or odd is told when the agent starts
            config.read_files(files, &known);
        }
        config.canonical_figment(&known)
    }

    /// Reads the files, and puts what the builder says under all of it.
    pub(super) fn read_config(&mut self, known: &Known) -> Vec<String> {
        let config = std::mem::take(&mut self.config);
        self.config = std::mem::take(&mut self.own).under(config);
        self.config.name_sections(known);
        match self.files.take() {
            Some(files) => self.config.read_files(&files, known),
            None => Vec::new(),
        }
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the config is not valid: nothing was started")?;
        for error in &self.wrong {
            write!(f, "\n  - {error}")?;
            if let Some(help) = error.help() {
                write!(f, "\n    help: {help}")?;
            }
        }
        Ok(())
    }
}

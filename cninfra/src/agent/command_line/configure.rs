//! Puts the values of the command line, the environment and the config files into the settings.

use super::said::{Cli, Origin, Task, Value};
use crate::{
    Error,
    agent::{
        setup::{
            logs::{self, LogsConfig},
            own::{self, AgentConfig, Own},
            settings::Settings,
        },
        terms::policy::StartPolicy,
    },
    config::{self, Config, EffectiveSection, Files, Known},
    graph::Graph,
    logging::{self, LevelRule, Loggers},
};
use figment::Figment;

/// The result of checking the config.
#[derive(Debug, Default)]
pub(in crate::agent) struct Report {
    /// Warnings, which do not prevent the start.
    pub(in crate::agent) warnings: Vec<String>,
    /// Errors, which prevent the start.
    pub(in crate::agent) errors: Vec<Error>,
}

/// The inputs of the config check, copied before the process starts its agent, so that they can be read again.
#[derive(Clone)]
pub(in crate::agent) struct CheckInputs {
    graph: &'static Graph,
    own: Own,
    config: Config,
    cli: Cli,
}

impl CheckInputs {
    /// Copies the inputs of a start with these settings and this command line.
    pub(in crate::agent) fn of(settings: &Settings, graph: &'static Graph, cli: &Cli) -> Self {
        CheckInputs { graph, own: settings.own.clone(), config: settings.config.clone(), cli: cli.clone() }
    }

    /// The agent's own section, without what the files say about it.
    pub(in crate::agent) fn own(&self) -> AgentConfig {
        AgentConfig::of(&self.own.clone().under(self.config.clone())).unwrap_or_default()
    }

    /// Reads and checks the config again.
    pub(in crate::agent) fn report(self) -> Report {
        let CheckInputs { graph, own, config, cli } = self;
        Settings { own, config, ..Settings::default() }.configure(graph, cli)
    }
}

/// The value in force for each key of each section, and its source.
pub(crate) fn effective(
    config: &Config,
    graph: &'static Graph,
    loggers: &Loggers,
    agents: &Config,
) -> Vec<EffectiveSection> {
    // The default level that the program has set directly on the loggers.
    let is_of_program = |rule: &LevelRule| rule.name == logging::DEFAULT && rule.source == logging::Source::Program;
    let level = loggers.rules().into_iter().find(is_of_program).map(|rule| rule.level);
    let under = level.map_or_else(Config::new, |level| Config::new().set(logs::SECTION, "default-level", level));
    config.effective(&own::known(graph), &under, agents)
}

impl Settings {
    /// Takes over the values that the command line and the environment set for keys.
    pub(in crate::agent) fn take_values(&mut self, values: &[Value]) {
        for value in values {
            match &value.origin {
                Origin::Variable(name) => self.config.set_variable(&value.section, &value.key, &value.text, name),
                Origin::Flag(name) => self.config.set_flag(&value.section, &value.key, &value.text, name),
            }
        }
    }

    /// Takes over the rest of the command line, reads the files, and checks the whole config.
    pub(in crate::agent) fn configure(&mut self, graph: &'static Graph, cli: Cli) -> Report {
        let known = own::known(graph);
        let mut warnings = cli.warnings;
        let mut errors: Vec<Error> =
            cli.errors.into_iter().map(|(what, help)| Error::msg(what).with_help(help)).collect();
        match cli.config_dir {
            Some((dir, origin)) if !config::is_dir(&dir) => {
                let shown = dir.display().to_string().escape_debug().to_string();
                let (what, help) = match shown.is_empty() {
                    true => ("it is empty, and no directory".to_string(), "name one"),
                    false if config::is_there(&dir) => {
                        (format!("{shown} is not a directory"), "name the one that it is in")
                    }
                    false => (format!("there is no directory {shown}"), "create it"),
                };
                let error = Error::msg(format_args!("{origin}: {what}"));
                errors.push(error.with_help(format_args!("{help}, or leave --config-dir and CONFIG_DIR out")));
            }
            dir => {
                let dir = dir.map_or_else(|| ".".into(), |(dir, _)| dir);
                let named = cli.files.into_iter().map(|(section, path, origin)| (section, path, origin.to_string()));
                self.files = Some(Files { dir, named: named.collect() });
            }
        }
        warnings.append(&mut self.read_config(&known));
        errors.extend(self.config.check_for_plugins(&known).into_iter().map(Error::from));
        // These checks are about the plugin's code, not the config, and a start has to be fast: so they run only for
        // the plugin's developer.
        if cli.task == Task::CheckConfig || cfg!(debug_assertions) {
            errors.extend(known.defects().into_iter().map(Error::from));
        }
        Report { warnings, errors }
    }

    /// Whether anything differs from its default.
    pub(in crate::agent) fn has_config(&self) -> bool {
        self.own != Own::default() || self.files.is_some() || !self.config.is_empty()
    }

    /// The value in force for each key, and its source.
    pub(in crate::agent) fn print_config(&self, graph: &'static Graph) -> String {
        config::print(&effective(&self.config, graph, &self.loggers, &self.of_plugins()))
    }

    /// What the builder has set for plugins (policies and limits), as the config keys that mean the same.
    pub(in crate::agent) fn of_plugins(&self) -> Config {
        let mut config = Config::new();
        for (plugin, policy) in &self.policies {
            let policy = match policy {
                StartPolicy::Fail => config::OnFailure::Fail,
                StartPolicy::Retry(_) => config::OnFailure::Retry,
                StartPolicy::Ignore => config::OnFailure::Ignore,
            };
            config = config.set(plugin, "start-policy", policy);
        }
        for ((plugin, phase), limit) in &self.plugin_limits {
            let key = format!("limits.{}", phase.name().replace('_', "-"));
            config = config.set(plugin, &key, config::Duration::from(*limit));
        }
        config
    }

    /// The config as a figment, as it will be read.
    pub(in crate::agent) fn figment(&self, graph: &'static Graph) -> Figment {
        let known = own::known(graph);
        let mut config = self.own.under(self.config.clone().with_secrets_unread());
        config.name_sections(&known);
        if let Some(files) = &self.files {
            // Errors and warnings are reported when the agent starts.
            config.read_files(files, &known);
        }
        config.canonical_figment(&known)
    }

    /// Reads the files, and puts what the builder has set below all other layers. Returns the warnings.
    pub(in crate::agent) fn read_config(&mut self, known: &Known) -> Vec<String> {
        let config = std::mem::take(&mut self.config);
        self.config = std::mem::take(&mut self.own).under(config);
        self.config.name_sections(known);
        let Some(files) = self.files.take() else { return Vec::new() };
        let mut warnings = self.config.read_files(&files, known);
        // Errors in this section are reported by the check.
        warnings.extend(LogsConfig::of(&self.config).into_iter().flat_map(|logs| logs.near_misses(known)));
        warnings
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the config is not valid: nothing was started")?;
        for error in &self.errors {
            write!(f, "\n  - {error}")?;
            if let Some(help) = error.help() {
                write!(f, "\n    help: {help}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        agent::{
            command_line::{cli, variables::Variables},
            setup::own,
        },
        logging::{Level, LogSettings},
        prelude::*,
    };

    #[plugin]
    struct Idle;
    #[derive(Flavor)]
    struct Lone {
        idle: Dep<Idle>,
    }

    /// The report of `--check-config` for a flavor.
    fn checked<F: Flavor>(mut agent: crate::agent::Builder<F>) -> String {
        let env = Variables::new([]);
        let args = ["app".into(), "--check-config".into()];
        let cli = cli::parse(F::GRAPH, &own::known(F::GRAPH), crate::BuildInfo::new("1.0"), &args, &env).unwrap();
        agent.settings.configure(F::GRAPH, cli).to_string()
    }

    #[test]
    fn a_flag_on_a_key_that_is_not_there_is_a_mistake_of_its_plugin() {
        const FLAGS: &[Flag] = &[Flag::new("target", "tarket")];
        #[derive(serde::Serialize, serde::Deserialize, Default)]
        #[serde(default, deny_unknown_fields)]
        struct PollerConfig {
            target: String,
        }
        #[plugin(flags = FLAGS)]
        struct Poller {
            #[config]
            _config: PollerConfig,
        }
        #[derive(Flavor)]
        struct Polling {
            poller: Dep<Poller>,
        }
        let report = checked(Agent::<Polling>::builder());
        let told = "  - flag --target: it is declared for key `poller.tarket`, which is unknown\n    help: it is a defect of the plugin, \
                    in its `flags`: did you mean `target`? known keys: target; of any plugin: ";
        assert!(report.contains(told), "{report}");
    }

    #[test]
    fn a_key_without_a_default_is_a_mistake_of_its_plugin() {
        #[derive(serde::Serialize, serde::Deserialize, Default)]
        struct PollerConfig {
            target: String,
            max_peers: u8,
        }
        #[plugin]
        struct Poller {
            #[config]
            _config: PollerConfig,
        }
        #[derive(Flavor)]
        struct Polling {
            poller: Dep<Poller>,
        }
        let report = checked(Agent::<Polling>::builder());
        let told = "  - default: key `poller.target` has no default of its own: where another key of the section is set, it is missing\n    \
                    help: it is a defect of the plugin: give the section's type `#[serde(default)]`";
        assert!(report.contains(told), "{report}");
    }

    #[test]
    fn two_spellings_of_one_variable_are_told() {
        #[derive(serde::Serialize, serde::Deserialize, Default)]
        #[serde(default)]
        struct PollerConfig {
            max_peers: u8,
            labels: std::collections::BTreeMap<String, u8>,
        }
        #[plugin]
        struct Poller {
            #[config]
            _config: PollerConfig,
        }
        #[derive(Flavor)]
        struct Polling {
            poller: Dep<Poller>,
        }
        let report = |env: &[(&str, &str)]| {
            let env = Variables::new(env.iter().map(|(name, value)| (name.into(), value.into())));
            let cli = cli::parse(
                Polling::GRAPH,
                &own::known(Polling::GRAPH),
                crate::BuildInfo::new("1.0"),
                &["app".into()],
                &env,
            )
            .unwrap();
            let mut settings = Agent::<Polling>::builder().settings;
            settings.take_values(&cli.values);
            settings.configure(Polling::GRAPH, cli).to_string()
        };
        let both = report(&[("CNINFRA__POLLER__MAX_PEERS", "1"), ("CNINFRA__POLLER__MAXPEERS", "1")]);
        let told = "  - variable CNINFRA__POLLER__MAX_PEERS: key `poller.max-peers` is also set in variable CNINFRA__POLLER__MAXPEERS\n    \
                    help: keep one of them";
        assert!(both.contains(told) && both.matches("  - ").count() == 1, "{both}");
        // The keys of a map are data, and the variable of a single key is a layer over the variable of the whole map.
        let map = [
            ("CNINFRA__POLLER__LABELS", "{a-b: 1}"),
            ("CNINFRA__POLLER__LABELS__A_B", "2"),
            ("CNINFRA__POLLER__LABELS__AB", "3"),
        ];
        assert!(!report(&map).contains("  - "), "{}", report(&map));
    }

    #[test]
    fn a_section_that_is_not_there_is_told_once_of_one_flag() {
        let args = ["--check-config", "--set=nope.a=1", "--set=nope.a=2", "--set=nope.b=1"];
        let args: Vec<_> = ["app"].iter().chain(&args).map(Into::into).collect();
        let env = Variables::new([]);
        let cli = cli::parse(Lone::GRAPH, &own::known(Lone::GRAPH), crate::BuildInfo::new("1.0"), &args, &env).unwrap();
        let mut settings = Agent::<Lone>::builder().settings;
        settings.take_values(&cli.values);
        let report = settings.configure(Lone::GRAPH, cli).to_string();
        assert_eq!(report.matches("there is no section `nope`").count(), 2, "{report}");
    }

    #[test]
    fn what_holds_of_the_agents_keys_is_printed_where_nobody_says_them() {
        let printed = |builder: crate::agent::Builder<Lone>| {
            let printed = builder.settings.print_config(Lone::GRAPH);
            printed[printed.find("idle:").unwrap()..].to_string()
        };
        let builder = Agent::<Lone>::builder;
        let policy = "idle:\n  start-policy: fail  # default\n";
        let limits = |start: &str, stop: &str, origin: &str| {
            let limits = format!(
                "{{\"create\":\"{start}\",\"init\":\"{start}\",\"after-init\":\"{start}\",\"drain\":\"{stop}\",\"close\":\"{stop}\"}}"
            );
            format!("  # limits: {limits}  # {origin}\n")
        };
        assert_eq!(printed(builder()), format!("{policy}{}", limits("15s", "2s500ms", "default")));
        // The limits follow from the limits for all plugins.
        let said = || crate::config::Config::new().set("agent", "start-timeout", "30s");
        let expected = format!("{policy}{}", limits("30s", "2s500ms", "set by the program"));
        assert_eq!(printed(builder().config(said())), expected);
        let one = printed(builder().config(said().set("agent", "limits.drain", "1s").set("idle", "limits.init", "1m")));
        let expected = "  limits:\n    init: 1m  # set by the program\n    # create: 30s  # set by the program\n    # after-init: 30s  # set by the program\n    \
                        # drain: 1s  # set by the program\n    # close: 2s500ms  # default\n";
        assert_eq!(one, format!("{policy}{expected}"));
        // Policies and limits that are set by the builder's own methods.
        let limit = std::time::Duration::from_secs(7);
        let agent = builder().start_policy("idle", crate::agent::StartPolicy::retry()).limit(
            "idle",
            crate::agent::Phase::AfterInit,
            limit,
        );
        let text = printed(agent);
        assert!(text.starts_with("idle:\n  start-policy: retry  # set by the program\n  limits:\n    after-init: 7s  # set by the program\n"), "{text}");
    }

    #[test]
    fn the_level_that_the_program_says_is_printed() {
        let printed = |builder: crate::agent::Builder<Lone>| builder.settings.print_config(Lone::GRAPH);
        let builder = || Agent::<Lone>::builder().log_settings(&LogSettings::new().default_level(Level::Warn));
        let of_program = printed(builder());
        assert!(of_program.contains("  default-level: warn  # set by the program\n"), "{of_program}");
        let config = crate::config::Config::new().set("logs", "default-level", "error");
        assert!(printed(builder().config(config)).contains("  default-level: error  # set by the program\n"));
        assert!(printed(Agent::<Lone>::builder()).contains("  default-level: info  # default\n"));
    }
}

#[derive(Default, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PolitenessConfig {
    greeting: String,
    repeat_every: cninfra::config::Duration,  // 5s, 1m30s
    password: cninfra::config::Secret,        // never printed; or `password-file: PATH`
}

#[plugin]
struct Politeness {                           // its section is `politeness`
    #[config]
    config: PolitenessConfig,                 // Live<PolitenessConfig>: it follows its file while the agent runs
}

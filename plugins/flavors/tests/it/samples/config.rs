use cninfra::config::{Duration, Invalid, Secret};

#[derive(Default, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PolitenessConfig {
    greeting: String,
    repeat_every: Duration,                   // 5s, 1m30s; `*repeat_every` is a `std::time::Duration`
    password: Secret,                         // never printed; read by `reveal()`; set by `password` or `password-file: PATH`
}

impl PolitenessConfig {
    fn check(&self) -> Result<(), Invalid> {  // for keys that are valid alone, but not together
        if self.greeting.is_empty() && !self.repeat_every.is_zero() {
            return Err(Invalid::key("greeting", "is needed with `repeat-every`").help("such as `greeting: Hello`"));
        }
        Ok(())
    }
}

#[plugin]
struct Politeness {                           // its section is `politeness`
    #[config(check = PolitenessConfig::check)]
    config: PolitenessConfig,
}

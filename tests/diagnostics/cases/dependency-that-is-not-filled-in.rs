//! Containers of dependencies that would hold their defaults for ever, and those that may.
use cninfra::prelude::*;
use std::{
    collections::HashMap,
    sync::{Mutex, OnceLock},
};

#[interface(many)]
pub trait Routes {}

#[plugin]
pub struct Store;

#[plugin]
pub struct Api {
    routes: Option<Vec<Dep<dyn Routes>>>, //~ CN033
    stores: HashMap<String, Dep<Store>>, //~ CN033
    pairs: Vec<(String, Box<Dep<Store>>)>, //~ CN033
    later: OnceLock<Dep<Store>>,
    seen: Mutex<Vec<Dep<dyn Routes>>>,
}

#[plugin]
pub struct Meant {
    #[default(HashMap::new())]
    stores: HashMap<String, Dep<Store>>,
}

#[derive(Flavor)]
pub struct App {
    api: Dep<Api>,
    meant: Dep<Meant>,
    store: Dep<Store>,
}

fn main() -> std::process::ExitCode {
    Agent::<App>::main()
}

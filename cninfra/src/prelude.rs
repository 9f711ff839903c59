//! The names that authors of plugins and flavors need: `use cninfra::prelude::*;`

pub use crate::{
    Agent, Context, Create, Dep, Deps, Error, ErrorContext, Flag, Flavor, Key, Lifecycle, Logger, Plugin, Qualifier,
    Result, async_trait, debug, error, info, interface, plugin, trace, warn,
};

//! Pages of a running agent, for people and as JSON: the plugin [`Pages`].
//!
//! They are made on the server: no script, and nothing of elsewhere is loaded. Light or dark, as the browser is.

mod answer;
mod config;
mod frame;
mod graph;
mod index;
mod layout;
mod look;
mod place;
mod plugin;
mod rows;
mod status;
mod svg;
mod timeline;
mod words;

pub use plugin::Pages;

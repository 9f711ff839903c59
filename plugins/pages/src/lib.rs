//! Pages about a running agent, for people and as JSON: the plugin [`Pages`].
//!
//! They are rendered on the server: no scripts, and nothing is loaded from elsewhere. They are light or dark, as the
//! browser prefers.

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

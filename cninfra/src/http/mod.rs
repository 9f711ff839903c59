//! The interface to an HTTP server: what a plugin with routes needs, and what a server plugin provides.
//!
//! A plugin depends on `Dep<dyn Http>` and registers its [`Routes`] in its `init`. The server starts to serve when
//! every plugin has been initialised. Handlers are axum's: any function that takes *extractors* and returns a
//! *response*, so everything that axum has for them ([`axum::extract`], [`axum::response`]) can be used. [`Json`],
//! [`Path`] and [`Query`] are like axum's of these names, but they reject requests in the form of all errors of a
//! server: in JSON.
//!
//! ```
//! use cninfra::{
//!     http::{Http, Path, Routes},
//!     prelude::*,
//! };
//!
//! #[plugin]
//! struct Greeter {
//!     http: Dep<dyn Http>,
//! }
//!
//! impl Lifecycle for Greeter {
//!     async fn init(&self, cx: &Context) -> Result<()> {
//!         let greet = async |Path(name): Path<String>| format!("Hello, {name}!");
//!         self.http.register(cx, Routes::new().get("/hello/{name}", greet).summary("greets by name"))
//!     }
//! }
//! ```
//!
//! This module contains no server: each server is a plugin, such as `Rest` in the crate `cninfra-rest`. A server keeps
//! its routes in a [`RouteTable`]. Tests of handlers need no server either: the module `testing` (feature `testing`)
//! calls them without a socket.

mod answer;
mod complete;
mod error;
mod extract;
mod failure;
mod form;
mod handler;
mod index;
mod interface;
mod page;
mod path;
mod route;
mod router;
mod routes;
mod scrape;
mod table;
// Also in the documentation when the feature is off, so that readers learn which feature to turn on.
#[cfg(any(feature = "testing", doc))]
pub mod testing;

pub use answer::{error as error_response, indented as indented_json};
pub use axum;
pub use complete::Complete;
pub use error::RouteError;
pub use extract::{Json, Path, Query, Rejection};
pub use failure::Failure;
pub use form::wanted_form;
pub use handler::{Answers, Asked, Asking, Async, Extracted, Gives, Kind, OfState, RouteHandler};
pub use index::RouteIndex;
pub use interface::Http;
pub use page::{Page, escaped, wants_html};
pub use route::Route;
pub use routes::Routes;
pub use scrape::Scrape;
pub use table::RouteTable;

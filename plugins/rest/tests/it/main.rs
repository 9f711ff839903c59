//! The server over real sockets, on free ports.

mod binding;
mod library;
mod life;
mod routes;
mod support;

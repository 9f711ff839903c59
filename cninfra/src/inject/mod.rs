//! Injection: from the types of a flavor's fields to wired plugins, in the type system.
//!
//! Every plugin, interface, qualifier and flavor has a [`Key`](key::Key): an id, written as a list of type-level
//! digits. A flavor's fields form a trie over these digits ([`trie`]); walking it is a *total* type function that
//! yields the path to a slot, a collection of paths, or that there is none. So the compiler resolves every dependency
//! to a field access, without `TypeId`, registry or `unsafe`.
//!
//! The data flows one way: `key` and `trie` (identities and lookup), `part` (the fields of flavors), `flavor`, `row`,
//! `bound` and `tuple` (parts made of parts), `deps` (dependencies), `plugin`, `running` and `idle` (plugins and their
//! lifecycle), `find` (lookup in a running flavor), `replace` (replacement in tests). Users see only what the crate's
//! root re-exports.

#[allow(missing_docs, reason = "named by generated code only")]
pub(crate) mod bound;
#[allow(missing_docs, reason = "named by generated code only")]
pub(crate) mod deps;
mod emit;
pub(crate) mod find;
#[allow(missing_docs, reason = "named by generated code only")]
pub(crate) mod flavor;
#[allow(missing_docs, reason = "named by generated code only")]
pub(crate) mod idle;
pub(crate) mod key;
#[allow(missing_docs, reason = "named by generated code only")]
pub(crate) mod part;
pub(crate) mod plugin;
pub(crate) mod replace;
#[allow(missing_docs, reason = "named by generated code only")]
pub(crate) mod row;
#[allow(missing_docs, reason = "named by generated code only")]
pub(crate) mod running;
#[allow(missing_docs, reason = "named by generated code only")]
pub(crate) mod shared;
#[allow(missing_docs, reason = "named by generated code only")]
pub(crate) mod slot;
#[allow(missing_docs, reason = "named by generated code only")]
pub(crate) mod trie;
mod tuple;
#[allow(missing_docs, reason = "named by generated code only")]
pub(crate) mod word;

pub use deps::{DepItem, DepSet};
pub use flavor::Flavor;
pub(crate) use flavor::Nested;
pub use key::{Interface, ManyInterface};
pub use plugin::{Create, Lifecycle};
pub use replace::{Instance, Replacement};
pub use shared::{SharedKey as Key, SharedPart as Part, SharedPlugin as Plugin};

//! The names that generated code uses. Nothing here is stable.

pub use crate::{
    Context, Dep, Flag, FromContext,
    config::{CheckOf, ConfigMeta, Section, check_config},
    flag::check as check_flags,
    graph::{
        self, Binding, Checks, Counts, DepMeta, Field, Graph, HASH_START, Item, KeyMeta, Need, PluginMeta, Sizes, Text,
        Told, Tree, counts, generic_instance, generic_name, hash, mix,
    },
    inject::{
        bound::Bound,
        deps::{DepItem, DepSet, Listed, More, Worded},
        flavor::{ByItself, Closed, Flavor, Held, Nested, Open, Pass, Runs, Sound, Sure},
        idle::{CN034NoLifecycle, idle},
        key::{Accepts, AcceptsField, GenericKey, GivenKey, Interface, Key, ManyInterface, ValueKey},
        part::{Argument, Creation, Declared, DeclaredIf, Made, Part, Provider, created, declared},
        plugin::{
            Attribute, Blank, BlankOf, Creates, DepsOf, DynPlugin, HasLifecycle, Lifecycle, Lists, Plugin, refused,
        },
        row::{Row, RowOf},
        running::{Probe, Running, WithoutLifecycle},
        shared::{Is, IsNot, alone, held, itself, shared, unmarked},
        slot::Slot,
        trie::{Digits, Found, Many, One, Root, X0, X1, X2, X3, X4, X5, X6, X7, X8, X9, Xa, Xb, Xc, Xd, Xe, Xf},
        word::{Anything, Given, Parameter, Typed, Within, Word, no_size},
    },
};
pub use cninfra_macros::plugin as ConditionalPlugin;
pub use std::{
    boxed::Box,
    default::Default,
    marker::{PhantomData, Sized},
    option::Option,
    result::Result,
    sync::Arc,
    vec::Vec,
};
pub use tracing;

//! What generated code names. Nothing here is stable.

pub use crate::{
    Context, Dep, Flag, FromContext,
    config::{ConfigMeta, Section},
    flag::check as check_flags,
    graph::{
        self, Binding, DepMeta, Field, Graph, HASH_START, Item, KeyMeta, Need, PluginMeta, Sizes, Text, Tree,
        generic_instance, generic_name, hash, mix,
    },
    inject::{
        bound::Bound,
        deps::{DepItem, DepSet, Listed, More},
        flavor::{Closed, Flavor, Nested, OfKind, Open, Pass, Sound},
        key::{Accepts, Interface, Key, ManyInterface},
        part::{Creation, Declared, Part, Provider, created},
        plugin::{Blank, Creates, HasLifecycle, Lifecycle, Plugin},
        row::{Row, RowOf},
        running::{Probe, Running, WithLifecycle, WithoutLifecycle},
        shared::{Is, IsNot, alone, shared, unmarked},
        slot::Slot,
        trie::{D0, D1, D2, D3, Digits, Found, Many, One, Root},
    },
};
pub use std::{boxed::Box, default::Default, marker::PhantomData, option::Option, result::Result, sync::Arc, vec::Vec};

//! Fields with types that look wrong, but are correct.

#![allow(clippy::type_complexity, reason = "that a type is long is what is tried")]

use cninfra::prelude::*;
use std::{
    collections::HashMap,
    marker::PhantomData,
    sync::{Arc, Mutex, RwLock},
};

#[interface]
trait Kv {
    fn get(&self) -> u32;
}
struct Seven;
impl Kv for Seven {
    fn get(&self) -> u32 {
        7
    }
}

/// Unsized types may stand behind a pointer, in a type that only names them, or in a user's type with the name of a std
/// type.
mod without_size {
    use super::*;

    mod own {
        use super::PhantomData;

        pub struct Vec<T: ?Sized>(PhantomData<T>);
        impl<T: ?Sized> Default for Vec<T> {
            fn default() -> Self {
                Vec(PhantomData)
            }
        }
        #[derive(Default)]
        #[allow(non_camel_case_types, reason = "the name of another one")]
        pub struct str(pub u8);
    }

    macro_rules! held {
        ($($name:ident: $ty:ty),*) => {
            #[plugin(no_lifecycle)]
            struct Given { $($name: $ty),* }
        };
    }
    held!(bytes: Box<[u8]>, hooks: Vec<Box<dyn Fn() + Send + Sync>>, text: Option<Arc<str>>, of: PhantomData<dyn Kv>);

    #[plugin(no_lifecycle)]
    struct Held {
        #[default(Box::new(Seven))]
        boxed: Box<dyn Kv>,
        #[default(vec![Box::new(Seven)])]
        several: Vec<Box<dyn Kv>>,
        #[default("seven")]
        text: &'static str,
        #[default(Some("seven"))]
        maybe: Option<&'static str>,
        #[default(&[7])]
        bytes: &'static [u8],
        shared: Arc<str>,
        slice: Box<[u8]>,
        names: HashMap<&'static str, Box<str>>,
        #[default(Arc::new(Mutex::new(Seven)))]
        locked: Arc<Mutex<dyn Kv>>,
        #[default(Arc::new(RwLock::new([7])))]
        locked_slice: Arc<RwLock<[u8]>>,
        of: (PhantomData<str>, PhantomData<dyn Kv>, PhantomData<[u8]>),
        #[default(str::len)]
        call: fn(&str) -> usize,
        parse: Option<fn(&[u8]) -> Box<dyn Kv>>,
        own: self::own::str,
        own_vec: own::Vec<dyn std::fmt::Debug + Send + Sync>,
    }

    #[derive(Flavor)]
    struct All {
        held: Dep<Held>,
        given: Dep<Given>,
    }

    #[tokio::test]
    async fn is_held_behind_something() {
        let agent = Agent::<All>::start().await.unwrap();
        let Held {
            boxed,
            several,
            text,
            maybe,
            bytes,
            shared,
            slice,
            names,
            locked,
            locked_slice,
            of,
            call,
            parse,
            own,
            own_vec: _,
        } = &*agent.held;
        assert_eq!((boxed.get(), several[0].get(), locked.lock().unwrap().get()), (7, 7, 7));
        assert_eq!((*text, *maybe, *bytes, call("seven")), ("seven", Some("seven"), &[7_u8][..], 5));
        assert_eq!(locked_slice.read().unwrap()[0], 7);
        assert!(shared.is_empty() && slice.is_empty() && names.is_empty() && parse.is_none() && own.0 == 0);
        assert_eq!(*of, Default::default());
        let Given { bytes, hooks, text, of: _ } = &*agent.given;
        assert!(bytes.is_empty() && hooks.is_empty() && text.is_none());
        agent.close().await.unwrap();
    }
}

/// User types with the names of std types, of any shape.
mod own_types_of_known_names {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[derive(Default)]
    struct Instant(u64);
    #[derive(Default)]
    struct AtomicCounter(AtomicU64);
    /// It is sized, and leads back to the plugin.
    #[derive(Default)]
    struct Path {
        of: Option<Dep<Clock>>,
        ticks: [u8; Clock::TICKS],
    }
    impl Clock {
        const TICKS: usize = 7;
    }
    mod my {
        #[derive(Default)]
        pub struct Duration<'a>(pub Option<&'a u8>);
        #[derive(Default)]
        pub struct Mutex<T>(pub T);
    }

    #[plugin(no_lifecycle)]
    struct Clock {
        began: Instant,
        took: my::Duration<'static>,
        ticks: AtomicCounter,
        locked: my::Mutex<AtomicU64>,
        real: Mutex<Option<std::time::Instant>>,
        path: Path,
    }

    #[derive(Flavor)]
    struct Clocks {
        clock: Dep<Clock>,
    }

    #[tokio::test]
    async fn are_held_as_any() {
        let agent = Agent::<Clocks>::start().await.unwrap();
        let Clock { began, took, ticks, locked, real, path } = &*agent.clock;
        assert!(path.of.is_none() && path.ticks == [0; 7]);
        assert_eq!(
            (began.0, took.0, ticks.0.load(Ordering::Relaxed), locked.0.load(Ordering::Relaxed)),
            (0, None, 0, 0)
        );
        assert!(real.lock().unwrap().is_none());
        agent.close().await.unwrap();
    }
}

/// The generated checks of a field's type do not read the field, so lints behave as for any struct.
#[deny(unfulfilled_lint_expectations)]
mod fields_that_nobody_reads {
    use super::*;
    use std::marker::PhantomData;

    struct Vec<T: ?Sized>(PhantomData<fn(&T)>);
    impl<T: ?Sized> Default for Vec<T> {
        fn default() -> Self {
            Vec(PhantomData)
        }
    }

    #[plugin(no_lifecycle)]
    struct Idle {
        #[expect(dead_code)]
        own: Vec<dyn Fn()>,
        #[cfg(test)]
        #[expect(dead_code)]
        conditional: Vec<str>,
    }

    #[derive(Flavor)]
    struct All {
        idle: Dep<Idle>,
    }

    #[tokio::test]
    async fn are_known_to_the_lints() {
        let agent = Agent::<All>::start().await.unwrap();
        let _: &Idle = &agent.idle;
        agent.close().await.unwrap();
    }
}

/// The generated checks of a field's type leave no unused result, and do not recurse if the type leads back to the
/// plugin.
#[deny(unused_results)]
mod fields_of_any_type {
    use super::*;
    use std::sync::Weak;
    use tokio::sync::OnceCell;

    #[derive(Default)]
    struct Cell<T>(T);
    #[derive(Default)]
    struct Ten(u8);
    #[derive(Qualifier)]
    struct Only;

    #[plugin(no_lifecycle)]
    struct First {
        cell: Cell<u8>,
        itself: OnceCell<Weak<Self>>,
        late: OnceCell<Dep<Second>>,
    }
    #[plugin(no_lifecycle)]
    struct Second {
        first: Dep<First>,
        others: OnceCell<Vec<Weak<First>>>,
    }
    #[plugin(no_lifecycle)]
    struct Generic<T> {
        of: PhantomData<T>,
        ten: Ten,
        cell: Cell<Option<Weak<T>>>,
    }

    #[derive(Flavor)]
    struct All {
        first: Dep<First>,
        second: Dep<Second>,
        generic: Dep<Generic<Only>>,
    }

    #[tokio::test]
    async fn are_asked_for_in_no_circle() {
        let agent = Agent::<All>::start().await.unwrap();
        let First { cell, itself, late } = &*agent.first;
        assert!(cell.0 == 0 && !itself.initialized() && !late.initialized());
        let Second { first, others } = &*agent.second;
        assert!(std::ptr::eq(&**first, &*agent.first) && !others.initialized());
        let Generic { of: PhantomData, ten, cell } = &*agent.generic;
        assert!(ten.0 == 0 && cell.0.is_none());
        drop(agent.close().await.unwrap());
    }
}

/// Lifetimes that are declared within a field's type.
mod lifetimes {
    use super::*;
    use std::borrow::Cow;

    type Parse = Box<dyn for<'a, 'b> Fn(&'a str, &'b str) -> Cow<'b, str> + Send + Sync + 'static>;

    #[plugin(no_lifecycle)]
    struct Names {
        #[default(Cow::Borrowed("seven"))]
        name: Cow<'static, str>,
        #[default(Box::new(|_, b| b.into()))]
        parse: Box<dyn for<'a, 'b> Fn(&'a str, &'b str) -> Cow<'b, str> + Send + Sync + 'static>,
        other: Option<Parse>,
        #[default([0; 'b' as usize])]
        line: [u8; 'b' as usize],
        call: Option<for<'a> fn(&'a str) -> &'a str>,
    }

    #[derive(Flavor)]
    struct All {
        names: Dep<Names>,
    }

    #[tokio::test]
    async fn may_be_named_in_a_field() {
        let agent = Agent::<All>::start().await.unwrap();
        let Names { name, parse, other, line, call } = &*agent.names;
        assert_eq!((&**name, &*parse("a", "b"), line.len()), ("seven", "b", 98));
        assert!(other.is_none() && call.is_none());
        agent.close().await.unwrap();
    }
}

/// Lifetimes and labels in code, and in the arguments of macros.
mod lifetimes_in_code {
    use super::*;

    #[derive(Default)]
    struct Ring<const N: usize>;
    macro_rules! Of {
        ($life:lifetime) => { &'static str };
    }

    #[plugin(no_lifecycle)]
    struct Lines {
        line: [u8; {
            const fn first<'x>(text: &'x str, _: &str) -> &'x str {
                text
            }
            first("abc", "").len()
        }],
        ring: Ring<
            {
                'a: {
                    if u8::MAX == 7 {
                        break 'a 3;
                    }
                    4
                }
            },
        >,
        made: (Of!['a], u8),
    }

    #[derive(Flavor)]
    struct All {
        lines: Dep<Lines>,
    }

    #[tokio::test]
    async fn are_not_the_fields() {
        let agent = Agent::<All>::start().await.unwrap();
        let Lines { line, ring: Ring::<4>, made } = &*agent.lines;
        assert_eq!((line.len(), *made), (3, ("", 0)));
        agent.close().await.unwrap();
    }
}

/// User types whose paths end like those of cninfra or std.
mod own_deps {
    use super::*;

    mod own {
        use super::PhantomData;

        pub mod graph {
            #[derive(Default)]
            pub struct Dep(pub u8);
        }
        #[derive(Default)]
        pub struct Dep<A, B>(pub A, pub B);
        pub struct HashMap<K: ?Sized, V: ?Sized>(PhantomData<K>, PhantomData<V>);
        impl<K: ?Sized, V: ?Sized> Default for HashMap<K, V> {
            fn default() -> Self {
                HashMap(PhantomData, PhantomData)
            }
        }
    }

    #[plugin(no_lifecycle)]
    struct Node {
        edge: own::graph::Dep,
        edges: Vec<own::graph::Dep>,
        pair: own::Dep<u8, u16>,
        pairs: Vec<own::Dep<u8, u16>>,
        of: PhantomData<own::Dep<u8, u16>>,
        map: own::HashMap<str, Dep<Node>>,
    }

    #[derive(Flavor)]
    struct Nodes {
        node: Dep<Node>,
    }

    #[tokio::test]
    async fn are_held_as_any() {
        let agent = Agent::<Nodes>::start().await.unwrap();
        let Node { edge, edges, pair, pairs, of: PhantomData, map: _ } = &*agent.node;
        assert_eq!((edge.0, edges.len(), pair.0, pair.1, pairs.len()), (0, 0, 0, 0, 0));
        agent.close().await.unwrap();
    }
}

/// `Self` is valid within the struct, but not beside it.
mod types_of_the_plugin_itself {
    use super::*;

    trait Tuned {
        type Settings: Default + Send + Sync;
    }

    #[plugin(no_lifecycle)]
    struct Tuner {
        settings: <Self as Tuned>::Settings,
        config: Option<<Self as Tuned>::Settings>,
        of: <Self as Tuned>::Settings,
    }
    impl Tuned for Tuner {
        type Settings = u8;
    }

    #[plugin(no_lifecycle)]
    struct Of<T> {
        of: PhantomData<T>,
    }
    #[plugin(deps = (Of<Self>, Option<Of<Tuner>>))]
    struct Listed {
        of: Dep<Of<Self>>,
    }
    impl Create for Listed {
        async fn create((of, _): Self::Deps, _: &Context) -> Result<Self> {
            Ok(Listed { of })
        }
    }

    #[derive(Flavor)]
    struct All {
        tuner: Dep<Tuner>,
        of: Dep<Of<Listed>>,
        listed: Dep<Listed>,
    }

    #[tokio::test]
    async fn may_be_asked_for() {
        let agent = Agent::<All>::start().await.unwrap();
        let Tuner { settings, config, of } = &*agent.tuner;
        assert_eq!((*settings, *config, *of), (0, None, 0));
        assert!(Dep::ptr_eq(&agent.listed.of, &agent.of) && agent.of.of == PhantomData);
        agent.close().await.unwrap();
    }
}

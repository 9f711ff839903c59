//! A flavor as a part: what the derive says of it, and what follows from that.
//!
//! What follows is worked out here and not in generated code: types and impls that are written in a flavor's own crate
//! are checked there over and over.

use super::{
    key::Key,
    part::{Creation, Part, Wire},
    slot::Get,
    trie::{Entry, Found, Here, In, Prefix, Root, RootOf, Union},
};
use crate::{
    Context,
    graph::{Graph, Sizes, Tree},
};
use std::marker::PhantomData;

/// What `#[derive(Flavor)]` says of a flavor.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "CN007: `{Self}` cannot be a field of a flavor",
    label = "neither `Dep<Plugin>` nor a flavor",
    note = "the field of a plugin is `Dep<Plugin>`, of an optional plugin `Option<Dep<Plugin>>`; a nested flavor needs `#[derive(Flavor)]`, and each of its type arguments must be a plugin or an interface, or have `#[derive(Qualifier)]`"
)]
pub trait Nested: Sized + 'static {
    /// Who it is: a type beside it, so that a flavor that is derived twice in one list is told of for one trait, this one.
    type Id: Key;
    /// The types of its fields: a tuple, or a tuple of tuples.
    /// (No bound here: a field that is wrong is reported once, where it stands, and not again for all of them.)
    type Types;
    /// The same, if nothing is wrong with them.
    type Fields;
    /// [`Closed`] or [`Open`]
    type Kind;
    /// `()`, if it does not contain itself.
    type Ends;
    /// What it declares.
    const TREE: &'static Tree;
    /// Its graph, if it is closed.
    const WHOLE: &'static Graph = Sizes::<Self>::GRAPH;
    /// The flavor itself, of its fields. (One that is not right has no such function of its own: of a function that returns what no struct can be
    /// rustc would tell, too.)
    fn build(_: Self::Fields) -> Self {
        unreachable!("cninfra: such a flavor does not compile")
    }
}

/// Gives a type back, if a constant that depends on a flavor's [`TREE`](Nested::TREE) can be evaluated.
pub trait Pass {
    type Of<T>;
    /// The same of any type.
    type Any<T: ?Sized>: ?Sized;
}
pub struct Sound<const N: usize>;
impl<const N: usize> Pass for Sound<N> {
    type Of<T> = T;
    type Any<T: ?Sized> = T;
}

/// The type, if the constant can be evaluated. (One path: in the fields of plugins it costs the compiler less than what
/// it stands for.)
pub type Sure<const N: usize, T> = <Sound<N> as Pass>::Of<T>;

/// A flavor with a graph: it contains everything its plugins depend on.
///
/// `#[derive(Flavor)]` implements it. A `#[flavor(open)]` has no graph, since the dependencies of its plugins come from
/// the flavor around it.
///
/// The parameter is not yours to give: a bound is `F: Flavor`.
#[diagnostic::on_unimplemented(
    message = "CN019: `{Self}` is not a flavor that runs by itself",
    label = "a flavor that runs has `#[derive(Flavor)]` and no `#[flavor(open)]`, and each of its type arguments is a plugin or an interface, or has `#[derive(Qualifier)]`"
)]
pub trait Flavor<Asked = Itself> {
    /// The plugins, their edges, levels and order, computed by the compiler.
    const GRAPH: &'static Graph;
}

#[diagnostic::do_not_recommend]
impl<F: Nested<Kind = Closed>> Flavor for F {
    const GRAPH: &'static Graph = F::WHOLE;
}

/// What each flavor has: its own graph.
pub struct Itself;

/// Nothing has it, which rustc does not rule out for a type that it has yet to infer.
///
/// For the words: rustc looks for `X::GRAPH` at `X`, at `&X` and at `&mut X`, and where it is at none of them, lists in
/// 24 lines what each lacks. Here it may be at `&mut X`, and is found. Then `X` itself is asked for it, and what is
/// reported is that `X` is no flavor. (If it were there for certain, `<&mut X>::GRAPH` would be right.)
pub trait Unknown {
    const GRAPH: &'static Graph;
}
#[diagnostic::do_not_recommend]
#[doc(hidden)]
impl<X: ?Sized, U: Unknown> Flavor<U> for &mut X {
    const GRAPH: &'static Graph = U::GRAPH;
}

/// A flavor wired to itself. (A bound without parameters is proved once, whoever asks.)
pub trait Wired: Flavor + Part {
    fn create<'a>(index: usize, slots: &'a Self::Slots, cx: &Context) -> Creation<'a>;
    fn handles(slots: &Self::Slots) -> Self;
}
#[diagnostic::do_not_recommend]
impl<F: Flavor + Wire<<F as Part>::Slots, <F as Part>::Places<RootOf<F>>>> Wired for F {
    fn create<'a>(index: usize, slots: &'a F::Slots, cx: &Context) -> Creation<'a> {
        <F as Wire<_, _>>::create(index, slots, slots, cx)
    }
    fn handles(slots: &F::Slots) -> F {
        <F as Wire<_, _>>::handles(slots, slots)
    }
}

/// The kind of a flavor that contains everything its plugins need.
pub struct Closed;
/// The kind of a flavor whose plugins get dependencies from the flavor around it.
pub struct Open;

/// What an agent asks of the flavor that it runs. (Not of the flavor itself: of a local struct, rustc tells where it
/// is, too. Nor of its kind: where that can not be known, since the flavor is derived twice, it would tell of that.)
pub struct ByItself<F>(PhantomData<F>);

/// The flavor that an agent runs.
#[diagnostic::on_unimplemented(
    message = "CN019: `{F}` is not a flavor that runs by itself",
    label = "add `#[derive(Flavor)]` to it; one with `#[flavor(open)]` needs a flavor around it; or one of its plugins is not `Send` and `Sync`; or one of its type arguments is not a plugin or an interface, and has no `#[derive(Qualifier)]`"
)]
pub trait Runs<F>: 'static {
    fn hold() -> Box<dyn Held<F>>;
}
#[diagnostic::do_not_recommend]
impl<F: Nested<Kind = Closed> + Wired> Runs<F> for ByItself<F> {
    fn hold() -> Box<dyn Held<F>> {
        // a generic flavor is checked where it is used, the others where they are declared
        const { F::GRAPH.check() }
        Box::new(AllSlots::<F>(Default::default()))
    }
}

/// The slots of an agent, and what is done with them. The flavor's wiring is proved once, where this is made: so all
/// else needs no bounds, and a flavor that is not right gives one error.
pub trait Held<F>: Send + Sync {
    fn graph(&self) -> &'static Graph;
    fn create<'a>(&'a self, index: usize, cx: &Context) -> Creation<'a>;
    fn handles(&self) -> F;
    fn slots(&self) -> &<F as Part>::Slots
    where
        F: Part;
}
struct AllSlots<F: Wired>(<F as Part>::Slots);
impl<F: Wired> Held<F> for AllSlots<F> {
    fn graph(&self) -> &'static Graph {
        F::GRAPH
    }
    fn create<'a>(&'a self, index: usize, cx: &Context) -> Creation<'a> {
        F::create(index, &self.0, cx)
    }
    fn handles(&self) -> F {
        F::handles(&self.0)
    }
    fn slots(&self) -> &<F as Part>::Slots {
        &self.0
    }
}

impl<F: Nested<Fields: Part>> Part for F {
    type Slots = SlotsOf<F>;
    type Trie<Pre: Prefix> = Union<Entry<F::Id, Found<Pre::Then<Here>>>, <F::Fields as Part>::Trie<Pre>>;
    type Places<R: Root> = (R::Find<F::Id>, <F::Fields as Part>::Places<R>);
    const LEN: usize = F::Fields::LEN;
}
impl<S, H: Home<S, SlotsOf<F>>, V, F: Nested<Fields: Wire<S, V>>> Wire<S, (H, V)> for F {
    fn create<'a>(index: usize, root: &'a S, mine: &'a SlotsOf<F>, cx: &Context) -> Creation<'a> {
        F::Fields::create(index, root, &mine.0, cx)
    }
    fn handles(root: &S, _: &SlotsOf<F>) -> F {
        F::build(F::Fields::handles(root, &H::home(root).0))
    }
}

/// The home of a flavor in the root: its first place. One that is reached twice is kept there only.
pub trait Home<S, X> {
    fn home(root: &S) -> &X;
}
impl<S: Get<P, X>, P, X> Home<S, X> for Found<P> {
    fn home(root: &S) -> &X {
        root.get()
    }
}

/// The slots of a flavor: a short name for a long type. (In a box, so that it is sized whatever its fields are: else
/// rustc 1.95 fails inside of itself when a right flavor is made wrong between two incremental builds.)
pub struct SlotsOf<F: Nested<Fields: Part>>(Box<<F::Fields as Part>::Slots>);
impl<F: Nested<Fields: Part>> Default for SlotsOf<F> {
    fn default() -> Self {
        SlotsOf(Default::default())
    }
}
impl<F: Nested<Fields: Part>> Get<Here, SlotsOf<F>> for SlotsOf<F> {
    fn get(&self) -> &Self {
        self
    }
}
impl<F: Nested<Fields: Part<Slots: Get<In<N, P>, X>>>, const N: usize, P, X: ?Sized> Get<In<N, P>, X> for SlotsOf<F> {
    fn get(&self) -> &X {
        Get::<In<N, P>, X>::get(&*self.0)
    }
}

//! Flavors as parts: what the derive implements, and what follows from that.
//!
//! As much as possible is defined here rather than in generated code: types and impls in a flavor's own crate are
//! checked there again and again.

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

/// Implemented by `#[derive(Flavor)]`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "CN007: `{Self}` cannot be a field of a flavor",
    label = "neither `Dep<Plugin>` nor a flavor",
    note = "the field of a plugin is `Dep<Plugin>`, of an optional plugin `Option<Dep<Plugin>>`; a nested flavor needs `#[derive(Flavor)]`, and each of its type arguments must be a plugin or an interface, or have `#[derive(Qualifier)]`"
)]
pub trait Nested: Sized + 'static {
    /// Its identity, as a separate type: so a flavor that is derived twice leads to an error about one trait only, this
    /// one.
    type Id: Key;
    /// The types of its fields: a tuple, or a tuple of tuples. There is no bound, so that a wrong field is reported
    /// once, where it is written, and not again for all of them.
    type Types;
    /// The same types, if they are correct.
    type Fields;
    /// [`Closed`] or [`Open`]
    type Kind;
    /// `()`, if it does not contain itself.
    type Ends;
    /// The declarations.
    const TREE: &'static Tree;
    /// Its graph, if it is closed.
    const WHOLE: &'static Graph = Sizes::<Self>::GRAPH;
    /// Builds the flavor from its fields. A wrong flavor uses this default, since rustc would report a second error
    /// about a function whose return type no struct can have.
    fn build(_: Self::Fields) -> Self {
        unreachable!("cninfra: such a flavor does not compile")
    }
}

/// Gives a type back if a constant that depends on a flavor's [`TREE`](Nested::TREE) can be evaluated.
pub trait Pass {
    type Of<T>;
    /// The same for any type.
    type Any<T: ?Sized>: ?Sized;
}
pub struct Sound<const N: usize>;
impl<const N: usize> Pass for Sound<N> {
    type Of<T> = T;
    type Any<T: ?Sized> = T;
}

/// The type, if the constant can be evaluated. This alias costs the compiler less in the fields of plugins than what it
/// stands for.
pub type Sure<const N: usize, T> = <Sound<N> as Pass>::Of<T>;

/// A flavor with a graph: it contains everything its plugins depend on.
///
/// `#[derive(Flavor)]` implements it. A `#[flavor(open)]` has no graph, since the dependencies of its plugins come from
/// the flavor around it.
///
/// Leave the parameter at its default: the bound is `F: Flavor`.
#[diagnostic::on_unimplemented(
    message = "CN019: `{Self}` is not a flavor that runs by itself",
    label = "a flavor that runs has `#[derive(Flavor)]` and no `#[flavor(open)]`, and each of its type arguments is a plugin or an interface, or has `#[derive(Qualifier)]`; if it is a plugin, put it into a flavor, as a field `Dep<..>`"
)]
pub trait Flavor<Asked = Itself> {
    /// The plugins, their edges, levels and order, computed by the compiler.
    const GRAPH: &'static Graph;
}

#[diagnostic::do_not_recommend]
impl<F: Nested<Kind = Closed>> Flavor for F {
    const GRAPH: &'static Graph = F::WHOLE;
}

/// The default of the parameter of [`Flavor`]: a flavor's own graph.
pub struct Itself;

/// A condition that no type meets, but that rustc does not rule out for a type that it has yet to infer.
///
/// It exists for the error message. rustc looks for `X::GRAPH` at `X`, `&X` and `&mut X`. If none of them can have it,
/// it lists in 24 lines what each of them lacks. With the impl below, `&mut X` may have it, so rustc finds the
/// constant, then asks `X` itself for the trait, and reports only that `X` is no flavor.
pub trait Unknown {
    const GRAPH: &'static Graph;
}
#[diagnostic::do_not_recommend]
#[doc(hidden)]
impl<X: ?Sized, U: Unknown> Flavor<U> for &mut X {
    const GRAPH: &'static Graph = U::GRAPH;
}

/// A flavor that is wired to itself. A bound without parameters is proved only once, however many uses it has.
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

/// Carries what an agent requires of the flavor that it runs. It is not required of the flavor itself, since rustc
/// would also show where a local struct is defined; nor of its kind, since rustc would report that too if the flavor is
/// derived twice and its kind is therefore unknown.
pub struct ByItself<F>(PhantomData<F>);

/// The flavor that an agent runs.
#[diagnostic::on_unimplemented(
    message = "CN019: `{F}` is not a flavor that runs by itself",
    label = "if it is a plugin, put it into a flavor, as a field `Dep<{F}>`; otherwise add `#[derive(Flavor)]` to it; one with `#[flavor(open)]` needs a flavor around it; or one of its plugins is not `Send` and `Sync`; or one of its type arguments is not a plugin or an interface, and has no `#[derive(Qualifier)]`"
)]
pub trait Runs<F>: 'static {
    fn hold() -> Box<dyn Held<F>>;
}
#[diagnostic::do_not_recommend]
impl<F: Nested<Kind = Closed> + Wired> Runs<F> for ByItself<F> {
    fn hold() -> Box<dyn Held<F>> {
        // A generic flavor is checked where it is used, other ones where they are declared.
        const { F::GRAPH.check() }
        Box::new(AllSlots::<F>(Default::default()))
    }
}

/// The slots of an agent, and the operations on them. The flavor's wiring is proved once, where this is created: so
/// nothing else needs bounds, and a wrong flavor leads to one error.
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

/// Finds the slots of a flavor in the root, at its first place. A flavor that is reached twice has its slots only
/// there.
pub trait Home<S, X> {
    fn home(root: &S) -> &X;
}
impl<S: Get<P, X>, P, X> Home<S, X> for Found<P> {
    fn home(root: &S) -> &X {
        root.get()
    }
}

/// The slots of a flavor, as a short name for a long type. They are boxed, so that this is sized whatever the fields
/// are: otherwise rustc 1.95 crashes if a correct flavor becomes wrong between two incremental builds.
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

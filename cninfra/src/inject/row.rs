//! Up to twelve fields of a wide flavor, as a type with a name of its own. So no type grows with the flavor, and
//! rustc's work for one dependency stays the same.

use super::{
    part::{Creation, Part, Wire},
    slot::Get,
    trie::{Prefix, Root},
};
use crate::Context;

/// The row's fields. There is no bound, as in `Nested`.
pub trait Row: 'static {
    type Fields;
}
pub struct RowOf<R: Row> {
    pub fields: R::Fields,
}
pub struct RowSlots<R: Row<Fields: Part>>(<R::Fields as Part>::Slots);

impl<R: Row<Fields: Part>> Default for RowSlots<R> {
    fn default() -> Self {
        RowSlots(Default::default())
    }
}
#[diagnostic::do_not_recommend]
impl<R: Row<Fields: Part>> Part for RowOf<R> {
    type Slots = RowSlots<R>;
    type Trie<Pre: Prefix> = <R::Fields as Part>::Trie<Pre>;
    type Places<Of: Root> = <R::Fields as Part>::Places<Of>;
    const LEN: usize = R::Fields::LEN;
}
impl<S, V, R: Row<Fields: Wire<S, V>>> Wire<S, V> for RowOf<R> {
    fn create<'a>(index: usize, root: &'a S, mine: &'a RowSlots<R>, cx: &Context) -> Creation<'a> {
        R::Fields::create(index, root, &mine.0, cx)
    }
    fn handles(root: &S, mine: &RowSlots<R>) -> Self {
        RowOf { fields: R::Fields::handles(root, &mine.0) }
    }
}
impl<R: Row<Fields: Part<Slots: Get<P, X>>>, P, X: ?Sized> Get<P, X> for RowSlots<R> {
    fn get(&self) -> &X {
        self.0.get()
    }
}

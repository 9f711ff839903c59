//! Implements [`Part`] for tuples of parts.

use super::{
    part::{Creation, Part, Wire},
    slot::Get,
    trie::{Down, In, Nil, Prefix, Root, Union},
};
use crate::Context;

macro_rules! parts {
    ($($t:ident $v:ident $s:ident $n:tt)*) => {
        #[diagnostic::do_not_recommend]
        impl<$($t: Part),*> Part for ($($t,)*) {
            type Slots = ($($t::Slots,)*);
            type Trie<Pre: Prefix> = parts!(@union Pre; $($t $n)*);
            type Places<R: Root> = ($($t::Places<R>,)*);
            const LEN: usize = 0 $(+ $t::LEN)*;
        }
        #[allow(unused_variables, clippy::unused_unit, reason = "the empty tuple")]
        impl<Root, $($v, $t: Wire<Root, $v>),*> Wire<Root, ($($v,)*)> for ($($t,)*) {
            fn create<'a>(index: usize, root: &'a Root, mine: &'a Self::Slots, cx: &Context) -> Creation<'a> {
                $(
                    if index < $t::LEN {
                        return $t::create(index, root, &mine.$n, cx);
                    }
                    let index = index - $t::LEN;
                )*
                unreachable!("cninfra: no plugin {index}")
            }
            fn handles(root: &Root, mine: &Self::Slots) -> Self {
                ($($t::handles(root, &mine.$n),)*)
            }
        }
        parts!(@gets [$($s)*] $($s $n)*);
    };
    // Balanced, to keep rustc's recursion shallow.
    (@union $p:ident; ) => { Nil };
    (@union $p:ident; $a:ident $n:tt) => { $a::Trie<Down<$p, $n>> };
    (@union $p:ident; $a:ident $n:tt $b:ident $m:tt) => { Union<$a::Trie<Down<$p, $n>>, $b::Trie<Down<$p, $m>>> };
    (@union $p:ident; $a:ident $n:tt $b:ident $m:tt $c:ident $k:tt) => {
        Union<Union<$a::Trie<Down<$p, $n>>, $b::Trie<Down<$p, $m>>>, $c::Trie<Down<$p, $k>>>
    };
    (@union $p:ident; $a:ident $n:tt $b:ident $m:tt $c:ident $k:tt $($rest:tt)+) => {
        Union<
            Union<Union<$a::Trie<Down<$p, $n>>, $b::Trie<Down<$p, $m>>>, $c::Trie<Down<$p, $k>>>,
            parts!(@union $p; $($rest)*),
        >
    };
    (@gets $all:tt ) => {};
    (@gets [$($all:ident)*] $s:ident $n:tt $($rest:tt)*) => {
        impl<Path, X: ?Sized, $($all),*> Get<In<$n, Path>, X> for ($($all,)*) where $s: Get<Path, X> {
            fn get(&self) -> &X {
                self.$n.get()
            }
        }
        parts!(@gets [$($all)*] $($rest)*);
    };
}
parts!();
parts!(A VA Sa 0);
parts!(A VA Sa 0 B VB Sb 1);
parts!(A VA Sa 0 B VB Sb 1 C VC Sc 2);
parts!(A VA Sa 0 B VB Sb 1 C VC Sc 2 D VD Sd 3);
parts!(A VA Sa 0 B VB Sb 1 C VC Sc 2 D VD Sd 3 E VE Se 4);
parts!(A VA Sa 0 B VB Sb 1 C VC Sc 2 D VD Sd 3 E VE Se 4 F VF Sf 5);
parts!(A VA Sa 0 B VB Sb 1 C VC Sc 2 D VD Sd 3 E VE Se 4 F VF Sf 5 G VG Sg 6);
parts!(A VA Sa 0 B VB Sb 1 C VC Sc 2 D VD Sd 3 E VE Se 4 F VF Sf 5 G VG Sg 6 H VH Sh 7);
parts!(A VA Sa 0 B VB Sb 1 C VC Sc 2 D VD Sd 3 E VE Se 4 F VF Sf 5 G VG Sg 6 H VH Sh 7 I VI Si 8);
parts!(A VA Sa 0 B VB Sb 1 C VC Sc 2 D VD Sd 3 E VE Se 4 F VF Sf 5 G VG Sg 6 H VH Sh 7 I VI Si 8 J VJ Sj 9);
parts!(A VA Sa 0 B VB Sb 1 C VC Sc 2 D VD Sd 3 E VE Se 4 F VF Sf 5 G VG Sg 6 H VH Sh 7 I VI Si 8 J VJ Sj 9 K VK Sk 10);
parts!(A VA Sa 0 B VB Sb 1 C VC Sc 2 D VD Sd 3 E VE Se 4 F VF Sf 5 G VG Sg 6 H VH Sh 7 I VI Si 8 J VJ Sj 9 K VK Sk 10 L VL Sl 11);

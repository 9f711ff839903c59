//! Plugins are shared between threads: so is what they hold. What is not is told of once, on the field.
//!
//! A type that can not be is asked for in the struct itself, by a constant on which the field's type depends: where that fails, the
//! type is one that the compiler speaks of no more, so that nothing else errs for it: neither futures that borrow the plugin nor
//! plugins that depend on it. All others are asked beside the plugin's constant; the plainest ones not at all.

use crate::{
    doubt::{self, Given},
    krate::Krate,
    size, types,
};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{GenericArgument, GenericParam, Ident, ItemStruct, PathArguments, Type, spanned::Spanned as _};

use super::{
    arguments::{Arguments, Deps},
    fields::Role,
    held,
};

/// Types of std that are never shared, whatever they hold.
const CELLS: [&str; 5] = ["Cell", "LazyCell", "OnceCell", "RefCell", "UnsafeCell"];

/// Those that are shared where what they hold is.
const HOLDERS: [&str; 10] =
    ["BTreeMap", "BTreeSet", "Box", "HashMap", "HashSet", "Option", "PhantomData", "Result", "Vec", "VecDeque"];

/// Of those that hold a plugin, what is empty by default.
const EMPTY: [&str; 2] = ["Option", "Vec"];

/// Traits of std whose `dyn` is not shared unless it says so.
const UNSHARED: [&str; 7] = ["Any", "Error", "Fn", "FnMut", "FnOnce", "Future", "Iterator"];

/// Types that are, if what they hold is: of these alone nothing is asked, since a question costs the compiler more than the field itself. No name that
/// types have that are not std's, too, such as `Instant`.
const PLAIN: [&str; 29] = [
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128",
    "usize", "String", "Arc", "BTreeMap", "BTreeSet", "Box", "HashMap", "HashSet", "Mutex", "OnceLock", "Option",
    "RwLock", "Vec", "VecDeque",
];

/// What follows `Atomic` in the names of std's.
const ATOMIC: [&str; 11] = ["Bool", "I8", "I16", "I32", "I64", "Isize", "U8", "U16", "U32", "U64", "Usize"];

/// What asks whether the fields are shared.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) asked: Asked,
    /// What fields get in the struct.
    pub(super) guarded: Vec<Given>,
}

/// Questions in generated code. (Most are written by the library's macros, at less cost to the compiler.)
#[derive(Default)]
pub(super) struct Asked {
    /// Dependencies whose words have to be std's.
    pub(super) worded: Vec<Type>,
    /// Statements of the plugin's constant: what can only be asked of a generic one with its arguments.
    pub(super) stated: TokenStream,
    /// A constant each, on which the plugin's depends: where one fails, nothing more is said of the plugin.
    pub(super) within: Vec<TokenStream>,
    /// A constant each, beside it.
    pub(super) beside: Vec<TokenStream>,
}

impl Asked {
    /// All that is in the plugin's constant.
    pub(super) fn statements(&self, krate: &Krate) -> TokenStream {
        let Asked { worded, stated, .. } = self;
        let guards = self.within.iter().map(|ask| guard(ask, "Of", quote!(()), Span::call_site(), krate));
        quote!(#(let _: <#worded as #krate::Worded>::Is;)* #stated #(let _: #guards = ();)*)
    }

    /// What is beside it.
    pub(super) fn items(&self, krate: &Krate) -> TokenStream {
        let beside = &self.beside;
        quote!(#(const _: ::core::primitive::usize = { #[allow(unused_imports)] use #krate::IsNot as _; #beside };)*)
    }
}

impl Shared {
    /// `owned`: what is changed of the struct is seen by the compiler. `broken`: so much else is wrong that the plugin is an inert one.
    pub(super) fn of(def: &ItemStruct, args: &Arguments, roles: &[Role], owned: bool, broken: bool) -> Self {
        let krate = &args.krate;
        let (itself, plugin, generic) = (&def.ident, def.ident.to_string(), !def.generics.params.is_empty());
        let mut this = Shared::default();
        if broken && generic {
            // what its parameters are may be what is wrong
            return this;
        }
        let mut stated = Vec::new();
        for (place, ((field, member), role)) in def.fields.iter().zip(def.fields.members()).zip(roles).enumerate() {
            let ty = &field.ty;
            // what it depends on is asked where that is declared
            let listed =
                matches!(&args.deps, Some(Deps::Struct(deps)) if quote!(#deps).to_string() == quote!(#ty).to_string());
            if matches!(role, Role::Dep) && types::is_worded(ty) && !types::is_impossible(ty, &def.generics) {
                this.asked.worded.push(ty.clone());
            }
            if listed || matches!(role, Role::Dep) || types::dependency(ty).is_some() || is_plain(ty) {
                continue;
            }
            // rustc would tell of its size, too: see `refuse_itself`
            if owned
                && matches!(role, Role::Default(None))
                && let Some(words) = optional_self(ty, &def.ident, krate)
            {
                let (at, name) = (krate.at(ty.span()), quote!(#member).to_string());
                let ask = quote_spanned!(ty.span()=> #at::alone(true #(&& #words)*, #plugin, #name));
                this.guard(place, ask, "Any", ty, krate);
                continue;
            }
            // a constant that asks for the plugin while its field's type is worked out would go round in a circle
            if types::names(quote!(#ty), &plugin) {
                continue;
            }
            // a type that is wrong is told of already
            if broken && types::is_impossible(ty, &def.generics)
                || matches!(role, Role::Refused(_)) && types::names(quote!(#ty), "compile_error")
            {
                continue;
            }
            // in a generic struct a doubted type stands as it asks, and would ask again
            if generic && doubt::asks(ty) {
                continue;
            }
            // an anonymous constant can not name a parameter; and of one, the struct does not say that it is shared
            let depends = generic && depends_on_parameters(ty, def);
            let owned = owned && !depends;
            let name = quote!(#member).to_string();
            let at = krate.at(ty.span());
            let mut ask = quote_spanned!(ty.span()=> #at::shared(#at::Is::<#ty>::__SHARED, #plugin, #name));
            if matches!(role, Role::Default(None)) && args.deps.is_none() {
                if let Some(question) = held::question(ty, depends, krate) {
                    this.asked.beside.push(quote_spanned!(ty.span()=> #at::held(#question)));
                } else if let Some(question) = alone(ty, krate) {
                    if depends {
                        ask = quote_spanned! {ty.span()=>
                            #at::alone(#question, #plugin, #name);
                            #ask
                        };
                    } else {
                        // another `Self` than in the struct
                        let question = types::replaced(question, "Self", &quote!(#itself));
                        let ask = quote_spanned!(ty.span()=> #at::alone(#question, #plugin, #name));
                        this.asked.beside.push(ask);
                    }
                }
            }
            if owned && size::is_doubtful(ty) {
                // nothing but this is asked in the struct: what else a type is may lead back to the plugin
                let sized = quote_spanned!(ty.span()=> { #at::sized(#at::Is::<#ty>::__SIZED, #plugin, #name); 0 });
                this.guard(place, sized, "Any", ty, krate);
                this.asked.within.push(ask);
            } else if owned && is_local(ty, Want { send: true, sync: true }) {
                this.guard(place, ask, "Of", ty, krate);
            } else if depends {
                stated.push(ask);
            } else if doubt::is_named(ty) {
                // where it is wrong that is told, and nothing of this, nor is anything else hidden
                this.asked.beside.push(ask);
            } else {
                this.asked.within.push(ask);
            }
        }
        if !stated.is_empty() {
            this.asked.stated.extend(quote!(#[allow(unused_imports)] use #krate::IsNot as _; #(#stated;)*));
        }
        this
    }

    /// Lets the struct itself ask.
    fn guard(&mut self, place: usize, ask: TokenStream, pass: &str, ty: &Type, krate: &Krate) {
        let guarded = Type::Verbatim(guard(&ask, pass, quote!(#ty), ty.span(), krate));
        self.guarded.push(Given { place, ty: guarded, written: ty.clone() });
    }
}

/// Does the type name a parameter of the generic struct? (`Self` does.)
fn depends_on_parameters(ty: &Type, def: &ItemStruct) -> bool {
    types::names(quote!(#ty), "Self") || def.generics.params.iter().any(|param| names_parameter(ty, param))
}

fn names_parameter(ty: &Type, param: &GenericParam) -> bool {
    let name = match param {
        GenericParam::Type(param) => &param.ident,
        GenericParam::Const(param) => &param.ident,
        GenericParam::Lifetime(param) => &param.lifetime.ident,
    };
    types::names(quote!(#ty), &name.to_string())
}

/// The type, if the constant can be evaluated, by what `Pass` has for it. `span`: where it stands, for what rustc says of the whole field.
fn guard(constant: &TokenStream, pass: &str, ty: TokenStream, span: Span, krate: &Krate) -> TokenStream {
    let pass = format_ident!("{pass}");
    quote_spanned! {span=>
        <#krate::Sound<{ #[allow(unused_imports)] use #krate::IsNot as _; #constant }> as #krate::Pass>::#pass<#ty>
    }
}

/// What tells that a field holds a plugin without `Dep`, by itself or in what is std's. (A plugin that has no default is told of as any such field is.)
fn alone(ty: &Type, krate: &Krate) -> Option<TokenStream> {
    let (mut inner, mut holders) = (ty, Vec::new());
    while let Some((holder, of)) = types::holder(inner) {
        holders.push((holder, inner));
        inner = of;
    }
    let names: Vec<_> = holders.iter().map(|(holder, _)| holder.as_str()).collect();
    let empty = names.iter().any(|name| EMPTY.contains(name));
    let question = match (empty, types::is_dyn(inner)) {
        (true, true) => "INTERFACE",
        (true, false) => "PLUGIN",
        (false, true) => return None,
        (false, false) => "TWIN",
    };
    let at = krate.at(ty.span());
    let within = match names[..] {
        // (a `dyn` in an `Option` is asked for its size)
        [_] => question != "INTERFACE",
        [outer, inner] => EMPTY.contains(&outer) && !EMPTY.contains(&inner),
        _ => false,
    };
    // most are one question, with the holders in it
    if within {
        let question = format_ident!("__{question}_IN_{}", names.join("_"));
        return Some(quote_spanned!(ty.span()=> #at::Within::<#ty>::#question));
    }
    let question = format_ident!("__{question}");
    let words = holders.iter().filter_map(|(_, ty)| match types::ungroup(ty) {
        Type::Path(path) => Some(types::given_of_std(path, krate)),
        _ => None,
    });
    Some(quote_spanned!(ty.span()=> #at::Is::<#inner>::#question #(&& #words)*))
}

/// An `Option` of the plugin itself, if that is std's.
fn optional_self(mut ty: &Type, name: &Ident, krate: &Krate) -> Option<Vec<TokenStream>> {
    let mut words = Vec::new();
    while let Type::Path(path) = types::ungroup(ty)
        && let Some((_, inner)) = types::holder(ty).filter(|(holder, _)| holder == "Option")
    {
        words.push(types::is_of_std(path, krate));
        ty = inner;
    }
    (!words.is_empty() && types::is_itself(ty, name)).then_some(words)
}

/// Is it made of numbers, texts, atomics, and what holds them?
pub(super) fn is_plain(ty: &Type) -> bool {
    let Type::Path(path) = types::ungroup(ty) else { return false };
    if !types::may_be_of_std(path) {
        return false;
    }
    let Some(last) = path.path.segments.last() else { return false };
    let word = last.ident.to_string();
    let inner = match &last.arguments {
        PathArguments::None => true,
        PathArguments::AngleBracketed(arguments) => {
            arguments.args.iter().all(|argument| matches!(argument, GenericArgument::Type(inner) if is_plain(inner)))
        }
        PathArguments::Parenthesized(_) => false,
    };
    inner && (PLAIN.contains(&word.as_str()) || word.strip_prefix("Atomic").is_some_and(|of| ATOMIC.contains(&of)))
}

/// What is wanted of a type.
#[derive(Clone, Copy)]
struct Want {
    send: bool,
    sync: bool,
}

/// Can it not be shared, whatever the types are that others have made? Nothing else is asked for in the struct: a type that is right may lead back to the
/// plugin, and the question with it.
fn is_local(ty: &Type, want: Want) -> bool {
    match types::ungroup(ty) {
        Type::Ptr(_) => want.send || want.sync,
        Type::Reference(lent) if lent.mutability.is_none() => is_local(&lent.elem, Want { send: false, sync: true }),
        Type::Reference(lent) => is_local(&lent.elem, want),
        Type::Array(array) => is_local(&array.elem, want),
        Type::Slice(slice) => is_local(&slice.elem, want),
        Type::Tuple(tuple) => tuple.elems.iter().any(|inner| is_local(inner, want)),
        Type::TraitObject(object) => {
            let says = |name: &str| object.bounds.iter().any(|bound| types::is_trait(bound, name));
            let is_of_std = UNSHARED.iter().any(|name| says(name));
            is_of_std && (want.send && !says("Send") || want.sync && !says("Sync"))
        }
        Type::Path(path) if types::may_be_of_std(path) => {
            let Some(last) = path.path.segments.last() else { return false };
            let PathArguments::AngleBracketed(arguments) = &last.arguments else { return false };
            let holds_local = |want: Want| {
                arguments
                    .args
                    .iter()
                    .any(|argument| matches!(argument, GenericArgument::Type(inner) if is_local(inner, want)))
            };
            let word = last.ident.to_string();
            match word.as_str() {
                "Rc" => want.send || want.sync,
                word if CELLS.contains(&word) => want.sync || holds_local(Want { sync: false, ..want }),
                "Mutex" => holds_local(Want { send: want.send || want.sync, sync: false }),
                "RwLock" | "OnceLock" | "LazyLock" => holds_local(Want { send: want.send || want.sync, ..want }),
                "Arc" => holds_local(Want { send: true, sync: true }),
                word if HOLDERS.contains(&word) => holds_local(want),
                _ => false,
            }
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn what_can_be_shared_is_not_local() {
        let is = |ty: &Type| is_local(ty, Want { send: true, sync: true });
        let local: [Type; 18] = [
            parse_quote!(Rc<X>),
            parse_quote!(std::rc::Rc<X>),
            parse_quote!(Mutex<Rc<X>>),
            parse_quote!(Cell<u8>),
            parse_quote!(Option<RefCell<X>>),
            parse_quote!(Arc<Cell<X>>),
            parse_quote!(RwLock<Cell<u8>>),
            parse_quote!(Mutex<Arc<Cell<u8>>>),
            parse_quote!(&'static Cell<u8>),
            parse_quote!(*const X),
            parse_quote!(Mutex<Vec<*mut X>>),
            parse_quote!((u8, [Rc<X>; 2])),
            parse_quote!(Box<dyn Fn(u8)>),
            parse_quote!(Box<dyn Fn(u8) + Send>),
            parse_quote!(Mutex<Box<dyn FnOnce()>>),
            parse_quote!(RwLock<Box<dyn Any + Send>>),
            parse_quote!(Arc<Mutex<Box<dyn std::error::Error>>>),
            parse_quote!(HashMap<u8, Rc<X>>),
        ];
        for ty in &local {
            assert!(is(ty), "{}", quote!(#ty));
        }
        let shared: [Type; 19] = [
            parse_quote!(X),
            parse_quote!(Cell),
            parse_quote!(own::Cell<X>),
            parse_quote!(Mutex<Cell<X>>),
            parse_quote!(Mutex<HashMap<u64, (Arc<X>, Box<dyn FnOnce(u8) + Send>)>>),
            parse_quote!(Mutex<Vec<(Weak<Self>, Box<dyn Any + Send>)>>),
            parse_quote!(Box<dyn Fn(Rc<X>) -> *const u8 + Send + Sync>),
            parse_quote!(Box<dyn Kv>),
            parse_quote!(fn(Rc<X>) -> Cell<X>),
            parse_quote!([Mutex<Option<X>>; 2 * 4]),
            parse_quote!([u8; <Self as T>::N * 2]),
            parse_quote!(<Self as T>::Cell),
            parse_quote!(Arc<Mutex<RefCell<X>>>),
            parse_quote!(OnceLock<Dep<X>>),
            parse_quote!(Sender<X>),
            parse_quote!(&'static str),
            parse_quote!(Box<[u8]>),
            parse_quote!(PhantomData<fn() -> Rc<X>>),
            parse_quote!(Cells![Rc]),
        ];
        for ty in &shared {
            assert!(!is(ty), "{}", quote!(#ty));
        }
    }
}

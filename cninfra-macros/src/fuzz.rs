//! Tests that no macro panics, whatever its input is, and that its output can be parsed or reports an error.

use crate::{deps, flavor, interface, plugin, qualifier, source::Source};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use std::panic::{AssertUnwindSafe, catch_unwind};

const INPUTS: u64 = 2500;

/// xorshift64*
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % (n.max(1) as u64)).unwrap_or_default()
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// Words and punctuation that the macros know, and some that they do not.
const WORDS: [&str; 62] = [
    "struct",
    "enum",
    "trait",
    "fn",
    "impl",
    "pub",
    "async",
    "dyn",
    "const",
    "where",
    "type",
    "crate",
    "self",
    "Self",
    "deps",
    "config",
    "name",
    "alias",
    "flags",
    "no_lifecycle",
    "id",
    "many",
    "open",
    "provides",
    "flavor",
    "default",
    "context",
    "dep",
    "qualifier",
    "Dep",
    "Option",
    "Vec",
    "A",
    "r#type",
    "été",
    "_",
    "'a",
    "'static",
    "\"text\"",
    "\"not ok\"",
    "7",
    "1.5",
    "b\"x\"",
    "'c'",
    "=",
    ",",
    ";",
    ":",
    "::",
    "<",
    ">",
    "&",
    "#",
    "!",
    "|",
    "->",
    "=>",
    "..",
    "?",
    "+",
    "-",
    "*",
];

const ARGUMENTS: [&str; 9] = [
    "",
    "deps = (A, dyn B, Option<C>, Vec<dyn D>), config = T, name = \"etcd\", alias = \"a\", flags = FLAGS",
    "deps = Needs<A, B>, no_lifecycle, id = \"x\", crate = a::b",
    "many",
    "many, crate = ::platform",
    "no_lifecycle",
    "deps = (,)",
    "name = 7, deps(A)",
    "crate = crate",
];

const ITEMS: [&str; 14] = [
    "pub struct A;",
    "struct A(Dep<B>, #[config] C, #[default(7 + 1)] u8);",
    "pub(crate) struct A<R: Role = Primary, S> where S: Send { #[dep] a: Alias, b: Option<Dep<dyn B>>, c: Vec<Dep<dyn C>>, \
     #[context] cx: Context, #[config] d: D, #[default(\"x\")] e: &'static str, f: PhantomData<(R, S)> }",
    "#[flavor(open, crate = a)] pub struct F<T> { #[provides(dyn A, dyn B<T>)] a: Dep<A<T>>, b: Option<Dep<B>>, c: other::F }",
    "#[deps(crate = a)] struct D<T> { a: Dep<A>, b: Option<Dep<T>>, c: Vec<Dep<dyn C>>, d: Alias }",
    "#[qualifier(name = \"x\", crate = b)] enum Q<T> { A, B(T) }",
    "#[async_trait] pub trait I<T>: Send + 'static { async fn a(&self) -> T; fn b(&self) {} type X; const Y: u8; }",
    "trait I { async fn a(&self); }",
    "struct A<'a, const N: usize> { a: &'a [u8; N] }",
    "enum E { A, B { c: Dep<D> } }",
    "union U { a: u8 }",
    "fn f() {}",
    "impl A for B {}",
    "struct W { a: Dep<A>, b: Dep<A>, c: Dep<A>, d: Dep<A>, e: Dep<A>, f: Dep<A>, g: Dep<A>, h: Dep<A>, i: Dep<A>, \
     j: Dep<A>, k: Dep<A>, l: Dep<A>, m: Dep<A>, n: Dep<A> }",
];

fn parse(text: &str) -> TokenStream {
    text.parse().expect("tokens")
}

/// Random tokens.
fn soup(random: &mut Random, depth: usize) -> TokenStream {
    let mut tokens = TokenStream::new();
    for _ in 0..random.below(12) {
        if depth > 0 && random.below(4) == 0 {
            let inner = soup(random, depth - 1);
            tokens.extend([group(random, inner)]);
        } else {
            tokens.extend(parse(WORDS[random.below(WORDS.len())]));
        }
    }
    tokens
}

fn group(random: &mut Random, inner: TokenStream) -> TokenTree {
    let all = [Delimiter::Parenthesis, Delimiter::Brace, Delimiter::Bracket, Delimiter::None];
    TokenTree::Group(Group::new(*random.pick(&all), inner))
}

/// Changes valid tokens: deletes, doubles, swaps, replaces or groups some of them, at any depth.
fn mutate(random: &mut Random, tokens: TokenStream) -> TokenStream {
    let mut all: Vec<TokenTree> = tokens.into_iter().collect();
    if all.is_empty() {
        return soup(random, 1);
    }
    let at = random.below(all.len());
    if let TokenTree::Group(inner) = &all[at]
        && random.below(5) > 0
    {
        let (delimiter, inner) = (inner.delimiter(), inner.stream());
        let inner = mutate(random, inner);
        all[at] = TokenTree::Group(Group::new(delimiter, inner));
        return all.into_iter().collect();
    }
    match random.below(7) {
        0 => drop(all.remove(at)),
        1 => all.insert(at, all[at].clone()),
        2 => {
            let other = random.below(all.len());
            all.swap(at, other);
        }
        3 => {
            let new = soup(random, 1);
            all.splice(at..=at, new);
        }
        4 => all.truncate(at),
        5 => {
            let rest = all.split_off(at);
            let rest = group(random, rest.into_iter().collect());
            all.push(rest);
        }
        _ => {
            let word = parse(WORDS[random.below(WORDS.len())]);
            all.splice(at..at, word);
        }
    }
    all.into_iter().collect()
}

fn input(random: &mut Random, valid: &[&str]) -> TokenStream {
    match random.below(8) {
        0 => soup(random, 3),
        1 => parse(valid[random.below(valid.len())]),
        _ => {
            let mut tokens = parse(valid[random.below(valid.len())]);
            for _ in 0..=random.below(3) {
                tokens = mutate(random, tokens);
            }
            tokens
        }
    }
}

fn hold(name: &str, expand: impl Fn(TokenStream, TokenStream) -> TokenStream) {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for number in 0..INPUTS {
        let (arguments, item) = (input(&mut random, &ARGUMENTS), input(&mut random, &ITEMS));
        let said = format!("{name}, input {number}: [{arguments}] {item}");
        let tokens = catch_unwind(AssertUnwindSafe(|| expand(arguments, item)));
        let tokens = tokens.unwrap_or_else(|_| panic!("{said}"));
        let text = tokens.to_string();
        let parsed = syn::parse2::<syn::File>(tokens);
        assert!(parsed.is_ok() || text.contains("compile_error"), "{said}\n{:?}\n{text}", parsed.err());
    }
}

#[test]
fn plugin_holds() {
    hold("plugin", |arguments, item| plugin::expand(arguments, item, &Source::default()));
}

#[test]
fn interface_holds() {
    hold("interface", |arguments, item| interface::expand(arguments, item, &Source::default()));
}

#[test]
fn flavor_holds() {
    hold("flavor", |_, item| flavor::expand(item, &Source::default()));
}

#[test]
fn deps_hold() {
    hold("deps", |_, item| deps::expand(item));
}

#[test]
fn qualifier_holds() {
    hold("qualifier", |_, item| qualifier::expand(item, &Source::default()));
}

//! The impls of a flavor.

use super::{
    endless::Ends,
    model::{Field, Model},
};
use crate::{
    key::{self, Identity},
    krate::WIDEST_TUPLE,
    names, size,
    source::Source,
    types::{self, Wrapper, contains_any},
};
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{Generics, Ident, Type, WherePredicate, parse_quote, spanned::Spanned as _};

/// The plugin in a flavor's field: `Dep<P>`, or `Option<Dep<P>>`.
fn plugin_of(ty: &Type) -> Option<(Wrapper, &Type)> {
    types::dependency(ty).filter(|(wrapper, _)| *wrapper != Wrapper::Vec)
}

impl Model {
    pub(super) fn generate(&self, doubted: bool, source: &Source) -> TokenStream {
        let bounded = self.bounded();
        let (key, impls) = (self.key(&self.generics, source), self.impls(&bounded, doubted, source));
        let checks = (!self.is_open && self.generics.params.is_empty()).then(|| self.checks());
        let imports = types::imports(&self.krate);
        quote! {
            #[allow(deprecated)]
            const _: () = { #imports #key #impls #checks };
        }
    }

    /// The impls of a wrong flavor. They make it an empty flavor, so that its users cause no further errors. Its fields
    /// are still checked, so that other mistakes are reported, too.
    pub(super) fn inert(&self, source: &Source) -> TokenStream {
        let (krate, name) = (&self.krate, &self.name);
        let (generics, arguments) = key::inert_generics(&self.generics);
        let bounded = key::with_bounds(&generics, krate);
        let (impl_generics, _, wher) = bounded.split_for_impl();
        let key = self.key(&generics, source);
        let (_, id_arguments, _) = generics.split_for_impl();
        let mut aliases = TokenStream::new();
        let fields = self.fields.iter().enumerate().filter(|(_, field)| self.is_sound(field)).map(|(place, field)| {
            let provides = field.provides.iter().enumerate();
            let provides: Vec<_> = provides.map(|(k, ty)| self.interface_type(ty, place, k, &mut aliases)).collect();
            self.declaration(field, &provides)
        });
        let fields: Vec<_> = fields.collect();
        let (count, fields) = (fields.len(), self.declarations(&fields));
        let (mut before, mut statement) = (quote!(), quote!(let _: [#krate::Field; #count] = #fields;));
        let impl_params = key::impl_params(&bounded, name);
        if self.generics.params.is_empty() {
            before = quote!(const fn fields #impl_params () -> [#krate::Field; #count] { #fields });
            statement = quote!(let _ = fields(););
        }
        let Ends { checks, ends } = if self.is_endless() { Ends::unchecked() } else { self.ends(&impl_params) };
        let imports = types::imports(krate);
        quote!(const _: () = {
            #imports
            #key
            #aliases
            #before
            #checks
            impl #impl_generics #krate::Nested for #name #arguments #wher {
                type Id = __CninfraId #id_arguments;
                type Types = ();
                type Fields = ();
                type Kind = #krate::Closed;
                #ends
                const TREE: &'static #krate::Tree = {
                    #statement
                    &#krate::Tree { key: <Self::Id as #krate::Key>::META, package: "", version: "", fields: &[], told: #krate::Told::Already }
                };
            }
        };)
    }

    /// Whether a field of an inert flavor can be checked, whatever is wrong with the others.
    fn is_sound(&self, field: &Field) -> bool {
        let ty = &field.ty;
        // A type that names a parameter may be wrong because of it.
        !(types::depends_on_parameters(ty, &self.generics)
            || types::is_impossible(ty, &self.generics)
            || self.is_endless() && self.leads_on(field))
            && size::all_unsized(ty).is_empty()
    }

    /// The impl of a struct that cannot be a flavor, so that an agent that runs it causes no further errors.
    pub(super) fn runs_impl(&self) -> TokenStream {
        let (krate, name) = (&self.krate, &self.name);
        if !self.has_size || self.is_open || !self.generics.params.is_empty() {
            return quote!();
        }
        quote!(const _: () = {
            impl #krate::Runs<#name> for #krate::ByItself<#name> {
                fn hold() -> #krate::Box<dyn #krate::Held<#name>> {
                    ::core::unreachable!()
                }
            }
        };)
    }

    /// The flavor's identity: a separate type, in the constant that the derive writes. So `Nested` is the only trait
    /// that is implemented for the flavor: if a derive is written twice in one list, rustc reports an error for each
    /// trait.
    fn key(&self, generics: &Generics, source: &Source) -> TokenStream {
        let name = self.name.to_string();
        let mut bare = generics.clone();
        bare.where_clause = None;
        bare.type_params_mut()
            .for_each(|param| (param.bounds, param.default) = (parse_quote!(?::core::marker::Sized), None));
        let (params, arguments, _) = bare.split_for_impl();
        let types = bare.type_params().map(|param| &param.ident);
        let krate = &self.krate;
        let declared =
            quote!(pub struct __CninfraId #params (#krate::PhantomData<fn() -> (#(#krate::PhantomData<#types>,)*)>););
        let identity = Identity {
            instance: names::kebab(&name),
            name,
            given_id: None,
            generics,
            ty: quote!(__CninfraId #arguments),
        };
        let key = identity.expand(source, krate);
        quote!(#declared #key)
    }

    /// The names of the type parameters.
    fn params(&self) -> Vec<String> {
        self.generics.type_params().map(|param| param.ident.to_string()).collect()
    }

    /// Adds the bounds of every impl: in a generic flavor, that the fields are parts.
    fn bounded(&self) -> Generics {
        let krate = &self.krate;
        let mut bounded = key::with_bounds(&self.generics, krate);
        let params = self.params();
        for Field { ty, provides, .. } in &self.fields {
            if !contains_any(quote!(#ty), &params) {
                continue;
            }
            let bound: WherePredicate = match plugin_of(ty) {
                Some((_, plugin)) if !provides.is_empty() => parse_quote!(#ty: #krate::Provider<Plugin = #plugin>),
                Some(_) => parse_quote!(#ty: #krate::Part),
                None => parse_quote!(#ty: #krate::Part + #krate::Declared),
            };
            bounded.make_where_clause().predicates.push(bound);
        }
        bounded
    }

    /// The impls of a correct flavor. `doubted`: whether a field may be one that no struct can have.
    fn impls(&self, bounded: &Generics, doubted: bool, source: &Source) -> TokenStream {
        let (krate, name) = (&self.krate, &self.name);
        let (_, arguments, _) = self.generics.split_for_impl();
        let (impl_generics, _, wher) = bounded.split_for_impl();
        let concrete = self.generics.params.is_empty();
        // If a constant cannot be evaluated, the compiler reports nothing more about a type that depends on it. So a
        // wrong field is reported once, in `TREE`.
        let sound = quote!(#krate::Sound<{ <#name as #krate::Nested>::TREE.fields.len() }>);
        let (mut types, mut patterns, mut variables, mut fields) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut aliases = TokenStream::new();
        let doubtful = concrete && (doubted || self.fields.iter().any(|field| types::is_dep_on_generic(&field.ty)));
        for (place, field) in self.fields.iter().enumerate() {
            let Field { ty, provides: interfaces, .. } = field;
            let provides: Vec<_> =
                interfaces.iter().enumerate().map(|(k, ty)| self.interface_type(ty, place, k, &mut aliases)).collect();
            // A name that no constant of the user has.
            let variable = format_ident!("__f{place}");
            // If rustc does not find a type whose name is one letter, it says more in a struct than in an impl, unless
            // it is an argument.
            let letter = quote!(#ty).to_string().len() == 1;
            let mut part = if letter { types::argument(ty) } else { quote!(#ty) };
            if doubtful && types::is_dep_on_generic(ty) {
                part = quote!(<#sound as #krate::Pass>::Of<#part>);
            }
            let mut pattern = quote!(#variable);
            variables.push(variable);
            for interface in &provides {
                part = quote!(#krate::Bound<#part, #interface>);
                pattern = quote!(#krate::Bound { field: #pattern, .. });
            }
            types.push(part);
            patterns.push(pattern);
            fields.push(self.declaration(field, &provides));
        }
        let (rows, types, patterns) = self.rows(bounded, types, patterns);
        let known = if concrete { quote!(<#sound as #krate::Pass>::Of<Self::Types>) } else { quote!(Self::Types) };
        let (declared, made) = if doubtful {
            types::constructed(quote!(<#sound as #krate::Pass>::Of<#name>))
        } else {
            (quote!(), quote!(Self))
        };
        let names: Vec<_> = self.fields.iter().map(|field| &field.name).collect();
        let places: Vec<_> = self.fields.iter().map(|field| field.ty.span()).collect();
        let types = types::associated_type("Types", &types, &places, name);
        let (package, version) = (&source.package, &source.version);
        let kind = format_ident!("{}", if self.is_open { "Open" } else { "Closed" });
        let (root, impl_params) = (krate.root(), key::impl_params(bounded, name));
        let (count, fields) = (fields.len(), self.declarations(&fields));
        let told = format_ident!("{}", if concrete && !self.is_open { "Itself" } else { "Around" });
        let told = quote!(#krate::Told::#told);
        let tree = |key, fields| quote!(#krate::Tree { key: #key, package: #package, version: #version, fields: #fields, told: #told });
        let Ends { checks, ends } = self.ends(&impl_params);
        let (before, tree) = if concrete {
            let tree = tree(quote!(<__CninfraId as #krate::Key>::META), quote!(&FIELDS));
            // Statics where possible: the compiler checks the value of a const, with all that it refers to, wherever it
            // is used. (The function exists because of its parameters: see `key::impl_params`.)
            let before = quote! {
                const fn fields #impl_params () -> [#krate::Field; #count] {
                    #fields
                }
                static FIELDS: [#krate::Field; #count] = fields();
                static TREE: #krate::Tree = #tree;
            };
            (before, quote!(const TREE: &'static #krate::Tree = &TREE;))
        } else {
            let tree = tree(quote!(<Self::Id as #krate::Key>::META), quote!(&#fields));
            (quote!(), quote!(const TREE: &'static #krate::Tree = &#tree;))
        };
        let graph = (concrete && !self.is_open).then(
            || quote!(const WHOLE: &'static #krate::Graph = #root::__graph!(<#name as #krate::Nested>::TREE, COUNTS);),
        );
        quote! {
            #before
            #checks
            #rows
            #aliases
            #[automatically_derived]
            #[diagnostic::do_not_recommend]
            #[doc(hidden)]
            impl #impl_params #krate::Nested for #name #arguments #wher {
                type Id = __CninfraId #arguments;
                #types
                type Fields = #known;
                type Kind = #krate::#kind;
                #ends
                #tree
                #graph
                fn build(__fields: Self::Fields) -> Self {
                    #declared
                    let #patterns = __fields;
                    #made { #(#names: #variables),* }
                }
            }
            // The fields exist to be declared; this keeps the dead-code lint quiet.
            #[allow(dead_code, unused_variables)]
            fn read #impl_generics (__flavor: &#name #arguments) #wher {
                let #name { #(#names: #variables),* } = __flavor;
            }
        }
    }

    /// The declaration of a field, for `__fields`. `provides`: its interfaces, as generated code names them.
    fn declaration(&self, field: &Field, provides: &[TokenStream]) -> TokenStream {
        let (krate, name, concrete) = (&self.krate, &self.name, self.generics.params.is_empty());
        let Field { name: member, ty, provides: interfaces } = field;
        let text = member.to_string();
        // The plugin is named through an associated type that only plugins and interfaces have, so that nothing more is
        // reported about another type.
        let plugin = match plugin_of(ty) {
            // Nothing but its bounds is known about a parameter.
            Some((_, plugin)) if contains_any(quote!(#plugin), &self.params()) => quote!(#plugin),
            Some((_, plugin)) => quote_spanned!(plugin.span()=> <#plugin as #krate::Plugin>::Itself),
            None => quote_spanned!(ty.span()=> <#ty as #krate::Declared>::Plugin),
        };
        let accepts = format_ident!("{}", if plugin_of(ty).is_some() { "Accepts" } else { "AcceptsField" });
        let bindings = provides.iter().zip(interfaces).map(|(interface, given)| {
                // The same for the type arguments of an interface: if one is wrong, nothing more is reported about the
                // interface.
                let interface = if concrete && types::is_generic_dyn(given) {
                    quote_spanned! {given.span()=>
                        <#krate::Sound<{ let _ = <#interface as #krate::GenericKey>::META; 0 }> as #krate::Pass>::Any<#interface>
                    }
                } else {
                    interface.clone()
                };
                quote_spanned! {given.span()=>
                    <<#interface as #krate::Interface>::Itself as #krate::#accepts<#plugin>>::BINDING
                }
            });
        let bindings = if provides.is_empty() { quote!(&[]) } else { quote!(const { &[#(#bindings),*] }) };
        // The constant is required of a plugin itself, for a better message.
        match plugin_of(ty) {
            Some((wrapper, plugin)) => {
                let variant = if wrapper == Wrapper::Dep { quote!(Item::Plugin) } else { quote!(Item::Optional) };
                let argument = types::argument(plugin);
                // The arguments of a generic plugin may be wrong, which rustc reports in fewer lines if they are
                // checked separately.
                let name = if types::has_arguments(plugin) {
                    quote_spanned!(plugin.span()=> { let _ = <#argument as #krate::GenericKey>::META; #text })
                } else if types::is_in_std_wrapper(ty) {
                    quote_spanned!(ty.span()=> { let _: <#ty as #krate::Worded>::Is; #text })
                } else {
                    quote!(#text)
                };
                let asked = format_ident!("{}", if types::is_dyn(plugin) { "DynPlugin" } else { "Plugin" });
                quote!({#name} {#variant} #asked PLUGIN {#argument} {#bindings})
            }
            None if self.leads_on(field) => {
                quote!({#text} {declared} DeclaredIf [<#name as #krate::Nested>::Ends] ITEM {#ty} {#bindings})
            }
            None => quote!({#text} {declared} Declared ITEM {#ty} {#bindings}),
        }
    }

    /// The declarations of the fields, as an array.
    fn declarations(&self, fields: &[TokenStream]) -> TokenStream {
        let leads_on = self.fields.iter().any(|field| self.leads_on(field));
        let fields_of = format_ident!("{}", if leads_on { "__fields_if" } else { "__fields" });
        let root = self.krate.root();
        quote!(#root::#fields_of! { #(#fields)* })
    }

    /// Gives an interface that is not written as `dyn Trait` a name: rustc reports a missing `dyn` wherever the type is
    /// written.
    fn interface_type(&self, ty: &Type, place: usize, k: usize, aliases: &mut TokenStream) -> TokenStream {
        if types::is_dyn(ty) || contains_any(quote!(#ty), &self.params()) {
            return quote!(#ty);
        }
        let name = format_ident!("__CninfraProvided{place}_{k}", span = ty.span());
        aliases.extend(quote!(#[allow(non_camel_case_types)] type #name = #ty;));
        quote!(#name)
    }

    /// Splits more than twelve fields into hidden rows.
    fn rows(
        &self,
        bounded: &Generics,
        types: Vec<TokenStream>,
        patterns: Vec<TokenStream>,
    ) -> (TokenStream, TokenStream, TokenStream) {
        if types.len() <= WIDEST_TUPLE {
            return (quote!(), nest(&types), nest(&patterns));
        }
        let (krate, name, vis) = (&self.krate, &self.name, &self.vis);
        let (_, arguments, _) = self.generics.split_for_impl();
        let (impl_generics, _, wher) = bounded.split_for_impl();
        let impl_params = key::impl_params(bounded, name);
        let names: Vec<Ident> =
            (0..types.len().div_ceil(WIDEST_TUPLE)).map(|k| format_ident!("__CninfraRow{k}")).collect();
        let rows = names.iter().zip(types.chunks(WIDEST_TUPLE)).map(|(row, types)| {
            quote! {
                #vis struct #row #impl_generics (#krate::PhantomData<fn() -> #name #arguments>) #wher;
                #[automatically_derived]
                impl #impl_params #krate::Row for #row #arguments #wher {
                    type Fields = (#(#types,)*);
                }
            }
        });
        let rows = quote!(#(#rows)*);
        let types: Vec<_> = names.iter().map(|row| quote!(#krate::RowOf<#row #arguments>)).collect();
        let patterns: Vec<_> =
            patterns.chunks(WIDEST_TUPLE).map(|chunk| quote!(#krate::RowOf { fields: (#(#chunk,)*) })).collect();
        (rows, nest(&types), nest(&patterns))
    }

    /// One check of the graph for each field, so that each mistake is reported where it is made, and one check of all
    /// flags.
    fn checks(&self) -> TokenStream {
        let (krate, name) = (&self.krate, &self.name);
        let checks = self.fields.iter().enumerate().map(|(n, field)| {
            let n = n as u16;
            quote_spanned!(field.name.span()=> const _: () = __CninfraChecks::field(GRAPH, #n);)
        });
        let flags = quote_spanned!(name.span()=> const _: () = GRAPH.check_flags(););
        quote! {
            const COUNTS: #krate::Counts = #krate::counts(<#name as #krate::Nested>::TREE);
            const GRAPH: &#krate::Graph = <#name as #krate::Flavor>::GRAPH;
            type __CninfraChecks = #krate::Checks<
                #name,
                { COUNTS.plugins },
                { COUNTS.edges },
                { COUNTS.bindings },
                { COUNTS.table },
            >;
            #(#checks)*
            #flags
        }
    }
}

/// `(a, b)`; for more than twelve, `((a, .., l), (m, ..))`.
fn nest(items: &[TokenStream]) -> TokenStream {
    if items.len() <= WIDEST_TUPLE {
        return quote!((#(#items,)*));
    }
    let rows: Vec<_> = items.chunks(WIDEST_TUPLE).map(|row| quote!((#(#row,)*))).collect();
    nest(&rows)
}

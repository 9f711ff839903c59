//! What a flavor declares, as it is read from the struct.

use crate::{
    args::{self, Value, span_of},
    ctxt::Ctxt,
    expected::Expected,
    key,
    krate::Krate,
    list, names,
    size::{self, Sizes},
    types::{self, ungroup},
};
use syn::{Data, DeriveInput, Fields, Generics, Ident, Type, TypeParamBound, Visibility, spanned::Spanned as _};

const NO_SIZE: &str = "CN007: a type without a known size cannot be a field of a flavor\n= help: the field of a plugin is `Dep<Plugin>`; name the interfaces that \
    it provides with `#[provides(dyn Interface)]` on the field";

const NO_INTERFACE: &str = "CN010: `#[provides]` expects interfaces\n= help: write `#[provides(dyn Interface, ..)]`";

const EXPECTED: Expected = Expected {
    attribute: names::FLAVOR,
    arguments: &["open", "crate = path"],
    synonyms: &[("abstract", names::OPEN), ("incomplete", names::OPEN), ("partial", names::OPEN)],
};

pub(super) struct Field {
    pub(super) name: Ident,
    pub(super) ty: Type,
    pub(super) provides: Vec<Type>,
}

pub(super) struct Model {
    pub(super) name: Ident,
    pub(super) vis: Visibility,
    pub(super) generics: Generics,
    /// Whether the dependencies of its plugins come from the flavor around it.
    pub(super) is_open: bool,
    pub(super) krate: Krate,
    pub(super) fields: Vec<Field>,
    pub(super) has_size: bool,
}

impl Model {
    pub(super) fn parse(input: &DeriveInput, cx: &mut Ctxt) -> Self {
        let mut model = Model {
            name: input.ident.clone(),
            vis: input.vis.clone(),
            generics: input.generics.clone(),
            is_open: false,
            krate: Krate::default(),
            fields: Vec::new(),
            has_size: true,
        };
        for arg in args::of_attributes(&input.attrs, names::FLAVOR, cx, &EXPECTED) {
            match (arg.word().as_str(), &arg.value) {
                (names::OPEN, Value::Word) => model.is_open = true,
                (names::CRATE, _) => model.krate = args::krate(&arg, cx).unwrap_or_default(),
                _ => args::report_unknown(&arg, cx, &EXPECTED),
            }
        }
        key::check_generics(&input.generics, cx);
        match &input.data {
            Data::Struct(data) if matches!(data.fields, Fields::Named(_)) => {
                model.fields = data.fields.iter().filter_map(|field| parse_field(field, cx)).collect();
            }
            Data::Struct(data) if data.fields.is_empty() && matches!(data.fields, Fields::Unit) => {
                cx.error(
                    input.ident.span(),
                    "CN010: a flavor must be a struct with named fields\n= help: write an empty one as `struct Name {}`",
                );
            }
            _ => cx.error(
                input.ident.span(),
                "CN010: a flavor must be a struct with named fields\n= help: write `struct Name { field: Dep<Plugin>, .. }`",
            ),
        }
        for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident(names::PROVIDES)) {
            cx.error(
                span_of(attribute),
                "CN010: `#[provides]` belongs on a field of the flavor\n= help: write `#[provides(dyn Interface, ..)]` on the field of a plugin",
            );
        }
        if input.attrs.iter().any(args::is_plugin) {
            cx.error(input.ident.span(), args::PLUGIN_AND_FLAVOR);
        }
        if matches!(&input.data, Data::Struct(data) if args::has_impossible_field(&data.fields, &input.generics)) {
            cx.note_reported();
        }
        let lent = |ty: &Type| matches!(ungroup(ty), Type::Reference(reference) if reference.lifetime.is_none());
        if let Data::Struct(data) = &input.data {
            match size::sizes_of(&data.fields) {
                Sizes::Known => {}
                Sizes::Reported => cx.note_reported(),
                Sizes::Unsized(ty) => {
                    cx.error(ty.span(), NO_SIZE);
                    model.has_size = false;
                }
            }
        }
        if model.is_endless() || model.fields.iter().any(|field| lent(&field.ty)) {
            // No struct can have such a field: rustc reports it.
            cx.note_reported();
        }
        model
    }

    /// Whether every impl would cause a further error. If the last field of a struct is the struct itself, rustc
    /// reports an overflow for each trait that is implemented for it.
    pub(super) fn is_hopeless(&self) -> bool {
        !self.has_size || self.fields.last().is_some_and(|field| self.is_endless_by(field))
    }

    pub(super) fn is_endless(&self) -> bool {
        self.fields.iter().any(|field| self.is_endless_by(field))
    }

    /// Whether the field is the flavor itself, or an `Option` of it.
    fn is_endless_by(&self, Field { ty, .. }: &Field) -> bool {
        match types::holder(ty) {
            Some((holder, inner)) if holder == "Option" => types::is_itself(inner, &self.name),
            _ => types::is_itself(ty, &self.name),
        }
    }
}

fn parse_field(field: &syn::Field, cx: &mut Ctxt) -> Option<Field> {
    let mut provides = Vec::new();
    for attribute in &field.attrs {
        if attribute.path().is_ident(names::FLAVOR) {
            cx.error(
                span_of(attribute),
                "CN010: `#[flavor]` is not allowed on a field\n= help: remove it: a nested flavor is recognized by its type",
            );
        }
        if !attribute.path().is_ident(names::PROVIDES) {
            continue;
        }
        match &attribute.meta {
            syn::Meta::List(list) if !list.tokens.is_empty() => {
                for entry in list::entries(list.tokens.clone()) {
                    match entry.parse() {
                        Ok(ty) if may_be_interface(&ty) => provides.push(ty),
                        _ => cx.error_on(entry, NO_INTERFACE),
                    }
                }
            }
            _ => cx.error(span_of(attribute), NO_INTERFACE),
        }
    }
    field.ident.clone().map(|name| Field { name, ty: field.ty.clone(), provides })
}

/// Whether it is `dyn Trait`, or may be an alias of it.
fn may_be_interface(ty: &Type) -> bool {
    match ungroup(ty) {
        // A handle, or a container of one, is no interface.
        Type::Path(_) => types::wrapper(ty).is_none(),
        Type::Macro(_) => true,
        Type::TraitObject(object) => {
            types::second_trait(object).is_none()
                && object.bounds.iter().any(|bound| matches!(bound, TypeParamBound::Trait(_)))
        }
        _ => false,
    }
}

//! The arguments of `#[plugin(..)]`.

use super::{fields::Role, listed::Deps};
use crate::{
    args::{self, Value},
    ctxt::Ctxt,
    expected::Expected,
    krate::Krate,
    names::{self, kebab},
};
use proc_macro2::{Span, TokenStream};
use syn::{Expr, Ident, ItemStruct, Type};

const EXPECTED: Expected = Expected {
    attribute: "",
    arguments: &[
        "deps = (A, dyn B, Option<C>)",
        "config = T",
        "name = \"..\"",
        "alias = \"..\"",
        "flags = FLAGS",
        "no_lifecycle",
        "id = \"..\"",
        "crate = path",
    ],
    synonyms: &[
        ("args", names::FLAGS),
        ("dependencies", names::DEPS),
        ("depends", names::DEPS),
        ("depends_on", names::DEPS),
        ("inject", names::DEPS),
        ("instance", names::NAME),
        ("requires", names::DEPS),
        ("section", names::CONFIG),
        ("settings", names::CONFIG),
    ],
};

#[derive(Default)]
pub(super) struct Arguments {
    pub(super) deps: Option<Deps>,
    pub(super) config: Option<Type>,
    /// The argument `name`, or `None` if it is not valid.
    pub(super) name: Option<String>,
    pub(super) aliases: Vec<String>,
    pub(super) flags: Option<Expr>,
    pub(super) no_lifecycle: bool,
    /// The place of that argument.
    pub(super) no_lifecycle_at: Option<Span>,
    pub(super) id: Option<String>,
    pub(super) krate: Krate,
    seen_config: Option<Span>,
    seen_flags: Option<Span>,
}

impl Arguments {
    /// Reads every argument, so that each mistake is reported.
    pub(super) fn parse(tokens: TokenStream, cx: &mut Ctxt) -> Self {
        let all = args::parse(tokens, cx, &EXPECTED);
        let all = args::reject_repeats(all, &[names::ALIAS], cx);
        let has_deps = all.iter().any(|arg| arg.word() == names::DEPS);
        let mut this = Arguments::default();
        // `crate` comes first, since it is the path to `Dep` in generated types.
        for arg in all.iter().filter(|arg| arg.word() == names::CRATE) {
            this.krate = args::krate(arg, cx).unwrap_or_default();
        }
        for arg in &all {
            match (arg.word().as_str(), &arg.value) {
                (names::CRATE, _) => {}
                (names::DEPS, _) => this.deps = Some(Deps::parse(arg, &this.krate, cx)),
                (names::CONFIG, Value::Is(value)) => {
                    this.seen_config = Some(arg.span());
                    match args::value(arg, value) {
                        Ok(ty) => this.config = Some(ty),
                        Err(error) => cx.parser_error(&error, "`config = Type`"),
                    }
                }
                (names::NAME, _) => this.name = parse_instance(arg, cx),
                (names::ALIAS, _) => this.aliases.extend(parse_instance(arg, cx)),
                (names::FLAGS, Value::Is(value)) => {
                    this.seen_flags = Some(arg.span());
                    match args::value(arg, value) {
                        Ok(flags) => this.flags = Some(flags),
                        Err(error) => cx.parser_error(&error, "`flags = FLAGS`, a const `&[Flag]`"),
                    }
                }
                (names::ID, _) => this.id = args::text(arg, cx).map(|text| text.value()),
                (names::NO_LIFECYCLE, Value::Word) => {
                    this.no_lifecycle = true;
                    this.no_lifecycle_at = Some(arg.span());
                }
                _ => this.guess(arg, has_deps, cx),
            }
        }
        this
    }

    /// Reports an argument that is not valid. Nothing that follows from its absence is reported, if it is known which
    /// one is meant. `has_deps`: whether `deps` itself is there.
    fn guess(&mut self, arg: &args::Arg, has_deps: bool, cx: &mut Ctxt) {
        let meant = EXPECTED.meant(&arg.word());
        match (meant.map(|meant| meant.name), &arg.value) {
            (Some(names::DEPS), Value::Is(_)) if !has_deps && self.deps.is_none() => {
                self.deps = Some(Deps::broken(arg.span(), &args::unknown(arg, &EXPECTED)));
                return;
            }
            (Some(names::CONFIG), _) => self.seen_config = Some(arg.span()),
            (Some(names::NO_LIFECYCLE), _) => self.no_lifecycle = true,
            _ => {}
        }
        args::report_unknown(arg, cx, &EXPECTED);
    }

    /// Whether an error takes the place of the dependencies.
    pub(super) fn is_broken(&self) -> bool {
        matches!(self.deps, Some(Deps::Broken(_)))
    }

    /// Checks what depends on the struct.
    pub(super) fn check(&self, def: &ItemStruct, roles: &[Role], cx: &mut Ctxt) {
        let has_config = self.seen_config.is_some()
            || roles.iter().any(|role| matches!(role, Role::Config(_) | Role::Refused(true)));
        if let (Some(span), Some(_), false) = (self.seen_flags, &self.flags, has_config) {
            let mend = match self.deps {
                Some(_) => "name its type: `config = T`",
                None => "mark the field that holds it with `#[config]`",
            };
            cx.error(
                span,
                format_args!(
                    "CN030: a flag sets a key of the config section, but this plugin has no section\n= help: {mend}"
                ),
            );
        }
        if let (Some(span), Some(_), None) = (self.seen_config, &self.config, &self.deps) {
            cx.error(
                span,
                "CN010: `config = ..` is only for a plugin with `deps = ..`\n= help: mark the field that holds it with `#[config]`",
            );
        }
        let instance = self.instance(&def.ident);
        // The name of a parameter would be appended, so the instance name is another one.
        if let (Some(message), None, None) = (reserved_error(&instance), &self.name, def.generics.type_params().next())
        {
            cx.error(def.ident.span(), message);
        }
        if !names::is_instance_name(&instance) {
            cx.error(
                def.ident.span(),
                format_args!(
                    "CN021: `{instance}` cannot be an instance name\n= help: choose another one: `#[plugin(name = \"..\")]`"
                ),
            );
        }
    }

    /// The instance name, before the parameters' names are appended.
    pub(super) fn instance(&self, ident: &Ident) -> String {
        self.name.clone().unwrap_or_else(|| kebab(&ident.to_string()))
    }
}

/// The config sections of the agent itself.
const RESERVED: [&str; 2] = ["agent", "logs"];

/// The error for an instance name that is one of them. Dashes do not count, as in the names of sections.
fn reserved_error(instance: &str) -> Option<String> {
    let section = RESERVED.into_iter().find(|section| instance.replace('-', "") == *section)?;
    Some(format!(
        "CN021: `{section}` is a config section of the agent itself\n= help: give the plugin another name: `#[plugin(name = \"..\")]`"
    ))
}

/// Reads an instance name, which must be a valid name for a config section.
fn parse_instance(arg: &args::Arg, cx: &mut Ctxt) -> Option<String> {
    let text = args::text(arg, cx)?;
    if let Some(message) = reserved_error(&text.value()) {
        cx.error(text.span(), message);
        return None;
    }
    if names::is_instance_name(&text.value()) {
        return Some(text.value());
    }
    cx.error(
        text.span(),
        format_args!("CN021: `{}` cannot be an instance name\n= help: use a to z, 0 to 9 and `-`", text.value()),
    );
    None
}

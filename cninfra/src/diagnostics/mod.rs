//! The compile errors of cninfra, one page each.
//!
//! Each message starts with its code (after "evaluation panicked: ", where rustc adds that) and points to your code.
//! All mistakes that cninfra can see are reported in one run.
//!
//! rustc reports all other mistakes in its own words: an unknown name, a method of a lifecycle with a wrong signature
//! (`async fn init(&self, cx: &Context) -> Result<()>`), `#[async_trait]` on an `impl Lifecycle` or `impl Create`
//! (E0195: remove the attribute, which only interfaces need), a value that is held across an `await` and cannot be sent
//! to another thread. It reports each once, with two exceptions: a type argument that does not meet a bound of a
//! generic plugin, and missing type arguments, are reported wherever the type is written, which includes generated
//! code. If a type of your own inside a plugin cannot be shared between threads, that is [CN029](cn029); rustc also
//! reports that the futures of an asynchronous lifecycle are not `Send`, and that the plugin is not `Sync` if it
//! implements an interface: the same fix removes these errors. A struct that cannot be parsed is reported by both rustc
//! and the macro.
//!
//! | code | mistake |
//! | --- | --- |
//! | [CN001](cn001) | a plugin is missing |
//! | [CN002](cn002) | an interface has no provider |
//! | [CN003](cn003) | an interface is provided twice |
//! | [CN004](cn004) | a plugin is declared twice |
//! | [CN005](cn005) | plugins depend on each other in a cycle |
//! | [CN006](cn006) | not a plugin |
//! | [CN007](cn007) | not a field of a flavor |
//! | [CN008](cn008) | a generic plugin without a lifecycle |
//! | [CN009](cn009) | `Create` is missing |
//! | [CN010](cn010) | a malformed attribute |
//! | [CN011](cn011) | the provider does not implement the interface |
//! | [CN012](cn012) | a collection of a single interface |
//! | [CN013](cn013) | a field without a default |
//! | [CN014](cn014) | a lifetime or const parameter |
//! | [CN015](cn015) | not an interface |
//! | [CN016](cn016) | two plugins with the same identity |
//! | [CN017](cn017) | a single provider of an interface that has several |
//! | [CN018](cn018) | a replacement for something that is not in the flavor |
//! | [CN019](cn019) | not a flavor that can be started |
//! | [CN020](cn020) | an instance name is used twice |
//! | [CN021](cn021) | a malformed instance name |
//! | [CN022](cn022) | a required dependency on an optional plugin |
//! | [CN023](cn023) | an `async fn` in an interface |
//! | [CN024](cn024) | a name that is not in the graph |
//! | [CN025](cn025) | a flag is declared twice |
//! | [CN026](cn026) | a type that cannot be a config section |
//! | [CN027](cn027) | a type that the context does not provide |
//! | [CN028](cn028) | a flavor is too large |
//! | [CN029](cn029) | a plugin holds a value that cannot be shared between threads |
//! | [CN030](cn030) | an invalid flag |
//! | [CN031](cn031) | a config section without `#[config]` |
//! | [CN032](cn032) | a trait that cannot be an interface |
//! | [CN033](cn033) | a plugin without `Dep` |
//! | [CN034](cn034) | a lifecycle that never runs |
//! | [CN035](cn035) | not a handler of HTTP requests |
//! | [CN036](cn036) | a field without a known size |
//! | [CN037](cn037) | routes without their state |
//! | [CN038](cn038) | a log macro without its logger |

#[doc = include_str!("cn001.md")]
pub mod cn001 {}

#[doc = include_str!("cn002.md")]
pub mod cn002 {}

#[doc = include_str!("cn003.md")]
pub mod cn003 {}

#[doc = include_str!("cn004.md")]
pub mod cn004 {}

#[doc = include_str!("cn005.md")]
pub mod cn005 {}

#[doc = include_str!("cn006.md")]
pub mod cn006 {}

#[doc = include_str!("cn007.md")]
pub mod cn007 {}

#[doc = include_str!("cn008.md")]
pub mod cn008 {}

#[doc = include_str!("cn009.md")]
pub mod cn009 {}

#[doc = include_str!("cn010.md")]
pub mod cn010 {}

#[doc = include_str!("cn011.md")]
pub mod cn011 {}

#[doc = include_str!("cn012.md")]
pub mod cn012 {}

#[doc = include_str!("cn013.md")]
pub mod cn013 {}

#[doc = include_str!("cn014.md")]
pub mod cn014 {}

#[doc = include_str!("cn015.md")]
pub mod cn015 {}

#[doc = include_str!("cn016.md")]
pub mod cn016 {}

#[doc = include_str!("cn017.md")]
pub mod cn017 {}

#[doc = include_str!("cn018.md")]
pub mod cn018 {}

#[doc = include_str!("cn019.md")]
pub mod cn019 {}

#[doc = include_str!("cn020.md")]
pub mod cn020 {}

#[doc = include_str!("cn021.md")]
pub mod cn021 {}

#[doc = include_str!("cn022.md")]
pub mod cn022 {}

#[doc = include_str!("cn023.md")]
pub mod cn023 {}

#[doc = include_str!("cn024.md")]
pub mod cn024 {}

#[doc = include_str!("cn025.md")]
pub mod cn025 {}

#[doc = include_str!("cn026.md")]
pub mod cn026 {}

#[doc = include_str!("cn027.md")]
pub mod cn027 {}

#[doc = include_str!("cn028.md")]
pub mod cn028 {}

#[doc = include_str!("cn029.md")]
pub mod cn029 {}

#[doc = include_str!("cn030.md")]
pub mod cn030 {}

#[doc = include_str!("cn031.md")]
pub mod cn031 {}

#[doc = include_str!("cn032.md")]
pub mod cn032 {}

#[doc = include_str!("cn033.md")]
pub mod cn033 {}

#[doc = include_str!("cn034.md")]
pub mod cn034 {}

#[doc = include_str!("cn035.md")]
pub mod cn035 {}

#[doc = include_str!("cn036.md")]
pub mod cn036 {}

#[doc = include_str!("cn037.md")]
pub mod cn037 {}

#[doc = include_str!("cn038.md")]
pub mod cn038 {}

//! The compile errors of cninfra, one page each.
//!
//! Each message starts with its code (after "evaluation panicked: ", where rustc puts that before it) and stands on what you wrote. All
//! mistakes that can be seen are told in one run.
//!
//! What is wrong with a program beside its wiring is rustc's to tell, in its own words: a name that is not there, a method of a lifecycle that
//! does not take or give what the trait says (`async fn init(&self, cx: &Context) -> Result<()>`), something that is held over an `await` and can
//! not be sent to another thread; and once, but for a bound of a generic plugin that its argument does not meet, and generic arguments that are
//! missing: that is told wherever the type is written, and generated code writes it, too. A plugin that holds what is not shared between threads,
//! inside of a type of its own, is told of as [CN029](cn029); if its lifecycle is asynchronous, rustc says beside it that the future is not `Send`, and
//! of an interface that it implements that the plugin is not `Sync`: that goes with the same mend. Of a struct that can not be parsed rustc and the
//! macro tell both.
//!
//! | code | what is wrong |
//! | --- | --- |
//! | [CN001](cn001) | a plugin is missing |
//! | [CN002](cn002) | an interface has no provider |
//! | [CN003](cn003) | an interface is provided twice |
//! | [CN004](cn004) | a plugin is declared twice |
//! | [CN005](cn005) | plugins depend on one another in a cycle |
//! | [CN006](cn006) | not a plugin |
//! | [CN007](cn007) | not a field of a flavor |
//! | [CN008](cn008) | a generic plugin without lifecycle |
//! | [CN009](cn009) | `Create` is missing |
//! | [CN010](cn010) | a malformed attribute |
//! | [CN011](cn011) | the provider does not implement the interface |
//! | [CN012](cn012) | a collection of a single interface |
//! | [CN013](cn013) | a field without default |
//! | [CN014](cn014) | a lifetime or const parameter |
//! | [CN015](cn015) | not an interface |
//! | [CN016](cn016) | two plugins with one identity |
//! | [CN017](cn017) | one of many |
//! | [CN018](cn018) | a replacement of what is not in the flavor |
//! | [CN019](cn019) | not a flavor, or an open one, can not be started |
//! | [CN020](cn020) | an instance name is taken twice |
//! | [CN021](cn021) | a malformed instance name |
//! | [CN022](cn022) | a required dependency on an optional plugin |
//! | [CN023](cn023) | an `async fn` in an interface |
//! | [CN024](cn024) | a name that the graph does not know |
//! | [CN025](cn025) | a flag is declared twice |
//! | [CN026](cn026) | a config type that can not be one |
//! | [CN027](cn027) | nothing of the context |
//! | [CN028](cn028) | a flavor is too large |
//! | [CN029](cn029) | a plugin holds what is not shared between threads |
//! | [CN030](cn030) | a flag that can not be one |
//! | [CN031](cn031) | a config section without its attribute |
//! | [CN032](cn032) | a trait that can not be an interface |
//! | [CN033](cn033) | a plugin without `Dep` |
//! | [CN034](cn034) | a lifecycle that would never run |
//! | [CN035](cn035) | not a handler of HTTP requests |
//! | [CN036](cn036) | a field without a size |
//! | [CN037](cn037) | routes that are registered without their state |

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

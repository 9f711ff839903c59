//! Reports `no_lifecycle` on a plugin that has a lifecycle, which would never run.

use super::plugin::Lifecycle;
use crate::graph::text;

/// Fails if a plugin with `no_lifecycle` has a lifecycle.
#[track_caller]
pub const fn idle(is: bool, plugin: &str) {
    if is {
        text::fail(&[
            "CN034: the lifecycle of `",
            plugin,
            "` would never run because of `no_lifecycle`\n= help: remove `no_lifecycle` or the `impl Lifecycle`",
        ])
    }
}

/// The attribute implements this for a generic plugin with `no_lifecycle`. No code can ask whether the plugin has a
/// lifecycle for some parameters; but if it has, the impls overlap, and rustc refuses the attribute's. Its message
/// contains the name of this trait, hence the code in it. `TOLD` says whether a lifecycle for all parameters has been
/// reported already, in our words. It is a value rather than a type that depends on one, since rustc decides whether
/// impls overlap without evaluating such a type.
pub trait CN034NoLifecycle<const TOLD: bool = false> {}
#[diagnostic::do_not_recommend]
impl<P: Lifecycle> CN034NoLifecycle<false> for P {}

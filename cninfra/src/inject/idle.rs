//! `no_lifecycle` on a plugin that has a lifecycle, which would never run.

use super::plugin::Lifecycle;
use crate::graph::text;

/// Fails if a plugin that says `no_lifecycle` has one.
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

/// What the attribute implements for a generic plugin that says `no_lifecycle`. No code can ask whether there are parameters for which it has a lifecycle; but
/// if there are, the impls overlap, and rustc refuses the attribute's. (Its message has this name, so the code is in it.) `TOLD`: whether a lifecycle for all
/// parameters is told already, in our words. (A value and no type that depends on one: whether impls overlap, rustc decides without working out such a type.)
pub trait CN034NoLifecycle<const TOLD: bool = false> {}
#[diagnostic::do_not_recommend]
impl<P: Lifecycle> CN034NoLifecycle<false> for P {}

//! [`Running`]: a created plugin with its type erased.

use super::plugin::{Lifecycle, Nothing};
use crate::{BoxFuture, Context, Dep, Phase, Result};
use std::{future::Future, marker::PhantomData, sync::Arc};

/// A plugin as the agent drives it: one phase at a time.
pub trait Running: Send + Sync {
    /// Whether the plugin implements this method itself. One that is left at its default need not be called.
    fn has(&self, phase: Phase) -> bool;
    fn step<'a>(&'a self, phase: Phase, cx: &'a Context) -> BoxFuture<'a, Result<()>>;
}

// The plugin's own future is boxed, with nothing around it. So a method that is left at its default costs no code for
// each plugin, since all defaults have the same type of future.
impl<P: Lifecycle + Send + Sync> Running for P {
    fn has(&self, phase: Phase) -> bool {
        match phase {
            Phase::Create | Phase::Run => false,
            Phase::Init => is_own(P::init),
            Phase::AfterInit => is_own(P::after_init),
            Phase::Drain => is_own(P::drain),
            Phase::Close => is_own(P::close),
        }
    }

    fn step<'a>(&'a self, phase: Phase, cx: &'a Context) -> BoxFuture<'a, Result<()>> {
        match phase {
            Phase::Create | Phase::Run => boxed(Nothing),
            Phase::Init => boxed(self.init(cx)),
            Phase::AfterInit => boxed(self.after_init(cx)),
            Phase::Drain => boxed(self.drain(cx)),
            Phase::Close => boxed(self.close(cx)),
        }
    }
}

/// Checks the type of the method's future without calling the method: the defaults' future has a layout that no other
/// one has.
const fn is_own<'a, P, F>(_: fn(&'a P, &'a Context) -> F) -> bool {
    size_of::<F>() != 0 || align_of::<F>() != align_of::<Nothing>()
}

/// A separate function, which is compiled once for each type of future; all defaults share one.
fn boxed<'a>(step: impl Future<Output = Result<()>> + Send + 'a) -> BoxFuture<'a, Result<()>> {
    Box::pin(step)
}

/// Answers in generated code whether the concrete type `X` has a lifecycle, by name lookup: `Probe::<X>::running` is
/// the inherent function if it applies, otherwise [`WithoutLifecycle`]'s.
#[derive(Debug)]
pub struct Probe<P>(PhantomData<P>);
impl<P: Lifecycle + Send + Sync + 'static> Probe<P> {
    pub fn running(plugin: &Dep<P>) -> Option<Arc<dyn Running>> {
        Some(plugin.0.clone())
    }
}
pub trait WithoutLifecycle<P> {
    fn running(_: &Dep<P>) -> Option<Arc<dyn Running>> {
        None
    }
}
impl<P> WithoutLifecycle<P> for Probe<P> {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{Pending, pending};

    const PHASES: [Phase; 4] = [Phase::Init, Phase::AfterInit, Phase::Drain, Phase::Close];

    struct Idle;
    impl Lifecycle for Idle {}

    struct Busy;
    impl Lifecycle for Busy {
        async fn init(&self, _: &Context) -> Result<()> {
            Ok(())
        }
        // This future is zero-sized, too.
        #[expect(refining_impl_trait, reason = "any future will do")]
        fn drain(&self, _: &Context) -> Pending<Result<()>> {
            pending()
        }
        async fn close(&self, _: &Context) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn only_a_method_that_is_left_at_its_default_is_none_of_the_plugins() {
        assert_eq!(PHASES.map(|phase| Idle.has(phase)), [false; 4]);
        assert_eq!(PHASES.map(|phase| Busy.has(phase)), [true, false, true, true]);
    }
}

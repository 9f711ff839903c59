//! A created plugin, its type forgotten.

use super::plugin::{Lifecycle, Nothing};
use crate::{BoxFuture, Context, Dep, Phase, Result};
use std::{future::Future, marker::PhantomData, sync::Arc};

/// What the agent drives: one phase of one plugin at a time.
pub trait Running: Send + Sync {
    fn step<'a>(&'a self, phase: Phase, cx: &'a Context) -> BoxFuture<'a, Result<()>>;
}

// The plugin's own future goes into the box, and nothing around it: so a method that is left at its default costs no
// code for each plugin, since the default's future has one type.
impl<P: Lifecycle + Send + Sync> Running for P {
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

/// A function of its own: compiled once for each type of future, and the defaults' is one.
fn boxed<'a>(step: impl Future<Output = Result<()>> + Send + 'a) -> BoxFuture<'a, Result<()>> {
    Box::pin(step)
}

/// "Has `X` a lifecycle?", answered by name lookup in generated code, where `X` is concrete: `Probe::<X>::running` is the
/// inherent function where it applies, else [`WithoutLifecycle`]'s.
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

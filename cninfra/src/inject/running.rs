//! A created plugin, its type forgotten.

use super::plugin::Lifecycle;
use crate::{BoxFuture, Context, Dep, Phase, Result};
use std::{marker::PhantomData, sync::Arc};

/// What the agent drives: one phase of one plugin at a time.
pub trait Running: Send + Sync {
    fn step(self: Arc<Self>, phase: Phase, cx: Context) -> BoxFuture<'static, Result<()>>;
}

impl<P: Lifecycle> Running for P {
    fn step(self: Arc<Self>, phase: Phase, cx: Context) -> BoxFuture<'static, Result<()>> {
        // one future for all phases: a debug build compiles each one of them
        Box::pin(async move {
            match phase {
                Phase::Create => Ok(()),
                Phase::Init => self.init(&cx).await,
                Phase::AfterInit => self.after_init(&cx).await,
                Phase::Drain => self.drain(&cx).await,
                Phase::Close => self.close(&cx).await,
            }
        })
    }
}

/// "Has `X` a lifecycle?", answered by method lookup in generated code, where `X` is concrete:
/// `(&Probe::<X>::new()).running(dep)` takes the first of the two traits that applies.
#[derive(Debug)]
pub struct Probe<P>(PhantomData<P>);
impl<P> Probe<P> {
    #[expect(clippy::new_without_default, reason = "for generated code only")]
    #[must_use]
    pub const fn new() -> Self {
        Probe(PhantomData)
    }
}
pub trait WithLifecycle<P> {
    fn running(&self, plugin: &Dep<P>) -> Option<Arc<dyn Running>>;
}
impl<P: Lifecycle> WithLifecycle<P> for Probe<P> {
    fn running(&self, plugin: &Dep<P>) -> Option<Arc<dyn Running>> {
        Some(plugin.0.clone())
    }
}
pub trait WithoutLifecycle<P> {
    fn running(&self, plugin: &Dep<P>) -> Option<Arc<dyn Running>>;
}
impl<P> WithoutLifecycle<P> for &Probe<P> {
    fn running(&self, _: &Dep<P>) -> Option<Arc<dyn Running>> {
        None
    }
}

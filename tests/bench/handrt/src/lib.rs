//! The baseline: what hand-written wiring shares. Each plugin is initialised within a time-out, and the initialised
//! ones are kept on a stack for the rollback and the close.
//!
//! Every ratio that the benchmark prints is relative to this crate, so its behaviour must not change.
#![forbid(unsafe_code)]

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

/// The error of a lifecycle method.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The outcome of a lifecycle method.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The argument of every lifecycle method.
#[derive(Clone, Default)]
pub struct Context {
    /// Stands for the state that all plugins share.
    pub shared: Arc<()>,
}

/// The lifecycle of a plugin.
pub trait Life: Send + Sync + 'static {
    /// Makes the plugin ready. Its dependencies are ready by then.
    fn init(&self, _: &Context) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }

    /// Runs when all plugins are initialised.
    fn after_init(&self, _: &Context) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }

    /// Releases what `init` acquired.
    fn close(&self, _: &Context) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }
}

/// The future of an erased lifecycle method.
type Fut<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// [`Life`] without the type of the plugin.
trait Erased: Send + Sync {
    /// [`Life::after_init`].
    fn after_init<'a>(&'a self, cx: &'a Context) -> Fut<'a>;

    /// [`Life::close`].
    fn close<'a>(&'a self, cx: &'a Context) -> Fut<'a>;
}

impl<P: Life> Erased for P {
    fn after_init<'a>(&'a self, cx: &'a Context) -> Fut<'a> {
        Box::pin(Life::after_init(self, cx))
    }

    fn close<'a>(&'a self, cx: &'a Context) -> Fut<'a> {
        Box::pin(Life::close(self, cx))
    }
}

/// The plugins whose `init` has begun, in the order of their start.
#[derive(Default)]
pub struct Up {
    /// The context that each of them gets.
    cx: Context,
    /// The plugins, the last one at the end.
    begun: Vec<Arc<dyn Erased>>,
}

/// The time limit for one step of one plugin.
const LIMIT: Duration = Duration::from_secs(30);

impl Up {
    /// Initialises a plugin, within the limit. It is closed later even if that fails.
    pub async fn start<P: Life>(&mut self, plugin: P) -> Result<Arc<P>> {
        let p = Arc::new(plugin);
        self.begun.push(p.clone());
        tokio::time::timeout(LIMIT, p.init(&self.cx)).await??;
        Ok(p)
    }

    /// Runs `after_init` of all plugins, in the order of their start.
    pub async fn after_init(&mut self) -> Result<()> {
        for p in &self.begun {
            tokio::time::timeout(LIMIT, p.after_init(&self.cx)).await??;
        }
        Ok(())
    }

    /// Closes all plugins, in reverse order, and goes on after errors.
    pub async fn close(&mut self) {
        while let Some(p) = self.begun.pop() {
            let _ = tokio::time::timeout(LIMIT, p.close(&self.cx)).await;
        }
    }
}

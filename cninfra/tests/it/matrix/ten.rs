//! Ten plugins on five levels that follow a script, and record what is done to them.

use cninfra::{Phase, agent::StopHandle, prelude::*};
use std::{future::pending, io, sync::Mutex, time::Duration};

/// What goes wrong in a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    Error,
    Panic,
    /// It is never ready.
    Pending,
    /// It blocks its thread for longer than its limit.
    Block,
    /// Nothing goes wrong, but the agent is asked to stop there.
    Stop,
}

/// How long [`Fault::Block`] blocks, and the limit that it exceeds.
pub const BLOCKS: Duration = Duration::from_millis(60);
pub const LIMIT: Duration = Duration::from_millis(20);

/// A plugin and a phase.
pub type Spot = (usize, Phase);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark {
    Begin,
    End,
}

#[plugin(no_lifecycle)]
#[derive(Default)]
pub struct Script {
    pub fault: Option<(Spot, Fault)>,
    /// How long every step waits before it does anything, multiplied by a factor of the plugin.
    pub pace: Option<Duration>,
    pub stop: Option<StopHandle>,
    pub calls: Mutex<Vec<(Spot, Mark)>>,
}

impl Script {
    async fn play(&self, spot: Spot) -> Result<()> {
        /// Records the end of the step, however it ends.
        struct Ends<'a>(&'a Script, Spot);
        impl Drop for Ends<'_> {
            fn drop(&mut self) {
                self.0.note(self.1, Mark::End);
            }
        }
        self.note(spot, Mark::Begin);
        let _ends = Ends(self, spot);
        if let Some(pace) = self.pace {
            tokio::time::sleep(pace * (1 + spot.0 as u32 % 3)).await;
        }
        match self.fault {
            Some((at, fault)) if at == spot => self.go_wrong(fault).await,
            _ => Ok(()),
        }
    }

    async fn go_wrong(&self, fault: Fault) -> Result<()> {
        match fault {
            Fault::Error => {
                let refused = io::Error::other("connection refused");
                return Err(Error::from(refused).context("etcd:2379").with_help("start etcd"));
            }
            Fault::Panic => panic!("out of bounds"),
            Fault::Pending => pending().await,
            Fault::Block => std::thread::sleep(BLOCKS),
            Fault::Stop => self.stop.as_ref().unwrap().stop(),
        }
        Ok(())
    }

    fn note(&self, spot: Spot, mark: Mark) {
        self.calls.lock().unwrap().push((spot, mark));
    }
}

macro_rules! ten {
    ($($name:ident $at:literal $field:ident ($($dep:ty),*);)*) => {
        $(
            #[plugin(deps = (Script, $($dep),*))]
            pub struct $name(Dep<Script>);
            impl Create for $name {
                async fn create(deps: Self::Deps, _: &Context) -> Result<Self> {
                    let script = deps.0.clone();
                    script.play(($at, Phase::Create)).await?;
                    Ok($name(script))
                }
            }
            impl Lifecycle for $name {
                async fn init(&self, _: &Context) -> Result<()> {
                    self.0.play(($at, Phase::Init)).await
                }
                async fn after_init(&self, _: &Context) -> Result<()> {
                    self.0.play(($at, Phase::AfterInit)).await
                }
                async fn drain(&self, _: &Context) -> Result<()> {
                    self.0.play(($at, Phase::Drain)).await
                }
                async fn close(&self, _: &Context) -> Result<()> {
                    self.0.play(($at, Phase::Close)).await
                }
            }
        )*
        #[derive(Flavor)]
        pub struct Ten {
            pub script: Dep<Script>,
            $(pub $field: Dep<$name>),*
        }
    };
}

cninfra_testbed::with_ten_plugins!(ten);

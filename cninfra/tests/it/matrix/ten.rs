//! Ten plugins on five levels that do what a script tells them, and write down what is done to them.

use cninfra::{Phase, agent::StopHandle, prelude::*};
use std::{future::pending, io, sync::Mutex, time::Duration};

/// What goes wrong in a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    Error,
    Panic,
    /// Never ready.
    Pending,
    /// Longer than its limit, on its thread.
    Block,
    /// Nothing goes wrong, but the agent is asked to stop there.
    Stop,
}

/// How long [`Fault::Block`] blocks, and the limit that it breaks.
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
    /// Every step waits for so long before it does anything, the plugins a multiple each.
    pub pace: Option<Duration>,
    pub stop: Option<StopHandle>,
    pub calls: Mutex<Vec<(Spot, Mark)>>,
}

impl Script {
    async fn play(&self, spot: Spot) -> Result<()> {
        /// Writes down the end of the step, whatever ends it.
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

ten! {
    P0 0 p0 ();
    P1 1 p1 ();
    P2 2 p2 (P0);
    P3 3 p3 (P0, P1);
    P4 4 p4 (P1);
    P5 5 p5 (P2, P3);
    P6 6 p6 (P3, P4);
    P7 7 p7 (P5);
    P8 8 p8 (P5, P6);
    P9 9 p9 (P7, P8);
}

/// Which plugins depend on which.
pub const EDGES: [(usize, usize); 13] =
    [(2, 0), (3, 0), (3, 1), (4, 1), (5, 2), (5, 3), (6, 3), (6, 4), (7, 5), (8, 5), (8, 6), (9, 7), (9, 8)];

/// The plugins by level, in the graph's order: worked out by hand.
pub const LEVELS: [&[usize]; 5] = [&[0, 1], &[2, 3, 4], &[5, 6], &[7, 8], &[9]];

pub fn level(plugin: usize) -> usize {
    LEVELS.iter().position(|level| level.contains(&plugin)).unwrap()
}

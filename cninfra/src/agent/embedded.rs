//! [`Watch`]: an agent that is embedded is looked at, too, from a thread of its own.

use super::{
    StopHandle, apart,
    lookout::Lookout,
    progress::Progress,
    stall,
    watchdog::{TICK, Watchdog},
};
use crate::logging::Loggers;
use std::{
    io,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread::JoinHandle,
};
use tokio::runtime::{Handle, RuntimeFlavor};

/// Names what blocks the agent's threads, until it is dropped; it waits for its thread then.
pub(super) struct Watch {
    ended: Arc<Ended>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Ended(Mutex<bool>, Condvar);

impl Watch {
    /// Of an agent that starts on this runtime.
    pub(super) fn begin(
        loggers: &Loggers,
        progress: &Arc<Progress>,
        stop: &StopHandle,
        runtime: Handle,
    ) -> io::Result<Self> {
        let ended = Arc::new(Ended::default());
        let lookout = Lookout::new(Watchdog::of_embedded(), loggers, progress, stop, &runtime);
        let until = ended.clone();
        let thread = apart::spawn("cninfra-watch", move || watch(lookout, &runtime, &until))?;
        Ok(Watch { ended, thread: Some(thread) })
    }
}

fn watch(mut lookout: Lookout, runtime: &Handle, until: &Ended) {
    // a runtime of one thread has no other one to be woken
    let has_others = runtime.runtime_flavor() != RuntimeFlavor::CurrentThread;
    loop {
        let looked = lookout.look(|log, level, what| log.log(level, what));
        if looked.is_kept && has_others {
            runtime.spawn(async {});
        }
        let tick = if looked.is_calm { stall::TICK } else { TICK };
        let ended = until.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = until.1.wait_timeout_while(ended, tick, |ended| !*ended);
        if *waited.unwrap_or_else(PoisonError::into_inner).0 {
            return;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        *self.ended.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.ended.1.notify_all();
        if let Some(thread) = self.thread.take() {
            // what it would panic with has been told by the panic hook
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn its_thread_ends_with_it() {
        let (loggers, progress) = (Loggers::default(), Arc::default());
        let watch = Watch::begin(&loggers, &progress, &StopHandle::new(), Handle::current()).unwrap();
        let ended = watch.ended.clone();
        assert_eq!(Arc::strong_count(&progress), 2);
        drop(watch);
        assert_eq!((Arc::strong_count(&progress), Arc::strong_count(&ended)), (1, 1));
    }
}

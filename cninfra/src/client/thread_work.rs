//! [`ThreadWork`]: work of a thread that a task waits for, so that a paused clock waits, too.

#[cfg(feature = "testing")]
pub(crate) use counted::settle;

/// Work that a thread outside of tokio does for a task. It lasts until this is dropped, which has to be after the
/// answer was sent.
///
/// The clock of `cninfra::testing::paused` advances when no task can run, and knows nothing of other threads. So it
/// does not advance while there is such work: otherwise time limits would pass before the thread can answer. It is
/// counted only with the feature `testing`, and costs nothing without it.
///
/// ```
/// use cninfra::client::ThreadWork;
/// use tokio::sync::oneshot;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (answer, answered) = oneshot::channel();
/// let work = ThreadWork::begin();
/// std::thread::spawn(move || {
///     let _ = answer.send(6 * 7);
///     drop(work);
/// });
/// assert_eq!(answered.await, Ok(42));
/// # }
/// ```
#[derive(Debug)]
#[must_use = "the work ends when this is dropped"]
pub struct ThreadWork(());

impl ThreadWork {
    /// The work begins.
    pub fn begin() -> Self {
        #[cfg(feature = "testing")]
        counted::begin();
        ThreadWork(())
    }
}

#[cfg(feature = "testing")]
impl Drop for ThreadWork {
    fn drop(&mut self) {
        counted::end();
    }
}

#[cfg(feature = "testing")]
mod counted {
    use std::{
        sync::atomic::{AtomicUsize, Ordering::SeqCst},
        thread::sleep,
        time::{Duration, Instant},
    };

    /// Of all tests of the process: one test may wait for the work of another, which does no harm.
    static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);

    /// Work that takes longer hangs, and a test of that needs its clock to advance.
    const LONGEST: Duration = Duration::from_secs(2);
    const PAUSE: Duration = Duration::from_micros(50);

    pub(super) fn begin() {
        UNDER_WAY.fetch_add(1, SeqCst);
    }

    pub(super) fn end() {
        UNDER_WAY.fetch_sub(1, SeqCst);
    }

    /// Blocks the thread while there is work, but not for ever.
    pub(crate) fn settle() {
        let began = Instant::now();
        while UNDER_WAY.load(SeqCst) > 0 && began.elapsed() < LONGEST {
            sleep(PAUSE);
        }
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;
    use crate::testing::paused;
    use std::{thread, time::Duration};
    use tokio::{
        sync::oneshot,
        time::{Instant, timeout},
    };

    #[test]
    fn a_paused_clock_waits_for_a_thread() {
        paused(async {
            let began = Instant::now();
            for number in 0..20 {
                let (answer, answered) = oneshot::channel();
                let work = ThreadWork::begin();
                thread::spawn(move || {
                    thread::sleep(Duration::from_millis(10));
                    let _ = answer.send(number);
                    drop(work);
                });
                assert_eq!(timeout(Duration::from_secs(1), answered).await, Ok(Ok(number)));
            }
            assert_eq!(began.elapsed(), Duration::ZERO);
        });
    }
}

//! [`Committer`]: the one thread that writes. It does everything that waits together, in one transaction of redb.

mod recovery;
mod sweeping;

use crate::{
    Health,
    disk::{is_full, text_of},
    shared::Shared,
    work::{Done, Job, LeaseChange, Work},
    write::{Changed, Writer},
};
use cninfra::{
    client::ThreadWork,
    keyval::{Applied, KvError, LeaseId},
};
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};
use sweeping::Sweeping;

/// How many jobs are done in one transaction: with more, the first ones would wait too long.
const BATCH: usize = 256;
/// How often to check whether a full disk has room again.
const PROBE: Duration = Duration::from_millis(250);
/// How long to wait before failed work of the store itself is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// If there was no work for this long, except for leases, there is time to shrink the file.
const IDLE: Duration = Duration::from_secs(5);
/// Shrinking is worthwhile once this many revisions were discarded.
const WORTH: u64 = 5000;
/// Shrinking a larger file would block other work for too long.
const MOST_SHRUNK: u64 = 512 << 20;

pub(crate) enum Message {
    Job(Job),
    /// A read has found that redb does not read any more.
    Broken,
    /// Close the store, after all messages before this one.
    Close,
}

pub(crate) struct Committer {
    shared: Arc<Shared>,
    messages: Receiver<Message>,
    /// The lease of the keys that end with the client.
    client: Option<i64>,
    /// When the disk was found to be full.
    full_since: Option<Instant>,
    /// When the reserve could not be restored to its full size.
    no_reserve: Option<Instant>,
    /// The database has to be opened again, and the state read from it. This is when to try, unless a write tries
    /// earlier.
    reopen_at: Option<Instant>,
    /// Whether it has panicked, and gone on.
    panicked: bool,
    /// Whether compacted revisions still have to be discarded.
    needs_sweep: bool,
    /// Whether discarding them is postponed.
    sweeping: Sweeping,
    /// How many revisions were discarded since the file was last shrunk.
    freed: u64,
    /// When work was last requested.
    busy: Instant,
}

/// What was done, to be answered and reported.
struct Written {
    results: Vec<Result<Done, KvError>>,
    changed: Changed,
    client: Option<i64>,
    needs_sweep: bool,
}

/// A transaction that has failed.
struct Failed {
    error: redb::Error,
    /// The index of the job during which it failed; `None` if it failed before or after the jobs.
    at: Option<usize>,
    /// All jobs were done, and compacted revisions were being discarded.
    in_sweep: bool,
    /// Present if the transaction may have been written: its stamp, and what it did.
    written: Option<Box<(u64, Written)>>,
}

impl Committer {
    pub(crate) fn new(shared: Arc<Shared>, messages: Receiver<Message>) -> Self {
        // A store may be opened with compacted revisions that were not discarded yet: so `needs_sweep` is true.
        Committer {
            shared,
            messages,
            client: None,
            full_since: None,
            no_reserve: None,
            reopen_at: None,
            panicked: false,
            needs_sweep: true,
            sweeping: Sweeping::default(),
            freed: 0,
            busy: Instant::now(),
        }
    }

    /// Ends the leases that earlier clients have left. To be called first.
    pub(crate) fn resume(&mut self) -> Result<(), redb::Error> {
        self.keep_reserve();
        match self.end_clients() {
            // The reserve exists for such deletes.
            Err(error) if is_full(&error) => {
                self.shared.disk.medium().give_up_reserve();
                self.shared.disk.reopen()?;
                self.end_clients()?;
                self.keep_reserve();
                Ok(())
            }
            ended => ended,
        }
    }

    fn end_clients(&self) -> Result<(), redb::Error> {
        let (living, changed) = self.shared.disk.with(|database| {
            let write = database.begin_write()?;
            let (living, changed) = {
                let mut writer = Writer::open(&write, None)?;
                let living = writer.resume()?;
                writer.stamp()?;
                (living, writer.changed)
            };
            match changed.any {
                true => write.commit()?,
                false => write.abort()?,
            }
            Ok((living, changed))
        })?;
        self.shared.deadlines().reset(Instant::now(), living);
        self.shared.set_revision(&changed);
        self.shared.publish(changed.revisions);
        Ok(())
    }

    /// Works until the store is closed. Returns whether it has panicked.
    pub(crate) fn run(mut self) -> bool {
        let mut closes = false;
        while !closes {
            let mut jobs = Vec::new();
            let mut message = self.messages.recv_timeout(self.pause());
            loop {
                match message {
                    Ok(Message::Job(job)) => jobs.push(job),
                    Ok(Message::Broken) => self.mark_broken(),
                    Err(RecvTimeoutError::Timeout) => break,
                    Ok(Message::Close) | Err(RecvTimeoutError::Disconnected) => {
                        closes = true;
                        break;
                    }
                }
                // Jobs that were taken out of the queue are done before more are taken.
                if jobs.len() >= BATCH {
                    break;
                }
                message = self.messages.try_recv().map_err(|_| RecvTimeoutError::Timeout);
            }
            // Until the watches are informed, which is after the answers.
            let _work = ThreadWork::begin();
            self.guarded(|committer| {
                jobs.retain(|job| !job.is_given_up());
                // Keeping a lease alive does not count, since it goes on all the time.
                if jobs.iter().any(|job| !matches!(job.work, Work::KeepAlive(_))) {
                    committer.busy = Instant::now();
                }
                let over = committer.shared.deadlines().expired(Instant::now(), BATCH);
                jobs.splice(0..0, over.into_iter().map(|lease| Job::own(Work::Revoke(LeaseId(lease)))));
                committer.run_jobs(jobs);
            });
            self.guarded(Self::work_between_jobs);
        }
        self.guarded(|committer| committer.run_jobs(vec![Job::own(Work::EndClient)]));
        self.panicked
    }

    /// Runs work, and survives a panic: it is reported, and the state is read from the database again.
    fn guarded(&mut self, work: impl FnOnce(&mut Self)) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(self))) {
            let why = self.record_panic(&*panic);
            self.mark_broken();
            self.shared.report(Health::Failed(why));
        }
    }

    fn record_panic(&mut self, panic: &(dyn Any + Send)) -> String {
        self.panicked = true;
        panic_text(panic)
    }

    fn pause(&self) -> Duration {
        let now = Instant::now();
        let next = self.shared.deadlines().next().map(|next| next.saturating_duration_since(now));
        let next = next.unwrap_or(Duration::from_secs(3600));
        match self.reopen_at {
            Some(again) => next.min(again.saturating_duration_since(now)),
            None if self.needs_sweep => next.min(self.sweeping.wait(now)),
            None if self.freed >= WORTH => next.min(IDLE.saturating_sub(self.busy.elapsed())),
            None => next,
        }
    }

    /// What to do between jobs.
    fn work_between_jobs(&mut self) {
        if self.reopen_at.is_some_and(|again| again <= Instant::now())
            && let Err(error) = self.reopen_if_broken()
        {
            return self.fail(Vec::new(), &error, Applied::No);
        }
        if !self.needs_sweep && self.freed >= WORTH && self.busy.elapsed() >= IDLE {
            self.freed = 0;
            if self.shared.disk.medium().len().is_some_and(|len| len <= MOST_SHRUNK) {
                // If shrinking fails, nothing is lost. A broken database shows at the next write.
                let _ = self.shared.disk.shrink();
            }
        }
    }

    /// Does all jobs in one transaction.
    fn run_jobs(&mut self, jobs: Vec<Job>) {
        let jobs = self.refuse_while_full(jobs);
        let sweeps_now = self.needs_sweep && self.sweeping.wait(Instant::now()).is_zero();
        if jobs.is_empty() && (!sweeps_now || self.reopen_at.is_some()) {
            return;
        }
        if let Err(error) = self.reopen_if_broken() {
            return self.fail(jobs, &error, Applied::No);
        }
        match self.attempt(&jobs) {
            Ok(written) => self.answer(jobs, written),
            Err(failed) => self.recover(jobs, failed),
        }
    }

    fn attempt(&mut self, jobs: &[Job]) -> Result<Written, Failed> {
        let keep = self.shared.keep_revisions;
        let sweeps_now = self.sweeping.wait(Instant::now()).is_zero();
        let (mut sent, mut at, mut in_sweep, mut panicked) = (None, None, false, false);
        let attempted = self.shared.disk.with(|database| {
            let write = database.begin_write()?;
            let (stamp, written) = {
                let mut writer = Writer::open(&write, self.client)?;
                let mut results = Vec::with_capacity(jobs.len());
                for (number, job) in jobs.iter().enumerate() {
                    at = Some(number);
                    results.push(catch_panic(&mut panicked, || writer.run(&job.work))?);
                }
                at = None;
                if sweeps_now {
                    in_sweep = true;
                    catch_panic(&mut panicked, || writer.sweep(keep))?;
                    in_sweep = false;
                }
                let stamp = if writer.changed.any { Some(writer.stamp()?) } else { None };
                let (client, needs_sweep) = (writer.client(), writer.has_more_to_sweep());
                (stamp, Written { results, changed: writer.changed, client, needs_sweep })
            };
            let Some(stamp) = stamp else {
                write.abort()?;
                return Ok(written);
            };
            sent = Some((stamp, written));
            write.commit()?;
            sent.take().map(|(_, written)| written).ok_or(redb::Error::DatabaseClosed)
        });
        self.panicked |= panicked;
        attempted.map_err(|error| Failed { error, at, in_sweep, written: sent.map(Box::new) })
    }

    /// Answers the callers, and then informs the watches.
    fn answer(&mut self, jobs: Vec<Job>, written: Written) {
        let Written { results, changed, client, needs_sweep } = written;
        (self.client, self.needs_sweep) = (client, needs_sweep);
        if changed.grown {
            self.full_since = None;
        }
        if changed.swept > 0 {
            self.end_sweep_pause();
        }
        if self.full_since.is_none() && changed.any {
            self.shared.report(self.health_with_room());
        }
        self.freed += changed.swept;
        self.shared.set_client(client);
        self.update_deadlines(&changed.leases);
        self.shared.set_revision(&changed);
        for (job, result) in jobs.into_iter().zip(results) {
            job.answer(result);
        }
        self.shared.publish(changed.revisions);
    }

    fn update_deadlines(&self, changes: &[LeaseChange]) {
        let now = Instant::now();
        let mut deadlines = self.shared.deadlines();
        for change in changes {
            match change {
                LeaseChange::Lives(lease, life) => deadlines.set(*lease, now, *life),
                LeaseChange::Ended(lease) => deadlines.remove(*lease),
            }
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    format!("the thread that writes has panicked: {}", text_of(panic))
}

/// Runs a part of a transaction, and turns a panic into an error. redb panics over some damaged data, and returns an
/// error for other. The panic is caught here, while the transaction still exists, so that it ends like any other. If a
/// panic ends it, redb checks all data when it next opens the file, and refuses to open it if some is damaged. A panic
/// elsewhere is not caught here, since then it is unknown what was written.
fn catch_panic<T>(panicked: &mut bool, part: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, redb::Error> {
    catch_unwind(AssertUnwindSafe(part)).unwrap_or_else(|panic| {
        *panicked = true;
        Err(redb::Error::Corrupted(panic_text(&*panic)))
    })
}

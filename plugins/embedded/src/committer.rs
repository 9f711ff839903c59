//! [`Committer`]: the one thread that writes. It does all that waits together, in one transaction of redb.

mod recovery;
mod sweeping;

use crate::{
    Health,
    disk::{is_full, text_of},
    shared::Shared,
    work::{Done, Job, LeaseChange, Refused, Work},
    write::{Changed, Writer},
};
use cninfra::keyval::{Applied, LeaseId};
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

/// So much is done in one transaction at most: more makes those wait that came first.
const BATCH: usize = 256;
/// While the disk is full, whether there is room is looked at as often.
const PROBE: Duration = Duration::from_millis(250);
/// What could not be ended is tried again then.
const AGAIN: Duration = Duration::from_secs(1);
/// Who has nothing to do for so long, but for leases, has the time to make the file smaller.
const IDLE: Duration = Duration::from_secs(5);
/// It is worth it when so many revisions were thrown away.
const WORTH: u64 = 5000;
/// A larger file would keep others waiting for too long.
const MOST_SHRUNK: u64 = 512 << 20;

pub(crate) enum Message {
    Job(Job),
    /// A read has found that redb reads no more.
    Broken,
    /// All before it is done, and no more.
    Close,
}

pub(crate) struct Committer {
    shared: Arc<Shared>,
    messages: Receiver<Message>,
    /// The lease of all that ends with the client.
    client: Option<i64>,
    /// When the disk was seen to be full.
    full: Option<Instant>,
    /// When the reserve could not be made whole.
    no_reserve: Option<Instant>,
    /// The database has to be opened again, and what is known be read from it; when that is tried, if nobody writes before.
    broken: Option<Instant>,
    /// It has panicked, and went on.
    panicked: bool,
    /// There is something that was compacted and is not thrown away yet.
    sweeps: bool,
    /// Whether that is put off.
    sweeping: Sweeping,
    /// So many revisions were thrown away since the file was made smaller.
    freed: u64,
    /// When something was asked for.
    busy: Instant,
}

/// What was done, and has to be answered and told.
struct Written {
    results: Vec<Result<Done, Refused>>,
    changed: Changed,
    client: Option<i64>,
    sweeps: bool,
}

/// The transaction has failed.
struct Failed {
    error: redb::Error,
    /// What was being done then, of all that was to be done: in nothing that was before it.
    at: Option<usize>,
    /// All of it was done, and what was compacted was being thrown away.
    in_sweep: bool,
    /// It may have been written: this says what, and under which stamp.
    written: Option<Box<(u64, Written)>>,
}

impl Committer {
    pub(crate) fn new(shared: Arc<Shared>, messages: Receiver<Message>) -> Self {
        // who opens a store with compacted revisions goes on with them
        Committer {
            shared,
            messages,
            client: None,
            full: None,
            no_reserve: None,
            broken: None,
            panicked: false,
            sweeps: true,
            sweeping: Sweeping::default(),
            freed: 0,
            busy: Instant::now(),
        }
    }

    /// Ends what earlier clients have left. Before anything else.
    pub(crate) fn resume(&mut self) -> Result<(), redb::Error> {
        self.keep_reserve();
        match self.end_clients() {
            // to delete is what the reserve is for
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
        self.shared.deadlines().begin_anew(Instant::now(), living);
        self.shared.set_revision(&changed);
        self.shared.publish(changed.revisions);
        Ok(())
    }

    /// Works until it is closed. Returns whether it has panicked.
    pub(crate) fn run(mut self) -> bool {
        let mut closes = false;
        while !closes {
            let mut jobs = Vec::new();
            let mut message = self.messages.recv_timeout(self.pause());
            loop {
                match message {
                    Ok(Message::Job(job)) => jobs.push(job),
                    Ok(Message::Broken) => self.breaks(),
                    Err(RecvTimeoutError::Timeout) => break,
                    Ok(Message::Close) | Err(RecvTimeoutError::Disconnected) => {
                        closes = true;
                        break;
                    }
                }
                // what is taken is done
                if jobs.len() >= BATCH {
                    break;
                }
                message = self.messages.try_recv().map_err(|_| RecvTimeoutError::Timeout);
            }
            self.guarded(|committer| {
                jobs.retain(|job| !job.is_given_up());
                // who keeps a lease alive does so for ever
                if jobs.iter().any(|job| !matches!(job.work, Work::KeepAlive(_))) {
                    committer.busy = Instant::now();
                }
                let over = committer.shared.deadlines().over(Instant::now(), BATCH);
                jobs.splice(0..0, over.into_iter().map(|lease| Job::own(Work::Revoke(LeaseId(lease)))));
                committer.turn(jobs);
            });
            self.guarded(Self::between);
        }
        self.guarded(|committer| committer.turn(vec![Job::own(Work::EndClient)]));
        self.panicked
    }

    /// A panic ends nothing: it is told, and what is known is read from the database again.
    fn guarded(&mut self, work: impl FnOnce(&mut Self)) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(self))) {
            let why = self.has_panicked(&*panic);
            self.breaks();
            self.shared.report(Health::Failed(why));
        }
    }

    fn has_panicked(&mut self, panic: &(dyn Any + Send)) -> String {
        self.panicked = true;
        panic_said(panic)
    }

    fn pause(&self) -> Duration {
        let now = Instant::now();
        let next = self.shared.deadlines().next().map(|next| next.saturating_duration_since(now));
        let next = next.unwrap_or(Duration::from_secs(3600));
        match self.broken {
            Some(again) => next.min(again.saturating_duration_since(now)),
            None if self.sweeps => next.min(self.sweeping.wait(now)),
            None if self.freed >= WORTH => next.min(IDLE.saturating_sub(self.busy.elapsed())),
            None => next,
        }
    }

    /// What is to be done when nothing is asked for.
    fn between(&mut self) {
        if self.broken.is_some_and(|again| again <= Instant::now())
            && let Err(error) = self.mend()
        {
            return self.fail(Vec::new(), &error, Applied::No);
        }
        if !self.sweeps && self.freed >= WORTH && self.busy.elapsed() >= IDLE {
            self.freed = 0;
            if self.shared.disk.medium().len().is_some_and(|len| len <= MOST_SHRUNK) {
                // a file that stays as large is no loss; what is broken shows at the next write
                let _ = self.shared.disk.shrink();
            }
        }
    }

    /// Does all of it together.
    fn turn(&mut self, jobs: Vec<Job>) {
        let jobs = self.refuse_while_full(jobs);
        let sweeps = self.sweeps && self.sweeping.wait(Instant::now()).is_zero();
        if jobs.is_empty() && (!sweeps || self.broken.is_some()) {
            return;
        }
        if let Err(error) = self.mend() {
            return self.fail(jobs, &error, Applied::No);
        }
        match self.attempt(&jobs) {
            Ok(written) => self.answer(jobs, written),
            Err(failed) => self.recover(jobs, failed),
        }
    }

    fn attempt(&mut self, jobs: &[Job]) -> Result<Written, Failed> {
        let keep = self.shared.keep_revisions;
        let sweeps = self.sweeping.wait(Instant::now()).is_zero();
        let (mut sent, mut at, mut in_sweep, mut panicked) = (None, None, false, false);
        let attempted = self.shared.disk.with(|database| {
            let write = database.begin_write()?;
            let (stamp, written) = {
                let mut writer = Writer::open(&write, self.client)?;
                let mut results = Vec::with_capacity(jobs.len());
                for (number, job) in jobs.iter().enumerate() {
                    at = Some(number);
                    results.push(caught(&mut panicked, || writer.run(&job.work))?);
                }
                at = None;
                if sweeps {
                    in_sweep = true;
                    caught(&mut panicked, || writer.sweep(keep))?;
                    in_sweep = false;
                }
                let stamp = if writer.changed.any { Some(writer.stamp()?) } else { None };
                let (client, sweeps) = (writer.client(), writer.has_more_to_sweep());
                (stamp, Written { results, changed: writer.changed, client, sweeps })
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

    /// What was done is told: to who waits for it, and then to who watches.
    fn answer(&mut self, jobs: Vec<Job>, written: Written) {
        let Written { results, changed, client, sweeps } = written;
        (self.client, self.sweeps) = (client, sweeps);
        if changed.grown {
            self.full = None;
        }
        if changed.swept > 0 {
            self.sweeps_again();
        }
        if self.full.is_none() && changed.any {
            self.shared.report(self.not_full());
        }
        self.freed += changed.swept;
        self.shared.set_client(client);
        self.tell_leases(&changed.leases);
        self.shared.set_revision(&changed);
        for (job, result) in jobs.into_iter().zip(results) {
            job.answer(result);
        }
        self.shared.publish(changed.revisions);
    }

    fn tell_leases(&self, changes: &[LeaseChange]) {
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

fn panic_said(panic: &(dyn Any + Send)) -> String {
    format!("the thread that writes has panicked: {}", text_of(panic))
}

/// Does a part of a transaction. redb panics over some of what is damaged, as it fails over the rest of it. That is caught where the transaction is still there, and ends as others do: after one that ends by a panic, redb
/// reads all that there is when it is opened next, and opens nothing where some of that is damaged. Elsewhere nobody knows what was written.
fn caught<T>(panicked: &mut bool, part: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, redb::Error> {
    catch_unwind(AssertUnwindSafe(part)).unwrap_or_else(|panic| {
        *panicked = true;
        Err(redb::Error::Corrupted(panic_said(&*panic)))
    })
}

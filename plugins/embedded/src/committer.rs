//! [`Committer`]: the one thread that writes. It does all that waits together, in one transaction of redb.

use crate::{
    Health,
    disk::is_full,
    shared::Shared,
    tables::{META, meta},
    work::{Done, Job, LeaseChange, Refused, Work},
    write::{Changed, Writer},
};
use cninfra::keyval::LeaseId;
use std::{
    io,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

/// So much is done in one transaction at most: more makes those wait that came first.
const BATCH: usize = 256;
/// While the disk is full, whether there is room is looked at as often.
const PROBE: Duration = Duration::from_millis(250);
/// What could not be ended is tried again then.
const AGAIN: Duration = Duration::from_secs(1);
/// Who has nothing to do for so long has the time to make the file smaller.
const IDLE: Duration = Duration::from_secs(5);
/// It is worth it when so many revisions were thrown away.
const WORTH: u64 = 5000;
/// A larger file would keep others waiting for too long.
const MOST_SHRUNK: u64 = 512 << 20;

pub(crate) enum Message {
    Job(Job),
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
    /// There is something that was compacted and is not thrown away yet.
    sweeps: bool,
    /// So many revisions were thrown away since the file was made smaller.
    freed: u64,
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
    /// It may have been written: this says what, and under which stamp.
    written: Option<Box<(u64, Written)>>,
}

impl Committer {
    pub(crate) fn new(shared: Arc<Shared>, messages: Receiver<Message>) -> Self {
        // who opens a store with compacted revisions goes on with them
        Committer { shared, messages, client: None, full: None, no_reserve: None, sweeps: true, freed: 0 }
    }

    /// Ends what earlier clients have left. Before anything else.
    pub(crate) fn resume(&mut self) -> Result<(), redb::Error> {
        self.keep_reserve();
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
        let now = Instant::now();
        let mut deadlines = self.shared.deadlines();
        for (lease, life) in living {
            deadlines.set(lease, now, life);
        }
        drop(deadlines);
        self.shared.set_revision(&changed);
        self.shared.publish(changed.revisions);
        Ok(())
    }

    /// Works until it is closed.
    pub(crate) fn run(mut self) {
        loop {
            let mut closes = false;
            let mut jobs = Vec::new();
            match self.messages.recv_timeout(self.pause()) {
                Ok(Message::Job(job)) => jobs.push(job),
                Ok(Message::Close) | Err(RecvTimeoutError::Disconnected) => closes = true,
                Err(RecvTimeoutError::Timeout) => self.idle(),
            }
            while !closes && jobs.len() < BATCH {
                match self.messages.try_recv() {
                    Ok(Message::Job(job)) => jobs.push(job),
                    Ok(Message::Close) => closes = true,
                    Err(_) => break,
                }
            }
            jobs.retain(|job| !job.is_given_up());
            let over = self.shared.deadlines().over(Instant::now(), BATCH);
            jobs.splice(0..0, over.into_iter().map(|lease| Job::own(Work::Revoke(LeaseId(lease)))));
            self.turn(jobs);
            if closes {
                break;
            }
        }
        self.turn(vec![Job::own(Work::EndClient)]);
    }

    fn pause(&self) -> Duration {
        if self.sweeps {
            return Duration::ZERO;
        }
        let next = self.shared.deadlines().next();
        let next = next.map_or(Duration::from_secs(3600), |next| next.saturating_duration_since(Instant::now()));
        if self.freed >= WORTH { next.min(IDLE) } else { next }
    }

    fn idle(&mut self) {
        if !self.sweeps && self.freed >= WORTH {
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
        if jobs.is_empty() && !self.sweeps {
            return;
        }
        match self.attempt(&jobs) {
            Ok(written) => self.answer(jobs, written),
            Err(failed) => self.recover(jobs, failed),
        }
    }

    fn attempt(&mut self, jobs: &[Job]) -> Result<Written, Failed> {
        let keep = self.shared.keep_revisions;
        let mut sent = None;
        let attempted = self.shared.disk.with(|database| {
            let write = database.begin_write()?;
            let (stamp, written) = {
                let mut writer = Writer::open(&write, self.client)?;
                let mut results = Vec::with_capacity(jobs.len());
                for job in jobs {
                    results.push(writer.run(&job.work)?);
                }
                writer.sweep(keep)?;
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
        attempted.map_err(|error| Failed { error, written: sent.map(Box::new) })
    }

    /// What was done is told: to who waits for it, and then to who watches.
    fn answer(&mut self, jobs: Vec<Job>, written: Written) {
        let Written { results, changed, client, sweeps } = written;
        (self.client, self.sweeps) = (client, sweeps);
        if jobs.iter().any(|job| job.work.needs_room()) {
            self.full = None;
        }
        if self.full.is_none() && changed.any {
            self.shared.report(Health::Well);
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

    /// redb writes no more after an error, so the database is opened once more; which tells, too, what has become of the transaction.
    fn recover(&mut self, jobs: Vec<Job>, Failed { error, written }: Failed) {
        self.sweeps = false;
        if self.shared.disk.reopen().is_err() {
            return self.fail(jobs, &error, written.is_none());
        }
        let (jobs, not_applied) = match self.was_written(jobs, written) {
            Some(failed) => failed,
            None => return,
        };
        if not_applied && matches!(error, redb::Error::DatabaseClosed | redb::Error::PreviousIo) {
            // that was the error of somebody before
            return match self.attempt(&jobs) {
                Ok(written) => self.answer(jobs, written),
                Err(failed) => self.fail(jobs, &failed.error, failed.written.is_none()),
            };
        }
        if !is_full(&error) || !not_applied {
            return self.fail(jobs, &error, not_applied);
        }
        self.full = Some(Instant::now());
        let (refused, jobs): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.work.needs_room());
        self.fail(refused, &error, true);
        if jobs.is_empty() {
            return;
        }
        self.shared.disk.medium().give_up_reserve();
        match self.attempt(&jobs) {
            Ok(written) => self.answer(jobs, written),
            Err(failed) => {
                if self.shared.disk.reopen().is_err() {
                    self.fail(jobs, &failed.error, failed.written.is_none());
                } else if let Some((jobs, not_applied)) = self.was_written(jobs, failed.written) {
                    self.fail(jobs, &failed.error, not_applied);
                }
            }
        }
        self.keep_reserve();
    }

    /// Makes the reserve as large as there is room for. If it is not whole, that is tried again later.
    fn keep_reserve(&mut self) {
        self.no_reserve = self.shared.disk.medium().keep_reserve().is_err().then(Instant::now);
    }

    /// Answers what was written, after all. Else it gives the work back, and whether that was surely not done.
    fn was_written(&mut self, jobs: Vec<Job>, written: Option<Box<(u64, Written)>>) -> Option<(Vec<Job>, bool)> {
        let Some(written) = written else { return Some((jobs, true)) };
        let (stamp, written) = *written;
        match self.stamp() {
            Some(last) if last == stamp => {
                self.answer(jobs, written);
                None
            }
            Some(_) => Some((jobs, true)),
            None => Some((jobs, false)),
        }
    }

    /// The stamp of the last transaction that was written.
    fn stamp(&self) -> Option<u64> {
        let read = self.shared.disk.read(|txn| Ok(txn.open_table(META)?.get(meta::STAMP)?.map(|stamp| stamp.value())));
        read.ok().flatten()
    }

    fn fail(&mut self, jobs: Vec<Job>, error: &redb::Error, not_applied: bool) {
        let again = Instant::now();
        self.shared.report(match is_full(error) {
            true => Health::Full,
            false => Health::Failed(error.to_string()),
        });
        for job in jobs {
            if let (Work::Revoke(lease), None) = (&job.work, &job.answer) {
                self.shared.deadlines().set(lease.0, again, AGAIN);
            }
            let told = self.shared.disk.error(job.work.name(), error);
            job.answer(Err(if not_applied { told.not_applied() } else { told }));
        }
    }

    /// While the disk is full, what needs room is refused at once: each try would open the database anew.
    fn refuse_while_full(&mut self, jobs: Vec<Job>) -> Vec<Job> {
        if self.no_reserve.is_some_and(|since| since.elapsed() >= PROBE) {
            self.keep_reserve();
        }
        match self.full {
            None => return jobs,
            // one may try
            Some(since) if since.elapsed() >= PROBE => return jobs,
            Some(_) => {}
        }
        let (refused, jobs): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.work.needs_room());
        self.fail(refused, &redb::Error::Io(io::ErrorKind::StorageFull.into()), true);
        jobs
    }
}

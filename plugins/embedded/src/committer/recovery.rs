//! What the committer does when writing has failed.

use super::{AGAIN, Committer, Failed, PROBE};
use crate::{
    Health,
    disk::{is_full, is_of_the_disk},
    read::RevisionBounds,
    tables::{LEASES, META, meta},
    work::{Job, Work},
    write::LeasesFound,
};
use cninfra::keyval::Applied;
use std::{io, sync::atomic::Ordering, time::Instant};

/// With more disk errors than this in one batch, all remaining jobs fail.
const ENOUGH: usize = 8;

/// Jobs that were certainly not done, with the error, and where it occurred.
pub(super) struct Undone {
    jobs: Vec<Job>,
    error: redb::Error,
    at: Option<usize>,
    in_sweep: bool,
}

impl Committer {
    /// Handles a failed transaction. After an error of the disk redb does not write any more, so the database is opened
    /// again.
    pub(super) fn recover(&mut self, jobs: Vec<Job>, failed: Failed) {
        let needs_sweep = std::mem::take(&mut self.needs_sweep);
        let undone = self.find_outcome(jobs, failed).and_then(|undone| self.retry_without_sweep(undone));
        let Some(undone) = undone else { return };
        if matches!(undone.error, redb::Error::DatabaseClosed | redb::Error::PreviousIo) {
            // That is the consequence of an earlier error, not of these jobs.
            return self.retry_or_fail(undone.jobs);
        }
        if !is_full(&undone.error) {
            return self.run_without_failed(undone);
        }
        let Undone { jobs, error, .. } = undone;
        self.full_since = Some(Instant::now());
        let (refused, jobs): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.work.needs_room());
        self.fail(refused, &error, Applied::No);
        if jobs.is_empty() && !needs_sweep {
            return;
        }
        self.shared.disk.medium().give_up_reserve();
        self.retry_or_fail(jobs);
        self.keep_reserve();
    }

    /// Does the other jobs without the one that has failed: the error may concern only that one (it needs a damaged
    /// record). If it is the disk, that shows soon.
    fn run_without_failed(&mut self, mut undone: Undone) {
        let mut of_disk = 0;
        loop {
            let Undone { mut jobs, error, at, .. } = undone;
            of_disk += usize::from(is_of_the_disk(&error));
            let Some(at) = at.filter(|at| *at < jobs.len() && of_disk <= ENOUGH && self.reopen_at.is_none()) else {
                return self.fail(jobs, &error, Applied::No);
            };
            let failed = jobs.remove(at);
            self.fail(vec![failed], &error, Applied::No);
            if jobs.is_empty() {
                return;
            }
            match self.retry(jobs) {
                None => return,
                Some(again) => undone = again,
            }
        }
    }

    fn retry_or_fail(&mut self, jobs: Vec<Job>) {
        if let Some(Undone { jobs, error, .. }) = self.retry(jobs) {
            self.fail(jobs, &error, Applied::No);
        }
    }

    /// Returns the jobs and the error if they were certainly not done. Otherwise they have been answered.
    fn retry(&mut self, jobs: Vec<Job>) -> Option<Undone> {
        match self.attempt(&jobs) {
            Ok(written) => {
                self.answer(jobs, written);
                None
            }
            Err(failed) => {
                let undone = self.find_outcome(jobs, failed)?;
                self.retry_without_sweep(undone)
            }
        }
    }

    /// If the error occurred while old revisions were being discarded, the jobs are done without that. Other errors are
    /// returned unchanged.
    fn retry_without_sweep(&mut self, undone: Undone) -> Option<Undone> {
        let is_of_others =
            is_full(&undone.error) || matches!(undone.error, redb::Error::DatabaseClosed | redb::Error::PreviousIo);
        if !undone.in_sweep || is_of_others {
            return Some(undone);
        }
        self.postpone_sweep(&undone.error);
        if undone.jobs.is_empty() {
            self.shared.report(if self.full_since.is_some() { Health::Full } else { self.health_with_room() });
            return None;
        }
        // The error cannot come from the sweep again, since it is postponed.
        self.retry(undone.jobs)
    }

    /// Opens the database again, if needed, and finds out what became of the transaction. Returns the jobs and the
    /// error if it was certainly not written. Otherwise the jobs have been answered.
    fn find_outcome(&mut self, jobs: Vec<Job>, Failed { error, at, in_sweep, written }: Failed) -> Option<Undone> {
        // Damaged data ended only that transaction, and redb goes on. Opening the file again might run into them.
        if matches!(error, redb::Error::Corrupted(_)) && (at.is_some() || in_sweep) {
            return Some(Undone { jobs, error, at, in_sweep });
        }
        let reopened = self.shared.disk.reopen();
        let last = match written {
            Some(_) => reopened.and_then(|()| self.stamp()),
            None => reopened.map(|()| None),
        };
        match (last, written) {
            (Ok(last), Some(written)) if last == Some(written.0) => {
                self.answer(jobs, written.1);
                None
            }
            (Ok(_), _) => Some(Undone { jobs, error, at, in_sweep }),
            (Err(_), written) => {
                self.mark_broken();
                self.fail(jobs, &error, if written.is_some() { Applied::Unknown } else { Applied::No });
                None
            }
        }
    }

    /// The stamp of the last transaction that was written.
    fn stamp(&self) -> Result<Option<u64>, redb::Error> {
        self.shared.disk.read(|txn| Ok(txn.open_table(META)?.get(meta::STAMP)?.map(|stamp| stamp.value())))
    }

    /// Requires that the database is opened again before anything else is done.
    pub(super) fn mark_broken(&mut self) {
        self.reopen_at.get_or_insert_with(|| Instant::now() + AGAIN);
    }

    /// Opens the database again, if needed, and reads the state from it: a transaction whose outcome was unknown may
    /// have been written.
    pub(super) fn reopen_if_broken(&mut self) -> Result<(), redb::Error> {
        if self.reopen_at.is_none() {
            return Ok(());
        }
        // In case it fails now.
        self.reopen_at = Some(Instant::now() + AGAIN);
        self.shared.disk.reopen()?;
        let found = |txn: &_| Ok((RevisionBounds::read(txn)?, LeasesFound::read(&txn.open_table(LEASES)?)?));
        let (numbers, leases) = self.shared.disk.read(found)?;
        self.client = leases.of_clients.first().copied();
        self.shared.set_client(self.client);
        self.shared.deadlines().reset(Instant::now(), leases.living);
        self.shared.adopt_revision(numbers.revision);
        (self.reopen_at, self.needs_sweep) = (None, true);
        self.shared.broken.store(false, Ordering::Release);
        self.shared.report(if self.full_since.is_some() { Health::Full } else { self.health_with_room() });
        Ok(())
    }

    /// Makes the reserve as large as the disk allows. If it does not have its full size, that is tried again later.
    pub(super) fn keep_reserve(&mut self) {
        self.no_reserve = self.shared.disk.medium().keep_reserve().is_err().then(Instant::now);
    }

    pub(super) fn fail(&mut self, jobs: Vec<Job>, error: &redb::Error, applied: Applied) {
        let again = Instant::now();
        self.shared.report(match is_full(error) {
            true => Health::Full,
            false => Health::Failed(error.to_string()),
        });
        for job in jobs {
            if let (Work::Revoke(lease), None) = (&job.work, &job.answer) {
                self.shared.deadlines().set(lease.0, again, AGAIN);
            }
            let described = self.shared.disk.error(&job.work.asked(), error, applied);
            job.answer(Err(described));
        }
    }

    /// While the disk is full, refuses work that needs room at once: each attempt would open the database again.
    pub(super) fn refuse_while_full(&mut self, jobs: Vec<Job>) -> Vec<Job> {
        if self.no_reserve.is_some_and(|since| since.elapsed() >= PROBE) {
            self.keep_reserve();
        }
        match self.full_since {
            None => return jobs,
            // Lets one attempt through, to see whether there is room.
            Some(since) if since.elapsed() >= PROBE => return jobs,
            Some(_) => {}
        }
        let (refused, jobs): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.work.needs_room());
        self.fail(refused, &redb::Error::Io(io::ErrorKind::StorageFull.into()), Applied::No);
        jobs
    }
}

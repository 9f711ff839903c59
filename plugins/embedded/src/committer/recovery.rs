//! What the committer does when writing has failed.

use super::{AGAIN, Committer, Failed, PROBE};
use crate::{
    Health,
    disk::{is_full, is_of_the_disk},
    read::Numbers,
    tables::{LEASES, META, meta},
    work::{Job, Work},
    write::LeasesFound,
};
use cninfra::keyval::Applied;
use std::{io, sync::atomic::Ordering, time::Instant};

/// So often in a row the disk may fail, before all that is left is taken to fail by it.
const ENOUGH: usize = 8;

/// What surely was not done, and why: at what of it that has failed.
pub(super) struct Undone {
    jobs: Vec<Job>,
    error: redb::Error,
    at: Option<usize>,
    in_sweep: bool,
}

impl Committer {
    /// redb writes no more after an error of the disk, so the database is opened once more.
    pub(super) fn recover(&mut self, jobs: Vec<Job>, failed: Failed) {
        let sweeps = std::mem::take(&mut self.sweeps);
        let undone = self.settle(jobs, failed).and_then(|undone| self.without_sweep(undone));
        let Some(undone) = undone else { return };
        if matches!(undone.error, redb::Error::DatabaseClosed | redb::Error::PreviousIo) {
            // that was the error of somebody before
            return self.once_more(undone.jobs);
        }
        if !is_full(&undone.error) {
            return self.without_it(undone);
        }
        let Undone { jobs, error, .. } = undone;
        self.full = Some(Instant::now());
        let (refused, jobs): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.work.needs_room());
        self.fail(refused, &error, Applied::No);
        if jobs.is_empty() && !sweeps {
            return;
        }
        self.shared.disk.medium().give_up_reserve();
        self.once_more(jobs);
        self.keep_reserve();
    }

    /// The others without what has failed: the error may be of that alone (a record that is damaged, which only that one needs). Where it is the disk, that shows soon.
    fn without_it(&mut self, mut undone: Undone) {
        let mut of_disk = 0;
        loop {
            let Undone { mut jobs, error, at, .. } = undone;
            of_disk += usize::from(is_of_the_disk(&error));
            let Some(at) = at.filter(|at| *at < jobs.len() && of_disk <= ENOUGH && self.broken.is_none()) else {
                return self.fail(jobs, &error, Applied::No);
            };
            let failed = jobs.remove(at);
            self.fail(vec![failed], &error, Applied::No);
            if jobs.is_empty() {
                return;
            }
            match self.try_again(jobs) {
                None => return,
                Some(again) => undone = again,
            }
        }
    }

    fn once_more(&mut self, jobs: Vec<Job>) {
        if let Some(Undone { jobs, error, .. }) = self.try_again(jobs) {
            self.fail(jobs, &error, Applied::No);
        }
    }

    /// Returns the work and the error if that was surely not done; else it has answered.
    fn try_again(&mut self, jobs: Vec<Job>) -> Option<Undone> {
        match self.attempt(&jobs) {
            Ok(written) => {
                self.answer(jobs, written);
                None
            }
            Err(failed) => {
                let undone = self.settle(jobs, failed)?;
                self.without_sweep(undone)
            }
        }
    }

    /// Where old data are damaged that were to be thrown away, the rest is done without that. Returns what has failed otherwise, as it is.
    fn without_sweep(&mut self, undone: Undone) -> Option<Undone> {
        let is_of_others =
            is_full(&undone.error) || matches!(undone.error, redb::Error::DatabaseClosed | redb::Error::PreviousIo);
        if !undone.in_sweep || is_of_others {
            return Some(undone);
        }
        self.put_off_sweep(&undone.error);
        if undone.jobs.is_empty() {
            self.shared.report(if self.full.is_some() { Health::Full } else { self.not_full() });
            return None;
        }
        // it can not be of the sweep once more
        self.try_again(undone.jobs)
    }

    /// Opens the database once more, if it has to be, and sees what has become of the transaction. Returns the work and the error if that was surely not written; else it has answered.
    fn settle(&mut self, jobs: Vec<Job>, Failed { error, at, in_sweep, written }: Failed) -> Option<Undone> {
        // where data are damaged that transaction alone has ended, and redb goes on; while it is opened it might meet them
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
                self.breaks();
                self.fail(jobs, &error, if written.is_some() { Applied::Unknown } else { Applied::No });
                None
            }
        }
    }

    /// The stamp of the last transaction that was written.
    fn stamp(&self) -> Result<Option<u64>, redb::Error> {
        self.shared.disk.read(|txn| Ok(txn.open_table(META)?.get(meta::STAMP)?.map(|stamp| stamp.value())))
    }

    /// Nothing is done before the database was opened again.
    pub(super) fn breaks(&mut self) {
        self.broken.get_or_insert_with(|| Instant::now() + AGAIN);
    }

    /// Opens the database again, if it has to be, and takes in what it has: a transaction of which nobody knew may have been written, after all.
    pub(super) fn mend(&mut self) -> Result<(), redb::Error> {
        if self.broken.is_none() {
            return Ok(());
        }
        // if it fails now
        self.broken = Some(Instant::now() + AGAIN);
        self.shared.disk.reopen()?;
        let found = |txn: &_| Ok((Numbers::read(txn)?, LeasesFound::read(&txn.open_table(LEASES)?)?));
        let (numbers, leases) = self.shared.disk.read(found)?;
        self.client = leases.of_clients.first().copied();
        self.shared.set_client(self.client);
        self.shared.deadlines().begin_anew(Instant::now(), leases.living);
        self.shared.take_in(numbers.revision);
        (self.broken, self.sweeps) = (None, true);
        self.shared.broken.store(false, Ordering::Release);
        self.shared.report(if self.full.is_some() { Health::Full } else { self.not_full() });
        Ok(())
    }

    /// Makes the reserve as large as there is room for. If it is not whole, that is tried again later.
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
            let told = self.shared.disk.error(&job.work.asked(), error, applied);
            job.answer(Err(told));
        }
    }

    /// While the disk is full, what needs room is refused at once: each try would open the database anew.
    pub(super) fn refuse_while_full(&mut self, jobs: Vec<Job>) -> Vec<Job> {
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
        self.fail(refused, &redb::Error::Io(io::ErrorKind::StorageFull.into()), Applied::No);
        jobs
    }
}

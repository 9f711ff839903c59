//! [`Machine`]: a disk in memory with limited capacity, whose power can be cut.

use crate::medium::Medium;
use fastrand::Rng;
use redb::{Builder, Database, StorageBackend};
use std::{
    collections::BTreeSet,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

const BLOCK: u64 = 4096;
/// The smallest unit that redb reads.
const PAGE: usize = 4096;
/// The unit in which a write survives a power cut, or is lost.
const SECTOR: usize = 512;
const RESERVE: u64 = 4 << 20;
pub(super) const SLOW: Duration = Duration::from_millis(300);

#[derive(Clone, Debug)]
pub(super) struct Machine(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// What reads see.
    bytes: Vec<u8>,
    /// The contents at the last sync.
    synced: Vec<u8>,
    /// What was done since then.
    pending: Vec<Pending>,
    /// Blocks that take space. Those that were never written do not.
    blocks: BTreeSet<u64>,
    capacity: u64,
    reserve: u64,
    syncs: u32,
    /// After this many further writes the power is cut.
    left: Option<u32>,
    dark: bool,
    /// The fault that the next matching call meets.
    next: Option<Fault>,
    /// The disk cannot be opened.
    away: bool,
    /// A page that was overwritten with nonsense, with its original contents.
    spoilt: Option<(usize, Vec<u8>)>,
}

/// A fault that occurs once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// The data is synced, but an error is returned, and after that the disk cannot be opened.
    SyncUntold,
    Sync,
    SyncPanics,
    /// Each sync is slow, until another fault is set.
    SyncIsSlow,
    Read,
    ReadPanics,
}

#[derive(Debug)]
enum Pending {
    Write(u64, Vec<u8>),
    Len(u64),
}

impl Machine {
    pub(super) fn new(capacity: u64) -> Self {
        Machine(Arc::new(Mutex::new(State {
            bytes: Vec::new(),
            synced: Vec::new(),
            pending: Vec::new(),
            blocks: BTreeSet::new(),
            capacity,
            reserve: 0,
            syncs: 0,
            left: None,
            dark: false,
            next: None,
            away: false,
            spoilt: None,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Cuts the power after so many writes and syncs.
    pub(super) fn cut_after(&self, writes: u32) {
        self.state().left = Some(writes);
    }

    /// Loses a part of what was not synced. Then the power is back. Returns how many writes were lost or torn.
    pub(super) fn lose_power(&self, rng: &mut Rng) -> usize {
        let state = &mut *self.state();
        assert!(state.dark, "the power was never cut");
        let mut lost = 0;
        state.bytes = state.synced.clone();
        for pending in std::mem::take(&mut state.pending) {
            match pending {
                Pending::Len(len) if rng.bool() => state.bytes.resize(len as usize, 0),
                Pending::Write(at, data) => {
                    let is_torn = rng.u8(..3);
                    lost += usize::from(is_torn != 0);
                    for (number, sector) in data.chunks(SECTOR).enumerate() {
                        let is_there = is_torn == 0 || (is_torn == 1 && rng.bool());
                        let from = at as usize + number * SECTOR;
                        if is_there {
                            let end = state.bytes.len().max(from + sector.len());
                            state.bytes.resize(end, 0);
                            state.bytes[from..from + sector.len()].copy_from_slice(sector);
                        }
                    }
                }
                Pending::Len(_) => lost += 1,
            }
        }
        state.synced = state.bytes.clone();
        (state.dark, state.left) = (false, None);
        lost
    }

    pub(super) fn fail_next(&self, fault: Fault) {
        self.state().next = Some(fault);
    }

    /// Overwrites the head of the page in which a value of these bytes begins.
    pub(super) fn spoil(&self, byte: u8) {
        let state = &mut *self.state();
        let value = state.bytes.windows(512).position(|bytes| bytes.iter().all(|one| *one == byte));
        let page = value.expect("there is no such value") / PAGE * PAGE;
        state.spoilt = Some((page, state.bytes[page..page + 64].to_vec()));
        for bytes in [&mut state.bytes, &mut state.synced] {
            bytes[page..page + 64].fill(0xff);
        }
    }

    /// Restores the page that was overwritten.
    pub(super) fn restore(&self) {
        let state = &mut *self.state();
        let (page, was) = state.spoilt.take().expect("nothing was spoilt");
        for bytes in [&mut state.bytes, &mut state.synced] {
            bytes[page..page + 64].copy_from_slice(&was);
        }
    }

    /// Clears the fault.
    pub(super) fn heal(&self) {
        self.state().next = None;
    }

    /// How often the disk was synced.
    pub(super) fn syncs(&self) -> u32 {
        self.state().syncs
    }

    /// Lets the disk be opened again.
    pub(super) fn come_back(&self) {
        self.state().away = false;
    }

    pub(super) fn grow_to(&self, capacity: u64) {
        self.state().capacity = capacity;
    }

    /// Other programs take all the free space.
    pub(super) fn fill_up(&self) {
        let state = &mut *self.state();
        state.capacity -= state.room();
    }

    pub(super) fn has_reserve(&self) -> bool {
        self.state().reserve == RESERVE
    }
}

impl State {
    /// Counts a write, and fails it if the power is cut.
    fn step(&mut self) -> io::Result<()> {
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(1);
            self.dark |= *left == 0;
        }
        if self.dark { Err(io::Error::other("the power is cut")) } else { Ok(()) }
    }

    /// Whether this fault is due. If so, it is cleared.
    fn is(&mut self, fault: Fault) -> bool {
        let is = self.next == Some(fault);
        if is {
            self.next = None;
        }
        is
    }

    /// As with files, an interrupted creation begins again.
    fn forget_unfinished(&mut self) {
        if !self.bytes.starts_with(b"redb") {
            self.bytes.clear();
            self.synced.clear();
            self.pending.clear();
            self.blocks.clear();
        }
    }

    fn room(&self) -> u64 {
        self.capacity.saturating_sub(self.blocks.len() as u64 * BLOCK + self.reserve)
    }
}

impl StorageBackend for Machine {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = &mut *self.state();
        assert!(!state.is(Fault::ReadPanics), "the disk is damaged");
        if state.is(Fault::Read) {
            return Err(io::Error::other("the disk does not read"));
        }
        let offset = offset as usize;
        let found = state.bytes.get(offset..offset + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(found);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let state = &mut *self.state();
        state.step()?;
        state.bytes.resize(len as usize, 0);
        state.blocks.retain(|block| block * BLOCK < len);
        state.pending.push(Pending::Len(len));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let is_slow = self.state().next == Some(Fault::SyncIsSlow);
        if is_slow {
            std::thread::sleep(SLOW);
        }
        let state = &mut *self.state();
        state.syncs += 1;
        state.step()?;
        assert!(!state.is(Fault::SyncPanics), "the disk is damaged");
        if state.is(Fault::Sync) {
            return Err(io::Error::other("the disk does not write"));
        }
        if !state.pending.is_empty() {
            state.pending.clear();
            state.synced.clone_from(&state.bytes);
        }
        if state.is(Fault::SyncUntold) {
            state.away = true;
            return Err(io::Error::other("the disk is away"));
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let state = &mut *self.state();
        state.step()?;
        let end = offset as usize + data.len();
        let blocks = offset / BLOCK..(end as u64).div_ceil(BLOCK);
        let new = blocks.clone().filter(|block| !state.blocks.contains(block)).count() as u64;
        if new * BLOCK > state.room() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.blocks.extend(blocks);
        if state.bytes.len() < end {
            state.bytes.resize(end, 0);
        }
        state.bytes[offset as usize..end].copy_from_slice(data);
        state.pending.push(Pending::Write(offset, data.to_vec()));
        Ok(())
    }
}

impl Medium for Machine {
    fn open(&self, builder: &Builder) -> Result<Database, redb::Error> {
        if self.state().dark {
            return Err(io::Error::other("the power is cut").into());
        }
        if self.state().away {
            return Err(io::Error::other("the disk is away").into());
        }
        self.state().forget_unfinished();
        Ok(builder.create_with_backend(self.clone())?)
    }

    fn keep_reserve(&self) -> io::Result<()> {
        let state = &mut *self.state();
        let wanted = ((state.reserve + state.room()) / 2).min(RESERVE);
        state.reserve = state.reserve.max(wanted);
        if state.reserve == RESERVE { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
    }

    fn give_up_reserve(&self) {
        self.state().reserve = 0;
    }

    fn name(&self) -> String {
        "machine".to_string()
    }

    fn len(&self) -> Option<u64> {
        Some(self.state().bytes.len() as u64)
    }
}

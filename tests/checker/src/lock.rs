//! The lock as the checker keeps it: what is on its flash, and which sessions are open. For each step the
//! shipping lock is loaded from that, as after a boot, and given its challenges again.

use std::collections::BTreeMap;

use sharekey::counter::Epoch;
use sharekey::id::{LockId, SlotId};
use sharekey::lock::{
    self, Accepted, Battery, Cell, Challenged, Clock, Found, Lock, Now, Record, Session,
    purpose::{self, Purpose},
};
use sharekey_model::symbolic::Symbolic;
use sharekey_stage::firmware::{self, Finish, Outcome, Output};
use sharekey_stage::store::{PowerCut, Store, stored};

use super::cast::{CARD, entropy};
use super::net::Msg;

pub const SLOTS: usize = 2;
pub type TestLock = Lock<Symbolic, SLOTS>;

pub const INSTALL: usize = 0;
pub const OPERATE: usize = 1;

/// An open session: its number in this run of the lock, and the challenge that it goes with.
pub type Open = Option<(u8, Msg)>;

/// What lasts of a lock, what it knows of this run, and, beside it, which receipt goes with each key.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Flash {
    pub cells: BTreeMap<u16, Vec<u8>>,
    /// What the cell of the counter held at boot.
    pub counter_at_boot: Vec<u8>,
    /// How often it booted after it had given a challenge.
    pub reboots: u8,
    /// How many challenges it gave in this run.
    pub given: u8,
    pub open: [Open; 2],
    pub receipts: [Option<Msg>; SLOTS],
}

/// The lock of one run, and the sessions that are open.
#[derive(Debug)]
pub struct Running {
    pub lock: TestLock,
    pub install: Option<Session<purpose::Install>>,
    pub operate: Option<Session<purpose::Operate>>,
}

/// The time at which everything happens.
pub const NOW: Now = Now { ticks: 0, clock: Clock::Absent, battery: Battery::UNKNOWN };

pub fn at(ticks: u64) -> Now {
    Now { ticks, ..NOW }
}

/// What a commit wrote.
pub type Written = Option<(Cell, Vec<u8>)>;

/// Commits, and gives what was written too.
pub fn commit<T: lock::FromPlan>(staged: Accepted<'_, T>) -> (T, Written) {
    let mut written = None;
    let Ok(result) = staged.commit(|record| {
        written = Some((record.cell(), record.as_bytes().to_vec()));
        stored(record)
    });
    (result, written)
}

/// The same of whatever the lock staged.
pub struct Commit;

impl Finish for Commit {
    type Out = (Output, Written);

    fn finish<T: Outcome>(&mut self, staged: Accepted<'_, T>) -> Self::Out {
        let (result, written) = commit(staged);
        (result.output(), written)
    }
}

/// The nonce of a challenge.
pub fn nonce(challenge: &[u8]) -> [u8; 16] {
    *sharekey_stage::nonce_of(challenge).as_bytes()
}

/// As the running lock has it: of the counter, what stood there at boot. Not the stage's store: this one is part of a
/// state, and states that are alike have to be one.
impl lock::Store for &Flash {
    type Error = PowerCut;

    /// What is written is another state: [`Flash::wrote`].
    fn put(&mut self, _record: &Record) -> Result<(), PowerCut> {
        Err(PowerCut)
    }

    fn read<T>(&mut self, cell: Cell, look: impl FnOnce(Found<'_>) -> T) -> T {
        look(Found::Bytes(if cell == Cell::Counter { &self.counter_at_boot } else { &self.cells[&cell.key()] }))
    }
}

impl Flash {
    /// A lock fresh from the factory.
    pub fn make() -> Self {
        let mut store = Store::default();
        let _: TestLock = firmware::boot(Symbolic, CARD, &mut store, &mut entropy(&[b"factory"]));
        let cells = store.into_records();
        let counter_at_boot = cells[&Cell::Counter.key()].clone();
        Self { cells, counter_at_boot, reboots: 0, given: 0, open: [None; 2], receipts: [None; SLOTS] }
    }

    /// The lock loaded from its flash; of the counter, what stood there at boot.
    fn load(&self) -> TestLock {
        firmware::load(Symbolic, CARD, self, |_| true).unwrap()
    }

    /// The lock as it runs now: loaded, and its challenges given again. One whose session is not open any
    /// more is given for a purpose in which it supersedes nothing open, and spent on a malformed message.
    pub fn run(&self) -> Running {
        let mut running = Running { lock: self.load(), install: None, operate: None };
        for number in 0..self.given {
            let is_open = |purpose: usize| self.open[purpose].is_some_and(|(open, _)| open == number);
            let operate_is_older = self.open[OPERATE].is_some_and(|(open, _)| open < number);
            if is_open(INSTALL) || (operate_is_older && !is_open(OPERATE)) {
                let session = again::<purpose::Install>(&mut running.lock);
                if is_open(INSTALL) {
                    running.install = Some(session);
                } else {
                    running.lock.install(session, b"", NOW, &mut entropy(&[])).unwrap_err();
                }
            } else {
                let session = again::<purpose::Operate>(&mut running.lock);
                if is_open(OPERATE) {
                    running.operate = Some(session);
                } else {
                    running.lock.unlock(session, b"", NOW).unwrap_err();
                }
            }
        }
        running
    }

    pub fn id(&self) -> LockId {
        self.load().id()
    }

    pub fn epoch(&self) -> Epoch {
        self.load().ownership().unwrap().epoch
    }

    /// After a power cut; nothing if it makes no difference.
    pub fn reboot(&self) -> Self {
        let mut next = self.clone();
        next.counter_at_boot = next.cells[&Cell::Counter.key()].clone();
        next.reboots += u8::from(next.given > 0);
        next.given = 0;
        next.open = [None; 2];
        next
    }

    /// With what was written.
    pub fn wrote(&self, written: &Written) -> Self {
        let mut next = self.clone();
        if let Some((cell, bytes)) = written {
            next.cells.insert(cell.key(), bytes.clone());
        }
        next
    }

    /// Whether the running lock says of every slot, and of whose it is, what it would after a boot.
    pub fn agrees_with(&self, running: &TestLock) -> bool {
        let loaded = self.load();
        let slots = (0..u8::try_from(SLOTS).unwrap()).map(SlotId::new);
        loaded.ownership() == running.ownership()
            && slots.into_iter().all(|slot| loaded.report(slot) == running.report(slot))
    }
}

/// A challenge that was given before. Its record was written then.
pub fn again<P: Purpose>(lock: &mut TestLock) -> Session<P> {
    give::<P>(lock, NOW).0.session
}

pub fn give<P: Purpose>(lock: &mut TestLock, now: Now) -> (Challenged<P>, Written) {
    commit(lock.challenge::<P>(now, &mut entropy(&[b"lock"])).unwrap())
}

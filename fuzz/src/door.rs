//! The front door on a board that fails: any frame at any time, by whoever presses the button or does not; writes that
//! fail, come late or never, cells that cannot be read, a clock that cannot be set, power that goes.
//!
//! What must hold, whatever happens: what was served is on flash; a refusal changes nothing; what is answered fits what
//! is to be done; no nonce comes back; no key opens more often than it may; a clock counts only where its owner set it;
//! and no lock is lost, or becomes another one, but by a factory reset or on the order of whoever services it.

mod frames;

use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::ChaCha20Rng;
use sharekey::counter::Epoch;
use sharekey::error::LockError;
use sharekey::id::LockId;
use sharekey::limits::{Action, Timestamp};
use sharekey::lock::{
    self, Accepted, Battery, BootError, By, Cell, Clock, Condition, Effect, Lock, Now, Pending, PhysicalPresence,
    Record, ServeError, Served, Step,
};
use sharekey::message::{Connect, Refused};
use sharekey::wire::Kind;
use sharekey_model::symbolic::Symbolic;
use sharekey_stage::board::{Bench, Fault};
use sharekey_stage::rng;
use sharekey_stage::stand::card;
use sharekey_stage::store::PowerCut;

use self::frames::{Frames, Grant};
use crate::choices::Choices;

pub const SLOTS: usize = 3;
/// A history is no longer than this.
const STEPS: usize = 80;

pub type TestLock = Lock<Symbolic, SLOTS>;
type Door<'b> = lock::Door<Symbolic, &'b mut Bench, SLOTS>;

pub fn run(data: &[u8]) {
    let (mut choices, mut bench) = (Choices::new(data), Bench::default());
    let mut world = World::new();
    while choices.more() && world.steps < STEPS {
        world.power_up(&mut bench, &mut choices);
    }
}

/// A write that goes on elsewhere, begun in this run of the lock.
struct Waiting {
    run: u32,
    frame: Vec<u8>,
    record: Option<Record>,
    pending: Pending<Served>,
}

struct World {
    frames: Frames,
    /// The lock that is there; none before the first boot.
    lock: Option<LockId>,
    /// A factory reset may have been accepted, or somebody ordered another lock.
    may_change: bool,
    /// As it was known last: while a write waits for its report, the lock may not say, and it does not change.
    epoch: Epoch,
    ticks: u64,
    steps: usize,
    /// How often it booted.
    run: u32,
    waiting: Vec<Waiting>,
    nonces: BTreeSet<Vec<u8>>,
    opened: BTreeMap<Grant, u32>,
    rng: ChaCha20Rng,
}

impl World {
    fn new() -> Self {
        Self {
            frames: Frames::default(),
            lock: None,
            may_change: true,
            epoch: Epoch::ZERO,
            ticks: 0,
            steps: 0,
            run: 0,
            waiting: Vec::new(),
            nonces: BTreeSet::new(),
            opened: BTreeMap::new(),
            rng: rng(0),
        }
    }

    /// Boots, and lives until the power goes again.
    fn power_up(&mut self, bench: &mut Bench, choices: &mut Choices<'_>) {
        (self.run, self.steps) = (self.run + 1, self.steps + 1);
        let before = bench.store.clone();
        let orders = choices.one_in(32);
        // Entropy that comes again: then the counter keeps nonces apart. What needs entropy is not asked of such a run: to
        // tell locks apart where no seed can be read, and reports of the runs before.
        if orders || choices.any() {
            self.rng = rng(self.run.into());
        } else {
            self.rng = rng(0);
            self.waiting.clear();
        }
        let came = if orders {
            self.may_change = true;
            Door::make_anew(Symbolic, card(), &mut *bench, &mut self.rng)
        } else {
            Door::boot(Symbolic, card(), &mut *bench, &mut self.rng)
        };
        match came {
            Ok(mut door) => {
                self.is_the_lock(&mut door);
                // It is somebody's, with a slot open and a key in it: or not so far.
                let begun = [Kind::Provision, Kind::Command, Kind::Bundle];
                for kind in begun.into_iter().take(if self.run == 1 { choices.below(4) } else { 0 }) {
                    self.ask(kind, &mut door, &mut Choices::new(&[]));
                }
                while choices.more() && self.steps < STEPS && self.step(&mut door, choices) {
                    self.steps += 1;
                }
            }
            Err(error) => {
                assert!(matches!(error, BootError::SeedUnreadable | BootError::Board(PowerCut)), "{error:?}");
                assert!(error != BootError::SeedUnreadable || bench.store == before, "written to what cannot be read");
                bench.fault = None;
            }
        }
    }

    /// Whether the power stays on.
    fn step(&mut self, door: &mut Door<'_>, choices: &mut Choices<'_>) -> bool {
        self.ticks = self.ticks.saturating_add(choices.any::<u8>().into());
        match choices.below(16) {
            0 => self.send(door, &Connect::INSTALL, choices),
            1 => self.send(door, &Connect::OPERATE, choices),
            2 => door.board().fault = Some(fault(choices)),
            3 => return false,
            4 => self.report(door, choices),
            5 => self.ticks = choices.pick(&[0, self.ticks.saturating_add(10_001), self.ticks.saturating_add(120_001)]),
            6 => {
                let frame = self.frames.old(choices);
                self.send(door, &frame, choices);
            }
            _ => self.ask(choices.pick(&frames::KINDS), door, choices),
        }
        true
    }

    /// Somebody connects, and asks for something.
    fn ask(&mut self, kind: Kind, door: &mut Door<'_>, choices: &mut Choices<'_>) {
        let connect = if kind == Kind::Bundle { Connect::INSTALL } else { Connect::OPERATE };
        self.send(door, &connect, choices);
        let frame = self.frames.request(kind, door.lock(), choices);
        self.send(door, &frame, choices);
    }

    /// A frame comes.
    fn send(&mut self, door: &mut Door<'_>, frame: &[u8], choices: &mut Choices<'_>) {
        let presence = choices.one_in(2).then(PhysicalPresence::button_is_pressed);
        let clock = match choices.any::<u8>() {
            255 => Clock::Absent,
            254 => Clock::At(Timestamp::from_unix_seconds(choices.any())),
            _ => door.board().clock.map_or(Clock::Unset, Clock::At),
        };
        let now = Now { ticks: self.ticks, clock, battery: Battery::UNKNOWN };
        let (could_change, pressed) = (self.may_change, presence.is_some());
        self.may_change |= pressed && frames::is_reset(frame);
        self.epoch = door.lock().ownership().map_or(self.epoch, |owned| owned.epoch);
        let is_well = is_well(door.lock());
        if is_well && choices.one_in(8) {
            return self.detach(door, frame, now, presence);
        }
        let (store, clock) = (door.board().store.clone(), door.board().clock);
        match door.serve(frame, now, presence, &mut self.rng) {
            Ok(served) => {
                if let Effect::Refused(error) = served.effect() {
                    self.may_change = could_change;
                    let unchanged = door.board().store == store && door.board().clock == clock;
                    assert!(!is_well || unchanged, "{error}, and something changed");
                    assert_ne!((error, pressed), (LockError::NoPresence, true));
                }
                assert!(failed(door.lock()).is_empty(), "served, and {:?} left", failed(door.lock()));
                self.served(door, frame, &served);
                self.is_the_lock(door);
            }
            Err(ServeError::Board(PowerCut) | ServeError::Boot) => {}
            Err(error @ ServeError::Remake(_)) => panic!("{error:?}"),
        }
    }

    /// The same by the step below the door; what is accepted is written later, if ever.
    fn detach(&mut self, door: &mut Door<'_>, frame: &[u8], now: Now, presence: Option<PhysicalPresence>) {
        let store = door.board().store.clone();
        let off = |staged: Accepted<'_, Served>| Ok((staged.cell(), staged.detach()));
        let taken = match door.lock_mut().step(frame, now, presence, &mut self.rng) {
            Step::Served(served) => Err(Box::new(served)),
            Step::Write(staged) => off(staged),
            Step::SetClock(setting) => off(setting.is_set()),
        };
        let (cell, (record, pending)) = match taken {
            Ok(taken) => taken,
            Err(served) => {
                assert!(matches!(served.effect(), Effect::Refused(_)), "served with nothing written: {served:?}");
                return self.served(door, frame, &served);
            }
        };
        assert_eq!(door.lock().condition(cell), Ok(Condition::Pending));
        assert!(door.board().store == store, "written before it was reported");
        self.waiting.push(Waiting { run: self.run, frame: frame.to_vec(), record, pending });
    }

    /// A write comes to its end, or is given up.
    fn report(&mut self, door: &mut Door<'_>, choices: &mut Choices<'_>) {
        if self.waiting.is_empty() {
            return;
        }
        let Waiting { run, frame, record, pending } = self.waiting.remove(choices.below(self.waiting.len()));
        if run != self.run {
            assert_eq!(door.lock_mut().written(pending).err(), Some(LockError::NotPending), "of a run before");
            return;
        }
        if choices.one_in(4) {
            let given_up = door.lock_mut().abandon(pending);
            assert_eq!(given_up, if record.is_some() { Err(LockError::Busy) } else { Ok(()) });
            return;
        }
        if let Some(record) = record {
            door.board().store.put(&record).unwrap();
        }
        let served = door.lock_mut().written(pending).unwrap();
        self.served(door, &frame, &served);
    }

    /// What was served fits itself, and what is on flash.
    fn served(&mut self, door: &mut Door<'_>, frame: &[u8], served: &Served) {
        let kind = Kind::of(served.answer());
        match served.effect() {
            Effect::Refused(_) => {
                let told = kind == Ok(Kind::Reply) || kind == Ok(Kind::Refused);
                assert!(told && (served.answer() == Refused::OPAQUE || served.answer().len() > Refused::OPAQUE.len()));
                return;
            }
            Effect::Nothing => {
                let answers = [Kind::Challenge, Kind::Receipt, Kind::Provisioned, Kind::Done];
                assert!(kind.is_ok_and(|kind| answers.contains(&kind)), "{kind:?}");
            }
            Effect::Bolt { by: By::Owner, .. } => assert_eq!(kind, Ok(Kind::Done)),
            Effect::Bolt { action, by: By::Guest { slot, generation, .. } } => {
                assert_eq!(kind, Ok(Kind::Reply));
                let grant = Grant { lock: door.lock().id(), epoch: self.epoch, slot, generation };
                let opened = self.opened.entry(grant).or_default();
                *opened += u32::from(action == Action::Open);
                assert!(grant.uses().is_none_or(|uses| *opened <= uses), "{grant:?} opened {opened} times");
            }
            Effect::Reset => {
                assert_eq!(served.answer(), b"");
                assert!(self.may_change, "reset by nobody");
                return;
            }
        }
        if kind == Ok(Kind::Challenge) {
            let is_new = self.nonces.insert(served.answer().to_vec());
            // A lock that cannot count has nothing but entropy.
            assert!(is_new || door.lock().ownership() == Err(LockError::Damaged), "a nonce came back");
        }
        self.frames.hear(frame, served.answer());
        is_on_flash(door);
    }

    /// It is the lock that was there, unless it may be another.
    fn is_the_lock(&mut self, door: &mut Door<'_>) {
        let id = door.lock().id();
        if self.lock == Some(id) {
            return;
        }
        assert!(self.may_change, "another lock is there");
        (self.lock, self.may_change) = (Some(id), false);
        assert_eq!(door.board().clock, None, "a clock that its owner has not set");
        assert!(door.lock().ownership().is_err(), "made, and somebody's");
    }
}

/// A lock booted from what is stored is the one that runs, as far as that knows itself.
fn is_on_flash(door: &mut Door<'_>) {
    let mut copy = Bench { store: door.board().store.clone(), ..Bench::default() };
    let booted = Door::boot(Symbolic, card(), &mut copy, &mut rng(5)).unwrap();
    let (stored, runs) = (booted.lock(), door.lock());
    assert_eq!(stored.id(), runs.id());
    if let Ok(owned) = runs.ownership() {
        assert_eq!(stored.ownership(), Ok(owned));
    }
    for cell in TestLock::cells() {
        let Cell::Slot(slot) = cell else { continue };
        if let Ok(report) = runs.report(slot) {
            assert_eq!(stored.report(slot), Ok(report), "{slot}");
        }
    }
}

/// The cells whose write failed.
fn failed(lock: &TestLock) -> Vec<Cell> {
    let cells = TestLock::cells().chain([Cell::Seed]);
    cells.filter(|cell| lock.condition(*cell) == Ok(Condition::Failed)).collect()
}

/// Nothing is left for the next frame to heal.
fn is_well(lock: &TestLock) -> bool {
    failed(lock).is_empty() && lock.condition(Cell::Seed).is_ok()
}

fn fault(choices: &mut Choices<'_>) -> Fault {
    let cells: Vec<Cell> = TestLock::cells().chain([Cell::Seed]).collect();
    match choices.below(8) {
        0..=4 => Fault::Write { reaches: choices.any() },
        5 | 6 => Fault::Read(choices.pick(&cells), choices.pick(&[1, 2, usize::MAX])),
        _ => Fault::Clock,
    }
}

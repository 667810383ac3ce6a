//! The reference: the model, and what an attacker who hears everything could send.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine;
use sharekey::counter::{Counter, Epoch};
use sharekey::limits::Timestamp;
use sharekey::lock::{Battery, Cell, Clock, Now};
use sharekey_model::state::{
    Aged, Content, CounterModel, Effect, Ending, HeaderModel, LockModel, Op, Purpose, Read, Verdict,
};

pub use sharekey_stage::NOON;

use super::generate;
use super::steps::{Handles, Interned, OWNERS, SERVICES, Sent, Step, key};

pub const SLOTS: u8 = 3;
/// How full the lock's battery is.
pub const BATTERY: Battery = Battery::at(41);

/// A key that a guest holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Held {
    pub pairing: u64,
    pub slot: u8,
}

#[derive(Clone, Debug)]
pub struct Machine {
    pub model: LockModel,
    pub now: Now,
    /// There is a lock, not one that has to be made.
    pub made: bool,
    pub handles: Handles,
    /// Challenges whose nonces are known.
    pub nonces: Vec<u64>,
    pub keys: Vec<Held>,
    pub sent: Vec<Sent>,
    pub grants: Interned,
    /// What the last step must have come to.
    pub verdict: Option<Verdict>,
    /// The time when each challenge was given.
    pub given: BTreeMap<u64, u64>,
    /// Challenges of a lock that could not count.
    rescue: BTreeSet<u64>,
    /// How many challenges the last step spun off.
    pub spun: u64,
    /// Little goes wrong.
    pub calm: bool,
}

/// How a history begins.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    pub owned: Option<u32>,
    pub ceiling: u64,
}

impl Machine {
    /// A lock in its first epoch.
    pub fn owned() -> Self {
        Self::new(Start { owned: Some(1), ceiling: 0 }, true)
    }

    pub fn new(start: Start, calm: bool) -> Self {
        let mut model = LockModel::made(SLOTS);
        if let Some(epoch) = start.owned {
            let (owner, service) = (key(OWNERS[0]), key(SERVICES[0]));
            model.flash.put(Content::Header(HeaderModel::Owned { epoch: Epoch::new(epoch), owner, service }));
        }
        let (latest, set_in) = (Timestamp::from_unix_seconds(0), Epoch::new(start.owned.unwrap_or(0)));
        model.flash.put(Content::Counter(CounterModel { ceiling: Counter::new(start.ceiling), latest, set_in }));
        model.apply(&Op::Boot { reads: BTreeMap::new() });
        Self {
            model,
            now: Now { ticks: 1_000, clock: Clock::At(Timestamp::from_unix_seconds(NOON)), battery: BATTERY },
            made: true,
            handles: Handles::new(),
            nonces: Vec::new(),
            keys: Vec::new(),
            sent: Vec::new(),
            grants: Interned::default(),
            verdict: None,
            given: BTreeMap::new(),
            rescue: BTreeSet::new(),
            spun: 0,
            calm,
        }
    }

    fn step(&mut self, step: &Step) {
        if let Step::Send { session, sent, .. } = step {
            self.handles.remove(&(*session, sent.purpose()));
            if let Sent::Bundle(bundle) = sent {
                self.grants.intern(bundle.grant);
            }
            self.sent.push(*sent);
            if self.sent.len() > 30 {
                self.sent.remove(0);
            }
        }
        match step {
            Step::Now(now) => self.now = *now,
            Step::Spin { left } => self.spin(*left),
            _ => {}
        }
        let Some(op) = step.op(self.now, self.model.lock, &self.grants) else {
            self.verdict = None;
            return;
        };
        let verdict = self.model.apply(&op);
        if matches!(step, Step::Boot { .. } | Step::Make { .. }) {
            self.made = verdict != Verdict::NotMade;
            // A session lives in memory. One whose number counts is kept, to be refused all the same.
            let rescue = self.rescue.clone();
            self.handles.retain(|(id, _)| !rescue.contains(id));
            self.now.ticks = 0;
        }
        self.hear(step, &verdict);
        self.verdict = Some(verdict);
    }

    /// What the step put into the world, for the steps after.
    fn hear(&mut self, step: &Step, verdict: &Verdict) {
        let Verdict::Accepted { effect, record, .. } = verdict else { return };
        let held = match *effect {
            Effect::Installed { pairing, slot, .. } => Some(Held { pairing, slot: slot.index() }),
            _ => None,
        };
        let taken = match step {
            Step::Challenge { ending, .. } | Step::Send { ending, .. } => match ending {
                Ending::Commit => true,
                Ending::Fail { .. } => record.is_none(),
                Ending::Drop | Ending::Detach => false,
            },
            Step::Written { .. } => true,
            _ => false,
        };
        if !taken {
            return;
        }
        if let Effect::Challenged { id, number } = effect {
            let purpose = self.model.sessions.iter().find(|(_, open)| open.id == *id).map(|(purpose, _)| *purpose);
            self.handles.insert((*id, purpose.unwrap()));
            if number.is_none() {
                self.rescue.insert(*id);
            }
            self.nonces.push(*id);
            self.given.insert(*id, self.model.sessions[&purpose.unwrap()].ticks);
        }
        self.keys.extend(held);
    }

    fn spin(&mut self, left: u64) {
        let op = Op::Challenge { purpose: Purpose::Operate, now: self.now, ending: Ending::Commit };
        self.spun = 0;
        while self.spins(left) {
            self.model.apply(&op);
            self.spun += 1;
        }
    }

    /// Whether another challenge is to be spun off.
    pub fn spins(&self, left: u64) -> bool {
        let ceiling = self.model.counter.known.map(|counter| counter.ceiling.value());
        let next = self.model.next.map(Counter::value);
        let room = ceiling.zip(next).map(|(ceiling, next)| ceiling.saturating_sub(next));
        room.is_some_and(|room| room > left) && self.model.sound_now()
    }
}

/// What the tests ask of the model beside.
pub trait Ask {
    fn sound_now(&self) -> bool;
}

impl Ask for LockModel {
    fn sound_now(&self) -> bool {
        !matches!(
            self.ownership(),
            Err(sharekey::error::LockError::Busy
                | sharekey::error::LockError::Damaged
                | sharekey::error::LockError::Resetting)
        )
    }
}

/// Whether a reading gives an older copy than the newest that the lock knows since boot, and tells.
pub fn is_older(model: &LockModel, cell: Cell, read: Read) -> bool {
    fn older<T: Aged>(read: &T, known: Option<&T>) -> bool {
        known.is_some_and(|known| read.is_older(known))
    }
    match model.flash.read(cell, read) {
        None | Some(Content::Seed { .. }) => false,
        Some(Content::Header(header)) => older(&header, model.header.known.as_ref()),
        Some(Content::Counter(counter)) => older(&counter, model.counter.known.as_ref()),
        Some(Content::Slot(slot, content)) => {
            let known = model.slots.get(usize::from(slot.index())).and_then(|slot| slot.known.as_ref());
            older(&content, known)
        }
    }
}

impl ReferenceStateMachine for Machine {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        let owned =
            prop_oneof![4 => Just(None), 20 => Just(Some(1)), 2 => Just(Some(u32::MAX - 1)), 1 => Just(Some(u32::MAX))];
        let lease = sharekey::lock::COUNTER_LEASE;
        let ceiling = prop_oneof![
            40 => Just(0),
            10 => Just(lease * 1_000),
            2 => Just(u64::MAX - lease),
            1 => Just(u64::MAX - lease + 1),
            4 => Just(u64::MAX - 3 * lease),
            1 => Just(u64::MAX),
        ];
        (owned, ceiling, prop::bool::weighted(0.6))
            .prop_map(|(owned, ceiling, calm)| Self::new(Start { owned, ceiling }, calm))
            .boxed()
    }

    fn transitions(state: &Self) -> BoxedStrategy<Step> {
        generate::step(state)
    }

    fn apply(mut state: Self, step: &Step) -> Self {
        state.step(step);
        state
    }

    fn preconditions(state: &Self, step: &Step) -> bool {
        if !state.made {
            return matches!(step, Step::Make { .. });
        }
        match step {
            Step::Send { session, sent, .. } => state.handles.contains(&(*session, sent.purpose())),
            Step::Store { ticket } | Step::Written { ticket } | Step::Abandon { ticket } => {
                state.model.pending.contains_key(ticket)
            }
            // An older copy is given where it can be told: anything else the store has to prevent.
            Step::Reload { cell, read: read @ Read::Older(_) } => is_older(&state.model, *cell, *read),
            Step::Reload { read, .. } => *read != Read::NotYet,
            Step::Make { .. } => false,
            _ => true,
        }
    }
}

//! A lock's life, step by step: two slots, two guests, two owners, two ownerships, a factory reset and
//! the life after it. Every step is what somebody wants; a step that was cut is simply tried again.

use std::sync::LazyLock;

use sharekey::counter::Generation;
use sharekey::error::LockError;
use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, Rights, Timestamp};
use sharekey::message::{Grant, Operation};
use sharekey::message::{Withdrawn, WithdrawnOutcome};
use sharekey::owner::{Fact, Method, Order};
use sharekey::wire::Unverified;
use sharekey_model::invariant::{Event, Withdrawal};

use sharekey_stage::desk::{keep, open, serve};
use sharekey_stage::ops::{For, Op, Order as At, Sent, To, With};

use crate::door::{Door, Intent, NO_SLOT, Stop, card};
use crate::facts::Change;
use crate::fates::reset_of;
use crate::world::{Provider, World, answered, digest, stored};

pub const HALL: SlotId = SlotId::new(0);
pub const STUDIO: SlotId = SlotId::new(1);
/// Nobody shares it.
pub const SPARE: SlotId = SlotId::new(2);
pub const ANA: usize = 0;
pub const BEN: usize = 1;
pub use sharekey_stage::NOON;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Allowed {
    /// So many openings.
    Uses(u32),
    /// While the clock is set and reads later than [`NOON`].
    Afternoon,
    Anything,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    PowerOn,
    Provision,
    SetClock(u64),
    Activate(SlotId),
    Deactivate(SlotId),
    Share(SlotId, usize, Allowed),
    Withdraw(SlotId),
    /// Also of a key that was downloaded already: it is keyed again.
    Download(SlotId, usize),
    Open(SlotId, usize),
    Shut(SlotId, usize),
    /// An order that writes nothing, of the lock or of this slot.
    Ordered(At, SlotId),
    Transfer,
    FactoryReset,
    /// Every key that anybody ever got and that is not installed is tried.
    TryDeadKeys,
}

use Step::{Activate, Deactivate, Download, FactoryReset as Reset, Open, Ordered, PowerOn, Provision};
use Step::{SetClock, Share, Shut, Transfer, TryDeadKeys, Withdraw};

/// A whole life: between its parts the owner gives each order that writes nothing.
pub static LIFE: LazyLock<Vec<Step>> = LazyLock::new(|| {
    let quiet = At::ALL.into_iter().filter(|order| !Op::ordered(*order).writes());
    [BEFORE, &quiet.map(|order| Ordered(order, HALL)).collect::<Vec<_>>(), AFTER].concat()
});

const BEFORE: &[Step] = &[
    PowerOn,
    Provision,
    // The same keys again.
    Provision,
    SetClock(NOON),
    Activate(HALL),
    Activate(STUDIO),
    Share(HALL, ANA, Allowed::Uses(3)),
    Download(HALL, ANA),
    Share(STUDIO, BEN, Allowed::Afternoon),
    Download(STUDIO, BEN),
    Open(HALL, ANA),
    Shut(HALL, ANA),
    Open(STUDIO, BEN),
    // Keyed again: the count of openings stays.
    Download(HALL, ANA),
    Open(HALL, ANA),
];

const AFTER: &[Step] = &[
    // The last one, and one too many.
    Open(HALL, ANA),
    Open(HALL, ANA),
    TryDeadKeys,
    // Overwritten by another guest's.
    Withdraw(HALL),
    Share(HALL, BEN, Allowed::Uses(1)),
    Download(HALL, BEN),
    TryDeadKeys,
    Deactivate(STUDIO),
    TryDeadKeys,
    Activate(STUDIO),
    Share(STUDIO, ANA, Allowed::Anything),
    Download(STUDIO, ANA),
    Open(STUDIO, ANA),
    // Another owner, who turns the clock back.
    Transfer,
    TryDeadKeys,
    SetClock(NOON - 3600),
    Activate(HALL),
    Share(HALL, ANA, Allowed::Uses(2)),
    Download(HALL, ANA),
    Open(HALL, ANA),
    Reset,
    TryDeadKeys,
    Provision,
    SetClock(NOON),
    Activate(HALL),
    Share(HALL, BEN, Allowed::Uses(1)),
    Download(HALL, BEN),
    Open(HALL, BEN),
    TryDeadKeys,
];

impl<C: Provider> World<C> {
    pub fn perform(&mut self, door: &mut Door<C>, step: Step) -> Result<(), Stop> {
        match step {
            // After a cut the door was booted already.
            PowerOn => {
                if door.lock.is_none() {
                    door.boot(self)
                } else {
                    Ok(())
                }
            }
            Provision => self.provision(door),
            SetClock(to) => self.set_clock(door, to),
            Activate(slot) => self.order(door, Order::Activate { slot }),
            Deactivate(slot) => self.order(door, Order::Deactivate { slot }),
            Share(slot, guest, allowed) => {
                self.share(door, slot, guest, allowed);
                Ok(())
            }
            Withdraw(slot) => {
                self.withdraw(door, slot);
                Ok(())
            }
            Download(slot, guest) => self.download(door, slot, guest),
            Open(slot, guest) => self.open(door, slot, guest),
            Shut(slot, guest) => {
                let key = self.key_of(slot, guest);
                self.unlock(door, &key, Action::Lock)
            }
            Ordered(order, slot) => self.ordered(door, order, slot),
            Transfer => self.transfer(door),
            Reset => self.factory_reset(door),
            TryDeadKeys => self.try_dead_keys(door),
        }
    }

    fn provision(&mut self, door: &mut Door<C>) -> Result<(), Stop> {
        let (challenge, session) = door.challenge(self, For::Operate)?;
        let (owner, service) = (self.owner(), self.service_key());
        let (message, pending) = owner.provision(&card(), &challenge, service, &mut self.rng).unwrap();
        let (epoch, key) = (sharekey::counter::Epoch::FIRST, *owner.key());
        let begins = self.facts().owner.is_none();
        let change = if begins { Change::Owned(epoch, key, service) } else { Change::Nothing };
        let event = Event::Owned { lock: door.id(), epoch, owner: key, answered: answered(&challenge), command: None };
        let intent = Intent::of(Op::of(Sent::To(To::Provision), begins), NO_SLOT, change, Some(event));
        let owned = door.send(self, intent, (session, To::Provision), &message)?;
        let view = pending.finish(&owner, owned.answer()).unwrap();
        let phone = &mut self.phones[self.current];
        if phone.view.as_ref().is_none_or(|view| view.lock() != door.id()) {
            phone.view = Some(keep(view));
        }
        self.open_records(door, owned.answer());
        Ok(())
    }

    /// The cloud hears whose the lock is.
    fn open_records(&mut self, door: &Door<C>, statement: &[u8]) {
        for slot in crate::facts::slots() {
            let place = (door.id(), slot);
            if let Some(record) = self.records.get_mut(&place) {
                serve(&self.service, record, statement).unwrap();
            } else {
                self.records.insert(place, open(&self.service, statement, slot).unwrap());
            }
        }
    }

    fn set_clock(&mut self, door: &mut Door<C>, to: u64) -> Result<(), Stop> {
        self.order(door, Order::SetClock { to: Timestamp::from_unix_seconds(to) })
    }

    fn ordered(&mut self, door: &mut Door<C>, order: At, slot: SlotId) -> Result<(), Stop> {
        let (generation, time) = (Generation::ZERO, Timestamp::from_unix_seconds(NOON));
        let (owner, service) = (*self.owner().key(), self.service_key());
        let with = With { slot, generation, owner, service, time, action: Action::Open };
        self.order(door, order.with(&with).into())
    }

    /// The owner orders something at the lock; phone and cloud take in the lock's answer.
    pub fn order(&mut self, door: &mut Door<C>, order: Order) -> Result<(), Stop> {
        let (challenge, session) = door.challenge(self, For::Operate)?;
        let (command, pending) = self
            .with_view(|owner, view, rng| owner.order(view, order, &challenge, rng).unwrap().commit(stored).unwrap());
        let commanded = self.send(door, session, &challenge, &command, *pending.operation())?;
        if let Order::Transfer { .. } = order {
            return self.adopt(door, &commanded.done);
        }
        let learned = self
            .with_view(|owner, view, _| pending.finish(owner, view, &commanded.done).unwrap().commit(stored).unwrap());
        if let Fact::Done { completed, .. } = learned.fact
            && let Some(slot) = completed.operation().slot()
        {
            self.serve((door.id(), slot), &commanded.done);
        }
        Ok(())
    }

    fn share(&mut self, door: &Door<C>, slot: SlotId, guest: usize, allowed: Allowed) {
        let at = Timestamp::from_unix_seconds;
        let limits = match allowed {
            Allowed::Uses(uses) => Limits::new(None, None, None, Some(uses)).unwrap(),
            Allowed::Afternoon => Limits::new(Some(at(NOON)), Some(at(NOON * 2)), None, None).unwrap(),
            Allowed::Anything => Limits::NONE,
        };
        let subject = *self.guests[guest].account.public_key();
        let grant = self.with_view(|owner, view, _| {
            let shared = owner.share(view, slot, subject, Method::Account, Rights::OPEN_AND_LOCK, limits);
            shared.unwrap().commit(stored).unwrap()
        });
        let (place, owner) = (self.place(door.id(), slot), *self.owner().key());
        let generation = Unverified::<Grant>::parse(&grant).unwrap().claims().generation;
        let id = digest::<C>(&grant);
        self.uses.insert(id, limits.max_uses());
        self.observe(&Event::Granted { grant: id, owner, place, generation, uses: limits.max_uses() });
        self.serve((door.id(), slot), &grant);
    }

    fn withdraw(&mut self, door: &Door<C>, slot: SlotId) {
        let withdraw = self.with_view(|owner, view, _| owner.withdraw(view, slot).unwrap().commit(stored).unwrap());
        let answer = self.serve((door.id(), slot), &withdraw);
        let claims = *Unverified::<Withdrawn>::parse(&answer).unwrap().claims();
        let outcome = match claims.outcome {
            WithdrawnOutcome::NeverReleased => Withdrawal::NeverReleased,
            WithdrawnOutcome::Released { .. } => Withdrawal::Released,
            WithdrawnOutcome::Settled => Withdrawal::Settled,
        };
        self.observe(&Event::Withdrawn { grant: claims.withdraw.grant, outcome });
        self.with_view(|owner, view, _| owner.learn(view, &answer).unwrap().commit(stored).map(|_| ()).unwrap());
    }

    /// The old owner hands the lock over. Where that happened and nobody was told, the new one takes it.
    fn transfer(&mut self, door: &mut Door<C>) -> Result<(), Stop> {
        let (heir, service) = (1 - self.current, self.service_key());
        let owner = *self.phones[heir].owner.key();
        match self.order(door, Order::Transfer { owner, service }) {
            Err(Stop::Refused(LockError::CommandSignature(_))) => self.take_over(door),
            other => other,
        }
    }

    fn take_over(&mut self, door: &mut Door<C>) -> Result<(), Stop> {
        let (heir, service) = (self.phones[1 - self.current].clone(), self.service_key());
        let epoch = self.facts().owner.unwrap().0;
        let (challenge, session) = door.challenge(self, For::Operate)?;
        let taken = heir.owner.take_over((door.id(), epoch), service, &challenge, &mut self.rng);
        let (command, pending) = taken.unwrap();
        let operation = Operation::Transfer { owner: *heir.owner.key(), service };
        let commanded = self.send(door, session, &challenge, &command, operation)?;
        assert!(pending.finish(&heir.owner, &commanded.done).is_ok());
        self.adopt(door, &commanded.done)
    }

    fn adopt(&mut self, door: &Door<C>, done: &[u8]) -> Result<(), Stop> {
        self.current = 1 - self.current;
        let (service, owner) = (self.service_key(), self.owner());
        self.phones[self.current].view = Some(keep(owner.adopt(door.id(), &service, done).unwrap()));
        self.open_records(door, done);
        Ok(())
    }

    pub fn factory_reset(&mut self, door: &mut Door<C>) -> Result<(), Stop> {
        if self.resetting.is_some_and(|reset| reset != door.id()) {
            self.resetting = None;
            return Ok(());
        }
        self.resetting = Some(door.id());
        let (challenge, session) = door.challenge(self, For::Operate)?;
        let event = Event::Erased { lock: door.id(), answered: answered(&challenge) };
        let intent = Intent::of(Op::FactoryReset, NO_SLOT, Change::Reset, Some(event));
        door.send(self, intent, (session, To::Reset), &reset_of::<C>(&challenge))?;
        self.resetting = None;
        Ok(())
    }
}

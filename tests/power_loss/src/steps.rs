//! What a step says to the lock, and what it must do there.

use std::rc::Rc;

use sharekey::error::LockError;
use sharekey::guest::{Claimed, GuestKey};
use sharekey::id::SlotId;
use sharekey::limits::Action;
use sharekey::lock::{Commanded, Unlocked};
use sharekey::message::{Grant, Holding, Operation};
use sharekey::wire::{Encoded, Unverified};
use sharekey_model::invariant::{Event, Order as Meant};

use sharekey_stage::firmware::AnySession;
use sharekey_stage::ops::{For, Op, Order, Sent, To};

use crate::door::{Door, Intent, NO_SLOT, Stop};
use crate::facts::{Change, SlotFacts};
use crate::world::{Provider, World, answered, digest};

impl<C: Provider> World<C> {
    /// Brings a signed command to the lock.
    pub fn send(
        &mut self,
        door: &mut Door<C>,
        session: AnySession,
        challenge: &[u8],
        command: &Encoded<sharekey::message::Command>,
        operation: Operation,
    ) -> Result<Commanded, Stop> {
        let claims = *Unverified::<sharekey::message::Command>::parse(command).unwrap().claims();
        let (id, by) = (digest::<C>(command), self.signer(&claims));
        self.observe(&Event::Ordered { command: id, owner: by, lock: claims.lock, epoch: claims.epoch });
        let intent = self.commanded(door, challenge, id, operation);
        let commanded: Commanded = door.send(self, intent, (session, To::Command), command)?.take();
        match commanded.operation {
            Operation::Act { action } => self.bolt.push(action),
            Operation::SetClock { to } => door.clock = to.unix_seconds(),
            _ => {}
        }
        Ok(commanded)
    }

    fn signer(&self, command: &sharekey::message::Command) -> sharekey::crypto::PublicKey {
        let view = self.phones[self.current].view.as_ref().unwrap();
        let phone = if view.epoch() == command.epoch { self.current } else { 1 - self.current };
        *self.phones[phone].owner.key()
    }

    fn commanded(
        &self,
        door: &Door<C>,
        challenge: &[u8],
        command: sharekey::crypto::Digest,
        operation: Operation,
    ) -> Intent {
        let lock = door.id();
        let epoch = self.facts().owner.unwrap().0;
        let answered = answered(challenge);
        let (op, meant) = (Op::ordered(Order::of(&operation)), Meant::of(&operation));
        let turned = |floor, holding| {
            let slot = operation.slot().unwrap();
            Change::Slot(slot, SlotFacts { floor, holding, used: 0 })
        };
        let (epoch, change) = match operation {
            _ if !op.writes() => (epoch, Change::Nothing),
            Operation::Activate { generation, .. } => (epoch, turned(generation, Holding::Empty)),
            Operation::Deactivate { generation, .. } => (epoch, turned(generation, Holding::Inactive)),
            Operation::Transfer { owner, service } => {
                let epoch = epoch.next().unwrap();
                (epoch, Change::Owned(epoch, owner, service))
            }
            Operation::SetClock { to } => (epoch, Change::Time(to.unix_seconds())),
            other => panic!("nobody said what {other} writes"),
        };
        let event = meant.done((lock, epoch), command, answered);
        Intent::of(op, operation.slot().unwrap_or(NO_SLOT), change, Some(event))
    }

    /// What the guest's device claimed of the grant that is published.
    fn claimed(&mut self, door: &Door<C>, slot: SlotId, guest: usize) -> Rc<Claimed> {
        let grant = self.records[&(door.id(), slot)].grant().unwrap().to_vec();
        let id = digest::<C>(&grant);
        let Self { guests, rng, .. } = self;
        let guest = &mut guests[guest];
        if let Some(claimed) = guest.claimed.get(&id) {
            return Rc::clone(claimed);
        }
        let claimed = Rc::new(guest.account.claim(&C::default(), &grant, None, rng).unwrap().stored());
        guest.claimed.insert(id, Rc::clone(&claimed));
        let device = Unverified::<sharekey::message::Claim>::parse(claimed.claim()).unwrap().claims().device;
        self.observe(&Event::Claimed { grant: id, device });
        claimed
    }

    pub fn download(&mut self, door: &mut Door<C>, slot: SlotId, guest: usize) -> Result<(), Stop> {
        let claimed = self.claimed(door, slot, guest);
        let place = (door.id(), slot);
        let (challenge, session) = door.challenge(self, For::Install)?;
        let installing = claimed.install(&C::default(), &challenge, &mut self.rng).unwrap().stored();
        let release = self.serve(place, (installing.claim(), installing.install()));
        let version = self.records[&place].version();
        let (grant, intent) = self.installing(door, &challenge, &claimed);
        let device = Unverified::<sharekey::message::Claim>::parse(claimed.claim()).unwrap().claims().device;
        self.observe(&Event::Released { grant, device, version });
        let download = installing.bundle(&C::default(), &release).unwrap();
        let installed = door.send(self, intent, (session, To::Install), download.bundle())?;
        let key = download.finish(&C::default(), installed.answer()).unwrap().stored();
        self.guests[guest].keys.push(Rc::new(key));
        self.serve(place, installed.answer());
        Ok(())
    }

    fn installing(&self, door: &Door<C>, challenge: &[u8], claimed: &Claimed) -> (sharekey::crypto::Digest, Intent) {
        let grant = digest::<C>(claimed.grant());
        let claims = *Unverified::<Grant>::parse(claimed.grant()).unwrap().claims();
        let device = Unverified::<sharekey::message::Claim>::parse(claimed.claim()).unwrap().claims().device;
        let before = self.facts().slots[usize::from(claims.slot.index())];
        let holding = Holding::Installed { grant, device };
        let again = (before.floor, before.holding) == (claims.generation, holding);
        let after = SlotFacts { floor: claims.generation, holding, used: if again { before.used } else { 0 } };
        let name = match (again, before.holding) {
            (true, _) => "install again",
            (false, Holding::Installed { .. }) => "install over another",
            (false, _) => Op::Install.name(),
        };
        let (place, generation) = (self.place(door.id(), claims.slot), claims.generation);
        let event = Event::Installed { place, grant, generation, device, answered: answered(challenge) };
        let change = Change::Slot(claims.slot, after);
        (grant, Intent { name, ..Intent::of(Op::Install, claims.slot, change, Some(event)) })
    }

    /// The guest's newest key to that slot.
    pub fn key_of(&self, slot: SlotId, guest: usize) -> Rc<GuestKey> {
        let keys = &self.guests[guest].keys;
        Rc::clone(keys.iter().rev().find(|key| key.slot() == slot).unwrap())
    }

    /// Opens, unless all uses are spent: by a cut, perhaps.
    pub fn open(&mut self, door: &mut Door<C>, slot: SlotId, guest: usize) -> Result<(), Stop> {
        let key = self.key_of(slot, guest);
        let left = self.left(&key);
        match self.unlock(door, &key, Action::Open) {
            Err(Stop::Refused(LockError::UsesSpent)) if left == Some(0) => Ok(()),
            other => other,
        }
    }

    /// How many openings a key has left, where that is limited.
    fn left(&self, key: &GuestKey) -> Option<u32> {
        let used = self.facts().slots[usize::from(key.slot().index())].used;
        self.uses[&key.grant()].map(|uses| uses.checked_sub(used).expect("used more than granted"))
    }

    pub fn unlock(&mut self, door: &mut Door<C>, key: &GuestKey, action: Action) -> Result<(), Stop> {
        let (challenge, session) = door.challenge(self, For::Operate)?;
        let Ok((unlock, awaiting)) = key.unlock(&C::default(), &challenge, action, &mut self.rng) else {
            return Err(Stop::Refused(LockError::WrongLock));
        };
        let intent = self.unlocking(door, &challenge, key, action);
        let unlocked: Unlocked = door.send(self, intent, (session, To::Unlock), &unlock)?.take();
        self.bolt.push(unlocked.action);
        key.check_reply(&C::default(), &awaiting, &unlocked.reply).unwrap();
        Ok(())
    }

    fn unlocking(&self, door: &Door<C>, challenge: &[u8], key: &GuestKey, action: Action) -> Intent {
        let slot = key.slot();
        let before = self.facts().slots[usize::from(slot.index())];
        let counts = action == Action::Open && self.uses[&key.grant()].is_some();
        let after = SlotFacts { used: before.used + 1, ..before };
        let change = if counts { Change::Slot(slot, after) } else { Change::Nothing };
        let event = self.facts().owner.map(|_| Event::Acted {
            place: self.place(door.id(), slot),
            device: key.device(),
            generation: key.generation(),
            answered: answered(challenge),
            opened: action == Action::Open,
        });
        let op = Op::of(Sent::To(To::Unlock), counts);
        let name = match (action, self.uses[&key.grant()]) {
            (Action::Open, Some(uses)) if uses == after.used => "unlock, the last use",
            (Action::Open, _) => op.name(),
            (Action::Lock, _) => "lock",
        };
        Intent { name, ..Intent::of(op, slot, change, event) }
    }

    /// No key opens but those that are installed.
    pub fn try_dead_keys(&mut self, door: &mut Door<C>) -> Result<(), Stop> {
        let keys: Vec<Rc<GuestKey>> = self.guests.iter().flat_map(|guest| guest.keys.clone()).collect();
        for (at, key) in keys.iter().enumerate() {
            let holding = self.facts().slots[usize::from(key.slot().index())].holding;
            let held = holding == Holding::Installed { grant: key.grant(), device: key.device() };
            let newest = keys.iter().skip(at + 1).all(|later| later.grant() != key.grant());
            if held && newest && key.lock() == door.id() {
                continue;
            }
            match self.unlock(door, key, Action::Open) {
                Err(Stop::Refused(error)) => assert_ne!(error, LockError::Busy),
                Ok(()) => panic!("a dead key opened"),
                Err(other) => return Err(other),
            }
        }
        Ok(())
    }

    /// Opens with every key that is installed until it is spent: no more and no less often than it may.
    /// A guest whose receipt was lost downloads again.
    pub fn spend_all(&mut self, door: &mut Door<C>) {
        for slot in crate::facts::slots() {
            let Holding::Installed { grant, .. } = self.facts().slots[usize::from(slot.index())].holding else {
                continue;
            };
            let guest = self.guests.iter().position(|guest| guest.claimed.contains_key(&grant)).unwrap();
            if !self.has_working_key(door, slot, guest, grant) {
                self.download(door, slot, guest).unwrap();
            }
            let key = self.key_of(slot, guest);
            if key.limits().valid_from().is_some() {
                self.probe_latest(door, &key);
            }
            let Some(left) = self.left(&key) else {
                self.unlock(door, &key, Action::Open).unwrap();
                continue;
            };
            (0..left).for_each(|_| self.unlock(door, &key, Action::Open).unwrap());
            assert_eq!(self.unlock(door, &key, Action::Open), Err(Stop::Refused(LockError::UsesSpent)));
        }
    }

    fn has_working_key(
        &mut self,
        door: &mut Door<C>,
        slot: SlotId,
        guest: usize,
        grant: sharekey::crypto::Digest,
    ) -> bool {
        let Some(key) = self.guests[guest].keys.iter().rev().find(|key| key.grant() == grant).cloned() else {
            return false;
        };
        assert_eq!(key.slot(), slot);
        match self.unlock(door, &key, Action::Lock) {
            Ok(()) => true,
            Err(Stop::Refused(LockError::UnlockMac)) => false,
            // Its dates need the clock.
            Err(Stop::Refused(LockError::ClockUnset)) => true,
            Err(other) => panic!("{other:?}"),
        }
    }

    /// The latest time known is exactly what was stored: one second before it, the clock was lost.
    fn probe_latest(&mut self, door: &mut Door<C>, key: &GuestKey) {
        let latest = self.facts().latest;
        // The clock moves on by a second at the challenge, and by another at the unlock.
        door.clock = latest - 3;
        assert_eq!(self.unlock(door, key, Action::Lock), Err(Stop::Refused(LockError::ClockUnset)));
        door.clock = latest - 2;
        assert_eq!(self.unlock(door, key, Action::Lock), Ok(()));
    }
}

//! Invariant 12: from a state that the search reached, an undisturbed honest run succeeds. The run is the
//! shipping code's, from what each party had stored.

use sharekey::counter::Generation;
use sharekey::crypto::PublicKey;
use sharekey::error::LockError;
use sharekey::guest::GuestKey;
use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, Rights};
use sharekey::lock::{Cell, purpose};
use sharekey::message::{Holding, SlotReport};
use sharekey::owner::{Method, Order, OwnedLock, Owner};
use sharekey::service::ShareRecord;
use sharekey::slot::{Slot, State as SlotState};
use sharekey_model::symbolic::Symbolic;
use sharekey_stage::desk::{self, serve};

use super::cast::{BEN, CLOUD, account, entropy, key_of, never, owner};
use super::lock::{Flash, NOW, TestLock, commit, give};
use super::net::Msg;
use super::reach::{Milestone, Reached};
use super::system::State;
use super::world::World;

type Ran = Result<(), &'static str>;

/// How often a collision of numbers is tried again.
const TRIES: usize = 4;

impl World {
    pub fn progress(&self, state: &State) -> Ran {
        for slot in 0..self.scenario.slots {
            self.remembered((0, state.lock, state.cloud, u32::from(slot)), || self.guest_installs(state, slot))?;
            if let Some(receipt) = self.locks.get(state.lock).receipts[usize::from(slot)]
                && state.net.has(receipt)
            {
                self.remembered((1, state.lock, u32::from(slot), 0), || self.guest_opens(state, slot, receipt))?;
            }
            for phone in state.phones {
                let key = (2 + slot, state.lock, state.cloud, phone);
                self.remembered(key, || self.owner_returns(state, slot, phone))?;
            }
        }
        Ok(())
    }

    fn remembered(&self, key: (u8, u32, u32, u32), run: impl FnOnce() -> Ran) -> Ran {
        self.progressed.get_or(key, |_| run().err()).map_or(Ok(()), Err)
    }

    /// That a run applied and went through: many states have none to try.
    fn ran(&self, milestone: Milestone) {
        let mut reached = Reached::default();
        reached.add(milestone);
        self.note(reached);
    }

    /// An honest guest with a releasable claim installs.
    fn guest_installs(&self, state: &State, slot: u8) -> Ran {
        let flash = self.locks.get(state.lock);
        let record = self.clouds.get(state.cloud).record(slot);
        let Some((grant, body)) = self.shared(&record) else { return Ok(()) };
        if body.epoch != flash.epoch() {
            return Ok(());
        }
        let left = flash.run().lock.report(SlotId::new(slot)).unwrap();
        for device in 0..u8::try_from(self.scenario.devices.len()).unwrap() {
            let honest = !self.device(device).rogue && key_of(self.device(device).subject) == body.subject;
            if honest
                && may_install(&left, &record, body.generation, self.digest(grant), self.device_key(device, grant))
            {
                let again = left.floor == body.generation;
                let within = !again || self.scenario.uses.is_none_or(|uses| used(&flash, slot) < uses);
                self.installs(&flash, record.clone(), (device, grant), within)?;
                self.ran(if again { Milestone::RanRekey } else { Milestone::RanInstall });
            }
        }
        Ok(())
    }

    fn device_key(&self, device: u8, grant: Msg) -> PublicKey {
        self.claim_of(device, grant).device
    }

    fn claim_of(&self, device: u8, grant: Msg) -> sharekey::message::Claim {
        let who = self.device(device);
        let rng = &mut self.device_entropy(device, grant);
        let claimed = account(who.subject).claim(&Symbolic, self.msgs.bytes(grant), None, rng).unwrap().stored();
        *sharekey::wire::Unverified::parse(claimed.claim()).unwrap().claims()
    }

    fn installs(&self, flash: &Flash, mut record: ShareRecord, (device, grant): (u8, Msg), within: bool) -> Ran {
        let who = self.device(device);
        let rng = &mut self.device_entropy(device, grant);
        let claimed = account(who.subject).claim(&Symbolic, self.msgs.bytes(grant), None, rng).unwrap().stored();
        let mut lock = flash.run().lock;
        let given = give::<purpose::Install>(&mut lock, NOW).0;
        let attempt = claimed.install(&Symbolic, &given.challenge, rng).map_err(|_| "the guest cannot ask")?.stored();
        let asked = (attempt.claim(), attempt.install());
        let release = serve(&self.cast.service, &mut record, asked).map_err(|_| "the service does not release")?;
        let download = attempt.bundle(&Symbolic, &release).map_err(|_| "the guest cannot bundle")?;
        let staged =
            lock.install(given.session, download.bundle(), NOW, rng).map_err(|_| "the lock does not install")?;
        let receipt = commit(staged).0.receipt;
        let key = download.finish(&Symbolic, &receipt).map_err(|_| "the guest does not take the receipt")?.stored();
        opens(&mut lock, &key, within)
    }

    /// A guest whose key is installed, and who has its receipt, opens at the first attempt.
    fn guest_opens(&self, state: &State, slot: u8, receipt: Msg) -> Ran {
        let flash = self.locks.get(state.lock);
        let install = self.msgs.info(receipt).parent.unwrap();
        let Some((_, _, attempt)) = self.attempt_of(install) else { return Ok(()) };
        let releases = state.net.kind(sharekey::wire::Kind::Release).iter();
        let found = releases.copied().find(|release| self.msgs.info(*release).parent == Some(install));
        let Some(release) = found else { return Err("a key is installed that was not released") };
        let download = attempt.bundle(&Symbolic, self.msgs.bytes(release)).map_err(|_| "the guest lost its release")?;
        let key = download.finish(&Symbolic, self.msgs.bytes(receipt)).map_err(|_| "the guest lost its key")?.stored();
        let within = self.scenario.uses.is_none_or(|uses| used(&flash, slot) < uses);
        opens(&mut flash.run().lock, &key, within)?;
        self.ran(Milestone::RanOpen);
        Ok(())
    }

    /// The owner brings the slot back to sharing, from what one phone knows.
    fn owner_returns(&self, state: &State, slot: u8, phone: u32) -> Ran {
        let flash = self.locks.get(state.lock);
        let phone = self.phones.get(phone);
        let owner = owner(phone.owner);
        let mut lock = flash.run().lock;
        let ownership = lock.ownership().unwrap();
        if ownership.owner != *owner.key() {
            return Ok(());
        }
        let mut record = self.clouds.get(state.cloud).record(slot);
        let known = phone.view().filter(|view| view.epoch() == ownership.epoch && record.epoch() == ownership.epoch);
        let mut view = match known {
            Some(view) => view,
            None => self.take_over(&owner, &mut lock, &mut record)?,
        };
        self.sync(&owner, &mut view, &record);
        let slot = SlotId::new(slot);
        self.obey(&owner, &mut view, &mut record, &mut lock, (slot, false))?;
        self.obey(&owner, &mut view, &mut record, &mut lock, (slot, true))?;
        for _ in 0..TRIES {
            if self.shares(&owner, &mut view, &mut record, slot)? {
                self.ran(Milestone::RanReturn);
                return Ok(());
            }
        }
        Err("the service takes no grant")
    }

    /// What becomes of a transfer whose Done was lost.
    fn take_over(
        &self,
        owner: &Owner<Symbolic>,
        lock: &mut TestLock,
        record: &mut ShareRecord,
    ) -> Result<OwnedLock, &'static str> {
        let given = give::<purpose::Operate>(lock, NOW).0;
        let epoch = lock.ownership().unwrap().epoch;
        let at = (self.cast.lock, epoch);
        let rng = &mut entropy(&[b"take over"]);
        let (command, pending) =
            owner.take_over(at, key_of(CLOUD), &given.challenge, rng).map_err(|_| "no takeover")?;
        let done =
            commit(lock.command(given.session, &command, NOW).map_err(|_| "the lock does not hand over")?).0.done;
        let view = pending.finish(owner, &done).map_err(|_| "the takeover does not finish")?;
        serve(&self.cast.service, record, &done).map_err(|_| "the service does not reopen")?;
        self.ran(Milestone::RanTakeOver);
        let Ok(view) = view.put_new(None, never);
        Ok(view)
    }

    /// The phone sees the newest report, if it is not ahead of it.
    fn sync(&self, owner: &Owner<Symbolic>, view: &mut OwnedLock, record: &ShareRecord) {
        let rng = &mut entropy(&[b"ask"]);
        let Ok((request, pending)) = owner.ask(view, record.slot_id(), desk::NOW, rng) else { return };
        let Ok(answer) = self.cast.service.report(record, &request, desk::NOW) else { return };
        if let Ok(staged) = owner.see(view, pending, &answer) {
            let Ok(_) = staged.commit(never);
        }
    }

    /// Inspect, or Activate; lock, phone and service all hear the answer.
    fn obey(
        &self,
        owner: &Owner<Symbolic>,
        view: &mut OwnedLock,
        record: &mut ShareRecord,
        lock: &mut TestLock,
        (slot, activate): (SlotId, bool),
    ) -> Ran {
        let given = give::<purpose::Operate>(lock, NOW).0;
        let rng = &mut entropy(&[b"progress", &[u8::from(activate)]]);
        let order = if activate { Order::Activate { slot } } else { Order::Inspect { slot } };
        let staged = owner.order(view, order, &given.challenge, rng);
        let Ok((command, pending)) = staged.map_err(|_| "the owner cannot order")?.commit(never);
        let done = commit(lock.command(given.session, &command, NOW).map_err(|_| "the lock does not obey")?).0.done;
        let Ok(_) = pending.finish(owner, view, &done).map_err(|_| "the phone does not take the Done")?.commit(never);
        serve(&self.cast.service, record, &done).map_err(|_| "the service takes no Done")?;
        Ok(())
    }

    /// Whether a share went through; where its number was taken, it is withdrawn, and a report seen.
    fn shares(
        &self,
        owner: &Owner<Symbolic>,
        view: &mut OwnedLock,
        record: &mut ShareRecord,
        slot: SlotId,
    ) -> Result<bool, &'static str> {
        let staged = owner.share(view, slot, key_of(BEN), Method::Account, Rights::OPEN, Limits::NONE);
        let Ok(grant) = staged.map_err(|_| "the owner cannot share")?.commit(never);
        if serve(&self.cast.service, record, &grant).is_ok() {
            let (here, there) = (view.slot(slot).map(Slot::state), Some(record.slot().state()));
            let sharing = (here, there) == (Some(SlotState::Sharing), Some(SlotState::Sharing));
            return if sharing { Ok(true) } else { Err("shared, and not shown so") };
        }
        let Ok(withdraw) = owner.withdraw(view, slot).map_err(|_| "the owner cannot withdraw")?.commit(never);
        let answer = serve(&self.cast.service, record, &withdraw).map_err(|_| "the service does not withdraw")?;
        let Ok(_) = owner.learn(view, &answer).map_err(|_| "the phone takes no answer")?.commit(never);
        self.sync(owner, view, record);
        if view.status(slot).state == Some(SlotState::Sharing) {
            return Ok(true);
        }
        Ok(false)
    }
}

/// Whether the lock should install the grant for this device: above the floor, or the very key that is there.
fn may_install(
    left: &SlotReport,
    record: &ShareRecord,
    generation: Generation,
    grant: sharekey::crypto::Digest,
    device: PublicKey,
) -> bool {
    let releasable = record.slot().device().is_none_or(|holder| holder == device);
    let again = left.floor == generation && left.holding == Holding::Installed { grant, device };
    let fresh = generation > left.floor && left.holding != Holding::Inactive;
    releasable && (again || fresh)
}

/// How many openings the slot's record counts.
fn used(flash: &Flash, slot: u8) -> u32 {
    let record = &flash.cells[&Cell::Slot(SlotId::new(slot)).key()];
    let end = record.len() - 16;
    u32::from_le_bytes(record[end - 4..end].try_into().unwrap())
}

fn opens(lock: &mut TestLock, key: &GuestKey, within: bool) -> Ran {
    let given = give::<purpose::Operate>(lock, NOW).0;
    let rng = &mut entropy(&[b"progress opens"]);
    let (unlock, awaiting) = key.unlock(&Symbolic, &given.challenge, Action::Open, rng).map_err(|_| "no unlock")?;
    match lock.unlock(given.session, &unlock, NOW) {
        Ok(staged) if within => {
            let unlocked = commit(staged).0;
            let opened = key.check_reply(&Symbolic, &awaiting, &unlocked.reply);
            opened.map(drop).map_err(|_| "the guest does not take the reply")
        }
        Err(refusal) if !within && refusal.error() == LockError::UsesSpent => Ok(()),
        Ok(_) => Err("a spent key opens"),
        Err(_) => Err("an installed key within its limits does not open"),
    }
}

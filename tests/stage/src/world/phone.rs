//! An owner's phone, at the lock and at home.

use std::convert::Infallible;

use crate::provider::Provider;
use rand_chacha::ChaCha20Rng;
use sharekey::crypto::PublicKey;
use sharekey::error::OwnerError;
use sharekey::id::{LockId, SlotId};
use sharekey::limits::{Action, Limits, Rights, Timestamp};
use sharekey::lock::purpose;
use sharekey::message::{Command, ReportAnswer, WithdrawnOutcome};
use sharekey::owner::{Fact, Learned, Method, NewView, Order, OwnedLock, Owner, PendingCommand, PendingReport, Seen};
use sharekey::secret::ActivationSecret;
use sharekey::service::place_of;
use sharekey::slot::{Slot, State};
use sharekey::staged::Staged;
use sharekey::wire::{Encoded, Kind};

use super::cloud::Cloud;
use super::door::Door;
use super::{Stop, Tape, rng, seed, through_storage};
use crate::desk::NOW;
use crate::store::stored;

pub struct Phone {
    pub owner: Owner<Provider>,
    pub view: Option<OwnedLock>,
    /// The view as it was stored last.
    disk: Option<OwnedLock>,
    /// What the lock's last refusal told.
    pub told: Option<OwnerError>,
    /// Whether the app restarts between any two steps.
    pub restarts: bool,
    pub rng: ChaCha20Rng,
    tape: Tape,
}

impl Phone {
    pub fn new(role: u8, tape: &Tape) -> Self {
        let owner = Owner::new(Provider, &seed(role)).unwrap();
        let rng = rng(1_000 + u64::from(role));
        Self { owner, view: None, disk: None, told: None, restarts: false, rng, tape: tape.clone() }
    }

    /// Another phone of the same owner, which starts from a copy of this one's view.
    pub fn twin(&self) -> Self {
        let mut twin = Self::new(super::OLGA, &self.tape);
        assert_eq!(twin.key(), self.key());
        twin.rng = rng(2_000);
        twin.keep(self.view.as_ref().map(through_storage).unwrap());
        twin
    }

    pub fn key(&self) -> PublicKey {
        *self.owner.key()
    }

    pub fn view(&self) -> &OwnedLock {
        self.view.as_ref().unwrap()
    }

    fn keep(&mut self, view: OwnedLock) {
        self.disk = Some(through_storage(&view));
        self.view = Some(view);
    }

    /// Begins with a view, unless there is one that knows more.
    fn begin(&mut self, new: NewView) {
        let Ok(view) = new.put_new(self.disk.clone(), stored);
        self.keep(view);
    }

    pub fn provision(&mut self, door: &mut Door, cloud: &mut Cloud) -> Result<(), Stop> {
        let card = ActivationSecret::from_bytes(door.card);
        let (challenge, session) = door.challenge::<purpose::Operate>()?;
        let (message, pending) = self.owner.provision(&card, &challenge, cloud.key(), &mut self.rng)?;
        let answer = door.provision(session, &self.tape.note(&message)).inspect_err(|_| {
            self.told = pending.finish(&self.owner, &door.refusal).err();
        })?;
        let new = pending.finish(&self.owner, &answer)?;
        self.begin(new);
        Ok(cloud.hear(&answer)?)
    }

    /// Takes over a lock that its old owner transferred.
    pub fn adopt(&mut self, lock: LockId, service: PublicKey, transfer: &[u8]) -> Result<(), OwnerError> {
        let new = self.owner.adopt(lock, &service, transfer)?;
        self.begin(new);
        Ok(())
    }

    /// Begins with the owner's key and the lock's id alone: the cloud has the lock's word for whose it is.
    pub fn begin_anew(&mut self, lock: LockId, cloud: &mut Cloud, slot: SlotId) -> Result<(), Stop> {
        let (request, pending) = self.owner.ask_anew(lock, slot, NOW, &mut self.rng)?;
        let answer = cloud.report(&self.tape.note(&request))?;
        let statement = ReportAnswer::parse(&answer).unwrap().statement().unwrap().to_vec();
        self.adopt(lock, cloud.key(), &statement)?;
        let _ = self.change(|owner, view, _| owner.see(view, pending, &answer))?;
        Ok(())
    }

    pub fn activate(&mut self, door: &mut Door, cloud: &mut Cloud, slot: SlotId) -> Result<(), Stop> {
        self.command(door, cloud, Order::Activate { slot }).map(drop)
    }

    pub fn deactivate(&mut self, door: &mut Door, cloud: &mut Cloud, slot: SlotId) -> Result<(), Stop> {
        self.command(door, cloud, Order::Deactivate { slot }).map(drop)
    }

    pub fn inspect(&mut self, door: &mut Door, cloud: &mut Cloud, slot: SlotId) -> Result<Fact, Stop> {
        self.command(door, cloud, Order::Inspect { slot })
    }

    pub fn set_clock(&mut self, door: &mut Door, to: Timestamp) -> Result<(), Stop> {
        self.order(door, Order::SetClock { to }).map(drop)
    }

    pub fn act(&mut self, door: &mut Door, action: Action) -> Result<(), Stop> {
        self.order(door, Order::Act { action }).map(drop)
    }

    /// Gives the `Done`, for the new owner and both clouds.
    pub fn transfer(&mut self, door: &mut Door, owner: PublicKey, service: PublicKey) -> Result<Vec<u8>, Stop> {
        self.order(door, Order::Transfer { owner, service }).map(|(done, _)| done)
    }

    /// Orders something at the lock, and passes the lock's answer on to the cloud.
    pub fn command(&mut self, door: &mut Door, cloud: &mut Cloud, order: Order) -> Result<Fact, Stop> {
        let (done, learned) = self.order(door, order)?;
        cloud.hear(&done)?;
        Ok(learned.fact)
    }

    /// Orders something at the lock; the cloud does not hear of it.
    pub fn order(&mut self, door: &mut Door, order: Order) -> Result<(Vec<u8>, Learned), Stop> {
        let (challenge, session) = door.challenge::<purpose::Operate>()?;
        let (command, pending) = self.sign_order(order, &challenge)?;
        let pending = if self.restarts { through_storage(&pending) } else { pending };
        let done = door.command(session, &self.tape.note(&command)).inspect_err(|_| {
            self.told = self.change(|owner, view, _| pending.finish(owner, view, &door.refusal)).err();
        })?;
        let learned = self.change(|owner, view, _| pending.finish(owner, view, &done))?;
        Ok((done, learned))
    }

    /// Signs a command; it goes nowhere yet.
    pub fn sign_order(
        &mut self,
        order: Order,
        challenge: &[u8],
    ) -> Result<(Encoded<Command>, PendingCommand), OwnerError> {
        self.change(|owner, view, rng| owner.order(view, order, challenge, rng))
    }

    /// Signs a grant; it goes nowhere yet.
    pub fn sign(&mut self, slot: SlotId, to: PublicKey, rights: Rights, limits: Limits) -> Result<Vec<u8>, OwnerError> {
        let grant = self.change(|owner, view, _| owner.share(view, slot, to, Method::Account, rights, limits))?;
        Ok(self.tape.note(&grant))
    }

    /// Signs a grant and publishes it.
    pub fn share(
        &mut self,
        cloud: &mut Cloud,
        slot: SlotId,
        to: PublicKey,
        rights: Rights,
        limits: Limits,
    ) -> Result<Vec<u8>, Stop> {
        let grant = self.sign(slot, to, rights, limits)?;
        cloud.take((self.view().lock(), slot), &grant)?;
        Ok(grant)
    }

    /// Signs a withdrawal of what is shared; it goes nowhere yet.
    pub fn sign_withdrawal(&mut self, slot: SlotId) -> Result<Vec<u8>, OwnerError> {
        let withdraw = self.change(|owner, view, _| owner.withdraw(view, slot))?;
        Ok(self.tape.note(&withdraw))
    }

    /// Takes a share back; the cloud says whether it came in time.
    pub fn withdraw(&mut self, cloud: &mut Cloud, slot: SlotId) -> Result<WithdrawnOutcome, Stop> {
        let withdraw = self.sign_withdrawal(slot)?;
        let answer = cloud.take((self.view().lock(), slot), &withdraw)?;
        let Fact::Withdrawn { outcome, .. } = self.learn(&answer)?.fact else { panic!("an answer to a withdrawal") };
        Ok(outcome)
    }

    pub fn learn(&mut self, message: &[u8]) -> Result<Learned, OwnerError> {
        self.change(|owner, view, _| owner.learn(view, message))
    }

    /// Takes in a message that tells nothing new.
    pub fn learns_nothing(&mut self, message: &[u8]) {
        let learned = self.learn(message).unwrap();
        assert_eq!((learned.news, learned.equivocation), (false, None));
    }

    /// What the cloud must hear of, as it is stored.
    pub fn outbox(&self) -> Vec<Vec<u8>> {
        self.view().outbox().map(|due| due.message.to_vec()).collect()
    }

    /// Sends the cloud what it must hear of, whatever it says to each, and takes in what it answers and reports.
    pub fn contact(&mut self, cloud: &mut Cloud) -> Result<(), Stop> {
        for message in self.outbox() {
            if Kind::of(&message) == Ok(Kind::Withdraw) {
                let (lock, slot) = place_of(&message)?;
                let answer = cloud.take((lock, slot.expect("a withdrawal is of a slot")), &message)?;
                let _ = self.learn(&answer)?;
            } else {
                let _refusal = cloud.hear(&message);
            }
        }
        self.sync(cloud).map(drop)
    }

    /// Asks the cloud for what it has of every slot that this phone knows, and believes what is signed.
    pub fn sync(&mut self, cloud: &mut Cloud) -> Result<Vec<Learned>, Stop> {
        let slots: Vec<SlotId> = self.view().statuses().map(|status| status.slot).collect();
        let mut learned = Vec::new();
        for slot in slots {
            learned.extend(self.see(cloud, slot)?.learned);
        }
        Ok(learned)
    }

    /// Asks the cloud for one slot's report, and takes it in.
    pub fn see(&mut self, cloud: &mut Cloud, slot: SlotId) -> Result<Seen, Stop> {
        let (request, pending) = self.ask(slot)?;
        let answer = cloud.report(&request)?;
        self.tape.note(ReportAnswer::parse(&answer).unwrap().report);
        Ok(self.change(|owner, view, _| owner.see(view, pending, &answer))?)
    }

    /// Signs a request for a report; it goes nowhere yet.
    pub fn ask(&mut self, slot: SlotId) -> Result<(Vec<u8>, PendingReport), OwnerError> {
        let view = self.view.as_ref().unwrap();
        let (request, pending) = self.owner.ask(view, slot, NOW, &mut self.rng)?;
        Ok((self.tape.note(&request), pending))
    }

    /// One step of the view: stored first.
    pub fn change<T>(
        &mut self,
        decide: impl for<'v> FnOnce(
            &Owner<Provider>,
            &'v mut OwnedLock,
            &mut ChaCha20Rng,
        ) -> Result<Staged<'v, OwnedLock, T>, OwnerError>,
    ) -> Result<T, OwnerError> {
        let Self { owner, view, disk, rng, .. } = self;
        let decided = decide(owner, view.as_mut().unwrap(), rng)?;
        let Ok(result) = decided.commit(|next| {
            *disk = Some(if self.restarts { through_storage(next) } else { next.clone() });
            Ok::<_, Infallible>(())
        });
        if self.restarts {
            assert_eq!(self.view, self.disk);
            self.view.clone_from(&self.disk);
        }
        Ok(result)
    }

    pub fn state(&self, slot: SlotId) -> State {
        self.view().slot(slot).map_or(State::Inactive, Slot::state)
    }

    /// The device that the lock proved to hold the share's key.
    pub fn downloaded(&self, slot: SlotId) -> Option<PublicKey> {
        self.view().status(slot).shared.and_then(|key| key.downloaded.map(|proof| proof.device))
    }

    /// The numbers of the keys that may open.
    pub fn may_open(&self, slot: SlotId) -> Vec<u32> {
        self.view().status(slot).may_open.iter().map(|key| key.key.generation.value()).collect()
    }
}

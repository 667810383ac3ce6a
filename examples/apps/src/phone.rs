//! The phones: the owner's and the guests'.

use sharekey::code::ShareCode;
use sharekey::contacts::ContactBook;
use sharekey::crypto::Ring;
use sharekey::error::GuestError;
use sharekey::guest::{Account, Invitation, Keyring, RingChange};
use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, Rights};
use sharekey::message::{Battery, Connect};
use sharekey::owner::{Fact, NewView, Order, OwnedLock, Owner, ViewChange, Whom};
use sharekey::sealed::Sealed;
use sharekey::secret::{ActivationSecret, Seed, StorageKey};

use super::cloud::Cloud;
use super::{Outcome, Radio, entropy, now};

pub struct OwnerPhone {
    pub owner: Owner<Ring>,
    pub contacts: ContactBook,
    view: Option<OwnedLock>,
    /// Where the phone keeps its view. A real one is a file or a database.
    disk: Vec<u8>,
}

impl OwnerPhone {
    pub fn new() -> Outcome<Self> {
        let owner = Owner::new(Ring, &Seed::random(&mut entropy()))?;
        Ok(Self { owner, contacts: ContactBook::new(), view: None, disk: Vec::new() })
    }

    pub fn provision(&mut self, door: &mut impl Radio, card: &ActivationSecret, cloud: &mut Cloud) -> Outcome<()> {
        let challenge = door.send(&Connect::OPERATE)?;
        let (message, pending) = self.owner.provision(card, &challenge, cloud.key(), &mut entropy())?;
        let answer = door.send(&message)?;
        self.keep(pending.finish(&self.owner, &answer)?)?;
        self.contact(cloud)
    }

    /// Takes over a lock that its old owner transferred.
    pub fn adopt(&mut self, door: &impl Radio, cloud: &mut Cloud, done: &[u8]) -> Outcome<()> {
        self.keep(self.owner.adopt(door.id(), &cloud.key(), done)?)?;
        self.contact(cloud)
    }

    /// Begins with a view; one that the phone has, and that knows more, stays.
    fn keep(&mut self, new: NewView) -> Outcome<()> {
        let view = new.put_new(read(&self.disk)?, |next| write(&mut self.disk, next))?;
        self.view = Some(view);
        Ok(())
    }

    /// One step of the view: stored first.
    fn step<T>(&mut self, by: impl for<'v> FnOnce(&Owner<Ring>, &'v mut OwnedLock) -> ViewChange<'v, T>) -> Outcome<T> {
        let Self { owner, view, disk, .. } = self;
        by(owner, view.as_mut().ok_or("no lock")?)?.commit(|next| write(disk, next))
    }

    /// Sends the cloud what it must hear of, and takes in what it answers. What does not arrive goes out the next time, and
    /// what is refused does not hold up the rest.
    pub fn contact(&mut self, cloud: &mut Cloud) -> Outcome<()> {
        let due: Vec<Vec<u8>> = self.view()?.outbox().map(|due| due.message.to_vec()).collect();
        let mut refused = Ok(());
        for message in due {
            match cloud.take(&message) {
                Ok(answer) if answer.is_empty() => {}
                Ok(answer) => drop(self.step(|owner, view| owner.learn(view, &answer))?),
                Err(refusal) => refused = Err(refusal),
            }
        }
        refused
    }

    /// Gives the lock an order, and its answer to the cloud; gives that answer.
    pub fn order(&mut self, door: &mut impl Radio, cloud: &mut Cloud, order: Order) -> Outcome<Vec<u8>> {
        let challenge = door.send(&Connect::OPERATE)?;
        let (command, pending) = self.step(|owner, view| owner.order(view, order, &challenge, &mut entropy()))?;
        let done = door.send(&command)?;
        let learned = self.step(|owner, view| pending.finish(owner, view, &done))?;
        // A new owner's phone tells the cloud that the lock is theirs.
        if !matches!(learned.fact, Fact::Transferred { .. }) {
            self.contact(cloud)?;
        }
        Ok(done)
    }

    /// Shares with a contact.
    pub fn share(&mut self, cloud: &mut Cloud, slot: SlotId, with: &str, may: Rights, when: Limits) -> Outcome<()> {
        let (contacts, id) = (self.contacts.clone(), with.parse()?);
        let _grant =
            self.step(|owner, view| owner.share_with_unverified_contact(view, slot, (&contacts, &id), may, when))?;
        self.contact(cloud)
    }

    /// Shares with whoever types the code that this gives.
    pub fn share_by_code(&mut self, cloud: &mut Cloud, slot: SlotId, may: Rights, when: Limits) -> Outcome<String> {
        let code = ShareCode::issue(&mut entropy());
        let text = self.step(|owner, view| owner.share_by_code(view, slot, code, may, when))?.as_str().to_owned();
        // A real one shows it here, before the grant is out.
        let _grant = self.step(|owner, view| owner.code_shown(view, slot))?;
        self.contact(cloud).and(Ok(text))
    }

    /// Takes a share back; whether that came in time, the view says by the keys that may open.
    pub fn withdraw(&mut self, cloud: &mut Cloud, slot: SlotId) -> Outcome<()> {
        let _withdraw = self.step(|owner, view| owner.withdraw(view, slot))?;
        self.contact(cloud)
    }

    /// Sends what the cloud must hear of, fetches what it has, and believes what is signed.
    pub fn sync(&mut self, cloud: &mut Cloud) -> Outcome<()> {
        self.contact(cloud)?;
        // Of every slot: another phone may have shared one that this one never heard of.
        let slots: Vec<SlotId> = self.view()?.every_slot().collect();
        for slot in slots {
            let (request, pending) = self.owner.ask(self.view()?, slot, now(), &mut entropy())?;
            let answer = cloud.report(&request)?;
            let _ = self.step(|owner, view| owner.see(view, pending, &answer))?;
        }
        Ok(())
    }

    pub fn view(&self) -> Outcome<&OwnedLock> {
        Ok(self.view.as_ref().ok_or("no lock")?)
    }

    pub fn show(&self) {
        for status in self.view.iter().flat_map(OwnedLock::statuses) {
            let Some(key) = status.shared else { continue };
            let whom = match key.whom(&self.contacts) {
                Whom::Contact(id, _) => id.to_string(),
                Whom::FormerContact(id) => format!("who was {id}"),
                _ => "a share code".to_owned(),
            };
            let device = key.downloaded.map_or("nobody yet".to_owned(), |proof| proof.device.to_string());
            let state = status.state.map_or_else(|| "not known".to_owned(), |state| state.to_string());
            println!("    slot {}: {state} with {whom}, downloaded by {device:.12}", status.slot);
        }
    }
}

fn read(disk: &[u8]) -> Outcome<Option<OwnedLock>> {
    if disk.is_empty() { Ok(None) } else { Ok(serde_json::from_slice(disk)?) }
}

/// Only in place of the version that it was made from: the app and its widget share one disk.
fn write(disk: &mut Vec<u8>, next: &OwnedLock) -> Outcome<()> {
    if !next.follows(read(disk)?.as_ref()) {
        return Err("the view changed meanwhile".into());
    }
    *disk = serde_json::to_vec(next)?;
    Ok(())
}

pub struct GuestPhone {
    pub account: Account<Ring>,
    ring: Keyring,
    /// Where the phone keeps its ring, sealed. A real one takes the key from the platform's key store.
    disk: Option<Sealed<Keyring>>,
    storage: StorageKey,
}

impl GuestPhone {
    pub fn new() -> Outcome<Self> {
        Ok(Self::with(Account::from_seed(&Ring, &Seed::random(&mut entropy()))?))
    }

    /// The phone of somebody who types a share code.
    pub fn typing(code: &str) -> Outcome<Self> {
        Ok(Self::with(Account::redeem(&Ring, ShareCode::parse(code)?)?))
    }

    fn with(account: Account<Ring>) -> Self {
        Self { account, ring: Keyring::new(), disk: None, storage: StorageKey::random(&mut entropy()) }
    }

    /// One step of the ring: stored first.
    fn step<T>(&mut self, by: impl for<'r> FnOnce(&'r mut Keyring, &Account<Ring>) -> RingChange<'r, T>) -> Outcome<T> {
        let Self { account, ring, disk, storage } = self;
        Ok(by(ring, account)?.commit(|next| {
            Sealed::seal(&Ring, storage, b"ring", next, &mut entropy()).map(|sealed| *disk = Some(sealed))
        })?)
    }

    /// Connects to the lock and the internet, once.
    pub fn download(&mut self, door: &mut impl Radio, cloud: &mut Cloud) -> Outcome<()> {
        let asked = self.account.ask(&Ring, &cloud.key(), now(), &mut entropy())?;
        let grant = cloud.find(&asked)?;
        self.step(|ring, account| ring.take(&Ring, account, &grant, None, &mut entropy()))?;
        let slot = Invitation::read(&grant)?.slot();
        let challenge = door.send(&Connect::INSTALL)?;
        let place = (door.id(), slot);
        let (claim, install) = self.step(|ring, _| ring.install(&Ring, place, &challenge, &mut entropy()))?;
        let release = cloud.take((place, &*claim, &*install))?;
        let bundle = self.step(|ring, _| ring.bundle(&Ring, &release))?;
        let answer = door.send(&bundle)?;
        self.step(|ring, _| ring.finish(&Ring, &answer))?;
        self.tell(cloud)
    }

    /// At every contact with the cloud: what it has not got yet.
    fn tell(&mut self, cloud: &mut Cloud) -> Outcome<()> {
        for receipt in self.ring.to_send().to_vec() {
            cloud.take(&receipt)?;
            self.step(|ring, _| ring.sent(&receipt))?;
        }
        Ok(())
    }

    /// Only the phone and the lock; tells how full the lock's battery is, for the app to warn before it is empty.
    pub fn open(&mut self, door: &mut impl Radio, action: Action) -> Outcome<Battery> {
        let key = self.ring.keys().find(|held| held.key().lock() == door.id()).ok_or("no key")?.key();
        let (unlock, awaiting) = key.unlock(&Ring, &door.send(&Connect::OPERATE)?, action, &mut entropy())?;
        let answer = door.send(&unlock)?;
        Ok(self.step(|ring, _| ring.reply(&Ring, &awaiting, &answer))?.map_err(GuestError::Refused)?)
    }
}

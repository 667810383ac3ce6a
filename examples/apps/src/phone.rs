//! The phones: the owner's and the guests'.

use sharekey::code::ShareCode;
use sharekey::crypto::{PublicKey, Ring};
use sharekey::error::{GuestError, OwnerError};
use sharekey::guest::{Account, GuestKey};
use sharekey::id::SlotId;
use sharekey::limits::Action;
use sharekey::message::{Command, Completed, Connect, Grant, Holding, Withdrawn, WithdrawnOutcome};
use sharekey::owner::{Method, OwnedLock, Owner, PendingCommand};
use sharekey::secret::{ActivationSecret, Seed};
use sharekey::slot::State;
use sharekey::staged::Staged;
use sharekey::wire::{Encoded, Unverified};

use super::cloud::Cloud;
use super::{Outcome, Radio, entropy};

/// What an order gives: the command, and what waits for the lock's answer.
type Ordered<'v> = Result<Staged<'v, OwnedLock, (Encoded<Command>, PendingCommand)>, OwnerError>;

pub struct OwnerPhone {
    owner: Owner<Ring>,
    view: Option<OwnedLock>,
    disk: Disk,
}

/// Where the phone keeps its view. A real one is a file or a database.
#[derive(Default)]
struct Disk(Vec<u8>);

impl Disk {
    fn save(&mut self, view: &OwnedLock) -> Result<(), serde_json::Error> {
        self.0 = serde_json::to_vec(view)?;
        Ok(())
    }
}

impl OwnerPhone {
    pub fn new() -> Outcome<Self> {
        let owner = Owner::new(Ring, &Seed::random(&mut entropy()))?;
        Ok(Self { owner, view: None, disk: Disk::default() })
    }

    pub fn key(&self) -> PublicKey {
        *self.owner.key()
    }

    pub fn provision(&mut self, door: &mut impl Radio, card: &ActivationSecret, cloud: &mut Cloud) -> Outcome<()> {
        let challenge = door.send(&Connect::OPERATE)?;
        let (message, pending) = self.owner.provision(card, &challenge, cloud.key(), &mut entropy())?;
        let answer = door.send(&message)?;
        let view = pending.finish(&self.owner, &answer)?;
        self.disk.save(&view)?;
        self.view = Some(view);
        cloud.ownership(pending.lock(), &answer)
    }

    /// Takes over a lock that its old owner transferred.
    pub fn adopt(&mut self, door: &impl Radio, cloud: &Cloud, done: &[u8]) -> Outcome<()> {
        let view = self.owner.adopt(door.id(), &cloud.key(), done)?;
        self.disk.save(&view)?;
        self.view = Some(view);
        Ok(())
    }

    /// Gives the lock an order, and the lock's answer to the cloud.
    pub fn at_the_lock(
        &mut self,
        door: &mut impl Radio,
        cloud: &mut Cloud,
        order: impl for<'v> FnOnce(&Owner<Ring>, &'v mut OwnedLock, &[u8], &mut dyn rand_core::CryptoRng) -> Ordered<'v>,
    ) -> Outcome<Vec<u8>> {
        let Self { owner, view, disk } = self;
        let view = view.as_mut().ok_or("no lock")?;
        let challenge = door.send(&Connect::OPERATE)?;
        let (command, pending) = order(owner, view, &challenge, &mut entropy())?.commit(|view| disk.save(view))?;
        let done = door.send(&command)?;
        let lock = view.lock();
        let (completed, _) = pending.finish(owner, view, &done)?.commit(|view| disk.save(view))?;
        match completed {
            Completed::Activate { slot, .. } | Completed::Deactivate { slot, .. } | Completed::Inspect { slot, .. } => {
                cloud.done(lock, slot, &done)?;
            }
            Completed::Transfer { .. } => cloud.ownership(lock, &done)?,
            Completed::SetClock { .. } | Completed::Act { .. } => {}
        }
        Ok(done)
    }

    pub fn inspect(&mut self, door: &mut impl Radio, cloud: &mut Cloud, slot: SlotId) -> Outcome<Holding> {
        let done = self.at_the_lock(door, cloud, |owner, view, challenge, rng| {
            owner.inspect(view, slot, challenge, &mut &mut *rng)
        })?;
        match Unverified::<sharekey::message::Done>::parse(&done)?.claims().completed {
            Completed::Inspect { left, .. } => Ok(left.holding),
            _ => Err("not an inspection".into()),
        }
    }

    /// An order that must not be possible any more.
    pub fn order_anything(&mut self, door: &mut impl Radio) -> Outcome<()> {
        let view = self.view.as_mut().ok_or("no lock")?;
        let challenge = door.send(&Connect::OPERATE)?;
        let staged = self.owner.act(view, Action::Open, &challenge, &mut entropy())?;
        let (command, pending) = staged.commit(|view| self.disk.save(view))?;
        let _ = pending.finish(&self.owner, view, &door.send(&command)?)?.commit(|view| self.disk.save(view))?;
        Ok(())
    }

    /// Signs a grant, and publishes it.
    pub fn share(
        &mut self,
        cloud: &mut Cloud,
        share: impl for<'v> FnOnce(
            &Owner<Ring>,
            &'v mut OwnedLock,
        ) -> Result<Staged<'v, OwnedLock, Encoded<Grant>>, OwnerError>,
    ) -> Outcome<()> {
        let Self { owner, view, disk } = self;
        let view = view.as_mut().ok_or("no lock")?;
        let grant = share(owner, view)?.commit(|view| disk.save(view))?;
        let slot = Unverified::<Grant>::parse(&grant)?.claims().slot;
        cloud.publish(view.lock(), slot, &grant)
    }

    /// Takes a share back; the cloud says whether it came in time.
    pub fn withdraw(&mut self, cloud: &mut Cloud, slot: SlotId) -> Outcome<WithdrawnOutcome> {
        let Self { owner, view, disk } = self;
        let view = view.as_mut().ok_or("no lock")?;
        let withdraw = owner.withdraw(view, slot)?.commit(|view| disk.save(view))?;
        let answer = cloud.withdraw(view.lock(), slot, &withdraw)?;
        let _ = owner.learn(view, &answer)?.commit(|view| disk.save(view))?;
        Ok(Unverified::<Withdrawn>::parse(&answer)?.claims().outcome)
    }

    /// Fetches what the cloud has, and believes what is signed.
    pub fn sync(&mut self, cloud: &Cloud) -> Outcome<()> {
        let Self { owner, view, disk } = self;
        let view = view.as_mut().ok_or("no lock")?;
        let slots: Vec<SlotId> = view.statuses().map(|status| status.slot).collect();
        for slot in slots {
            let (version, messages) = cloud.report(view.lock(), slot)?;
            let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
            owner.see(view, slot, version, &messages)?.commit(|view| disk.save(view))?;
        }
        Ok(())
    }

    pub fn state(&self, slot: SlotId) -> State {
        self.view.as_ref().map_or(State::Inactive, |view| view.status(slot).state)
    }

    pub fn downloaded(&self, slot: SlotId) -> bool {
        let status = self.view.as_ref().map(|view| view.status(slot));
        status.and_then(|status| status.shared.map(|key| key.downloaded.is_some())).unwrap_or(false)
    }

    pub fn may_open(&self, slot: SlotId) -> usize {
        self.view.as_ref().map_or(0, |view| view.status(slot).may_open.len())
    }

    pub fn show(&self) {
        for status in self.view.iter().flat_map(OwnedLock::statuses) {
            let Some(key) = status.shared else { continue };
            let whom = match (key.method, key.contact) {
                (Some(Method::Code), _) => "a share code".to_owned(),
                (_, Some(contact)) => contact.to_string(),
                _ => "an account".to_owned(),
            };
            let proof = key.downloaded.map_or("not downloaded".to_owned(), |proof| {
                format!("downloaded to device {}, proof {}", short(&proof.device), short(&proof.proof))
            });
            println!(
                "    slot {}: {:?} with {whom}, number {}, {proof}",
                status.slot, status.state, key.key.generation
            );
        }
    }
}

fn short(bytes: &impl ToString) -> String {
    bytes.to_string().chars().take(8).collect()
}

/// What a person with a share code has: the code is used up.
pub fn code_holder(code: ShareCode) -> Seed {
    code.redeem(&Ring)
}

pub struct GuestPhone {
    seed: Seed,
    key: Option<GuestKey>,
    last_refusal: Option<GuestError>,
}

impl GuestPhone {
    pub fn with_account(seed: Seed) -> Outcome<Self> {
        Ok(Self { seed, key: None, last_refusal: None })
    }

    pub fn account(&self) -> Outcome<Account<Ring>> {
        Ok(Account::from_seed(&Ring, &self.seed)?)
    }

    pub fn last_refusal(&self) -> Option<GuestError> {
        self.last_refusal
    }

    /// Connects to the lock and the internet, once.
    pub fn download(&mut self, door: &mut impl Radio, cloud: &mut Cloud, slot: SlotId) -> Outcome<()> {
        let rng = &mut entropy();
        let account = self.account()?;
        let claimed = account.claim(&Ring, &cloud.find(account.public_key())?, None, rng)?;
        let challenge = door.send(&Connect::INSTALL)?;
        let installing = claimed.install(&Ring, &challenge, rng)?;
        let release = cloud.release(door.id(), slot, claimed.claim(), installing.install())?;
        let download = installing.bundle(&Ring, &release)?;
        let receipt = door.send(download.bundle())?;
        self.key = Some(download.finish(&Ring, &receipt)?);
        cloud.receipt(door.id(), slot, &receipt)
    }

    /// Only the phone and the lock.
    pub fn open(&mut self, door: &mut impl Radio, slot: SlotId, action: Action) -> Outcome<()> {
        let key = self.key.as_ref().filter(|key| key.slot() == slot).ok_or("no key")?;
        let challenge = door.send(&Connect::OPERATE)?;
        let (unlock, awaiting) = key.unlock(&Ring, &challenge, action, &mut entropy())?;
        let checked = key.check_reply(&Ring, &awaiting, &door.send(&unlock)?);
        self.last_refusal = checked.err();
        Ok(checked?)
    }
}

//! The four roles as an app, a cloud and a firmware would run them, on real cryptography and entropy
//! that is the same in every run. Only bytes pass between them, and every message that crosses is on
//! the [`Tape`], so that a test can deliver it again, late, or to somebody else.

pub mod cloud;
pub mod door;
pub mod guest;
pub mod phone;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::rc::Rc;

use crate::provider::Provider;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sharekey::crypto::PublicKey;
use sharekey::error::{Blame, GuestError, LockError, OwnerError, Retry, ServiceError};
use sharekey::guest::{AwaitingReply, Installing};
use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, Rights, Timestamp};
use sharekey::lock::{Session, purpose};
use sharekey::message::{Command, Unlock, WithdrawnOutcome};
use sharekey::owner::{Order, OwnedLock, PendingCommand};
use sharekey::secret::{Exposed, HoldsSecret};
use sharekey::service::{Key, ShareRecord};
use sharekey::slot::State;
use sharekey::wire::{Encoded, Kind};

use self::cloud::Cloud;
use self::door::Door;
use self::guest::Guest;
use self::phone::Phone;
use crate::store::Store;
use crate::{NOON, public};
pub use crate::{digest, rng, seed};

pub const HALL: SlotId = SlotId::new(0);
pub const STUDIO: SlotId = SlotId::new(1);

/// What the keys of the roles stand for; guests take higher numbers.
pub const OLGA: u8 = 1;
pub const CLOUD: u8 = 2;
pub const OTTO: u8 = 3;
pub const OTHER_CLOUD: u8 = 4;
pub const ANA: u8 = 10;
pub const BEN: u8 = 11;
pub const EVE: u8 = 12;

pub use sharekey::service::Place;

/// Who stopped, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    Owner(OwnerError),
    Guest(GuestError),
    Service(ServiceError),
    Lock(LockError),
    /// The lock's power went before it could answer.
    PowerCut,
}

impl Stop {
    /// The library's error, where it is one.
    pub fn blame(&self) -> Option<&dyn Blame> {
        match self {
            Self::Owner(error) => Some(error),
            Self::Guest(error) => Some(error),
            Self::Service(error) => Some(error),
            Self::Lock(error) => Some(error),
            Self::PowerCut => None,
        }
    }

    pub fn retry(self) -> Retry {
        self.blame().map_or(Retry::NewChallenge, Blame::retry)
    }
}

macro_rules! stops {
    ($($name:ident($error:ty)),*) => {$(
        impl From<$error> for Stop {
            fn from(error: $error) -> Self {
                Self::$name(error)
            }
        }
    )*};
}

stops!(Owner(OwnerError), Guest(GuestError), Service(ServiceError), Lock(LockError));

/// Every message that crossed, in order.
#[derive(Clone, Default)]
pub struct Tape(Rc<RefCell<Vec<Vec<u8>>>>);

impl Tape {
    pub fn note(&self, message: &[u8]) -> Vec<u8> {
        self.0.borrow_mut().push(message.to_vec());
        message.to_vec()
    }

    pub fn everything(&self) -> Vec<Vec<u8>> {
        self.0.borrow().clone()
    }

    pub fn all(&self, kind: Kind) -> Vec<Vec<u8>> {
        self.0.borrow().iter().filter(|message| Kind::of(message) == Ok(kind)).cloned().collect()
    }

    pub fn first(&self, kind: Kind) -> Vec<u8> {
        self.all(kind).into_iter().next().unwrap()
    }

    pub fn last(&self, kind: Kind) -> Vec<u8> {
        self.all(kind).pop().unwrap()
    }
}

/// The value as another process reads it: through both formats that apps use.
pub fn through_storage<T: Serialize + DeserializeOwned>(value: &T) -> T {
    let read: T = serde_json::from_slice(&serde_json::to_vec(value).unwrap()).unwrap();
    postcard::from_bytes(&postcard::to_allocvec(&read).unwrap()).unwrap()
}

/// The same of what holds a secret.
pub fn exposed<T: HoldsSecret>(value: &T) -> T {
    let read: Exposed<T> = serde_json::from_slice(&serde_json::to_vec(&Exposed(value)).unwrap()).unwrap();
    let Exposed(value) = postcard::from_bytes(&postcard::to_allocvec(&read).unwrap()).unwrap();
    value
}

/// Everything that lasts: what must not change when something is refused.
#[derive(PartialEq, Debug)]
pub struct Snapshot {
    pub store: Store,
    pub bolt: Vec<Action>,
    pub records: BTreeMap<Key, Vec<u8>>,
    pub view: Option<OwnedLock>,
}

/// One lock of Olga's, and the cloud that it names.
pub struct World {
    pub door: Door,
    pub cloud: Cloud,
    pub olga: Phone,
    pub tape: Tape,
}

impl World {
    /// A factory-fresh lock. Another `number` is another lock; owner and cloud are the same.
    pub fn fresh(number: u8) -> Self {
        let tape = Tape::default();
        let door = Door::make(number, &tape);
        Self { door, cloud: Cloud::new(CLOUD, &tape), olga: Phone::new(OLGA, &tape), tape }
    }

    pub fn provisioned(number: u8) -> Self {
        let mut world = Self::fresh(number);
        world.olga.provision(&mut world.door, &mut world.cloud).unwrap();
        world
    }

    /// The hall and the studio are open for sharing.
    pub fn active() -> Self {
        Self::active_at(1)
    }

    pub fn active_at(number: u8) -> Self {
        let mut world = Self::provisioned(number);
        world.activate(HALL).unwrap();
        world.activate(STUDIO).unwrap();
        world
    }

    /// The hall is shared with Ana.
    pub fn shared() -> (Self, Guest) {
        let mut world = Self::active();
        let ana = world.guest(ANA);
        world.share(HALL, &ana).unwrap();
        (world, ana)
    }

    /// Her device has claimed it.
    pub fn claimed() -> (Self, Guest) {
        let (world, mut ana) = Self::shared();
        ana.claim(&world.tape.last(Kind::Grant)).unwrap();
        (world, ana)
    }

    /// Ana's key is installed in the hall, without limits.
    pub fn downloaded() -> (Self, Guest) {
        Self::downloaded_with(Limits::NONE)
    }

    /// Under these limits. Where they need the time, Olga set the clock.
    pub fn downloaded_with(limits: Limits) -> (Self, Guest) {
        let mut world = Self::active();
        if limits.valid_from().is_some() || limits.valid_until().is_some() || limits.schedule().is_some() {
            world.olga.set_clock(&mut world.door, Timestamp::from_unix_seconds(NOON)).unwrap();
        }
        let mut ana = world.guest(ANA);
        world.share_with(HALL, &ana, Rights::OPEN_AND_LOCK, limits).unwrap();
        world.download(&mut ana).unwrap();
        (world, ana)
    }

    pub fn guest(&self, byte: u8) -> Guest {
        Guest::new(seed(byte), &self.tape)
    }

    pub fn place(&self, slot: SlotId) -> Place {
        (self.door.id(), slot)
    }

    pub fn record(&self, slot: SlotId) -> ShareRecord {
        self.cloud.record(self.place(slot))
    }

    pub fn activate(&mut self, slot: SlotId) -> Result<(), Stop> {
        self.olga.activate(&mut self.door, &mut self.cloud, slot)
    }

    pub fn deactivate(&mut self, slot: SlotId) -> Result<(), Stop> {
        self.olga.deactivate(&mut self.door, &mut self.cloud, slot)
    }

    pub fn share(&mut self, slot: SlotId, guest: &Guest) -> Result<Vec<u8>, Stop> {
        self.share_with(slot, guest, Rights::OPEN_AND_LOCK, Limits::NONE)
    }

    pub fn share_with(&mut self, slot: SlotId, to: &Guest, rights: Rights, limits: Limits) -> Result<Vec<u8>, Stop> {
        self.olga.share(&mut self.cloud, slot, to.subject(), rights, limits)
    }

    pub fn withdraw(&mut self, slot: SlotId) -> Result<WithdrawnOutcome, Stop> {
        self.olga.withdraw(&mut self.cloud, slot)
    }

    pub fn download(&mut self, guest: &mut Guest) -> Result<(), Stop> {
        guest.download(&mut self.door, &mut self.cloud)
    }

    /// A slot is shared with somebody who claims it.
    pub fn claims(&mut self, slot: SlotId, guest: &mut Guest) {
        let grant = self.share(slot, guest).unwrap();
        guest.claim(&grant).unwrap();
    }

    /// A slot is shared with somebody new, who downloads the key.
    pub fn downloads(&mut self, slot: SlotId, byte: u8) -> Guest {
        let mut guest = self.guest(byte);
        self.share(slot, &guest).unwrap();
        self.download(&mut guest).unwrap();
        guest
    }

    /// A guest at the door, who asks the lock to install the claimed key.
    pub fn asks(&mut self, guest: &mut Guest) -> (Session<purpose::Install>, Installing) {
        let (challenge, session) = self.door.connect();
        (session, guest.ask(&challenge).unwrap())
    }

    /// A download up to the lock: its session, what the guest asked with, and the cloud's release.
    pub fn released(&mut self, guest: &mut Guest) -> (Session<purpose::Install>, Installing, Vec<u8>) {
        let (session, asked) = self.asks(guest);
        let release = self.cloud.take(guest.place(), (guest.claimed().claim(), asked.install())).unwrap();
        (session, asked, release)
    }

    /// An unlock on its way, the session that waits for it, and the guest who waits for the reply.
    pub fn asked(
        &mut self,
        guest: &mut Guest,
        action: Action,
    ) -> (Session<purpose::Operate>, Encoded<Unlock>, AwaitingReply) {
        let (challenge, session) = self.door.connect();
        let Guest { key, rng, .. } = guest;
        let (unlock, awaiting) = key.as_ref().unwrap().unlock(&Provider, &challenge, action, rng).unwrap();
        (session, unlock, awaiting)
    }

    /// A command of Olga's on its way, the session that waits for it, and what waits for the answer.
    pub fn ordered(&mut self, order: Order) -> (Session<purpose::Operate>, Encoded<Command>, PendingCommand) {
        let (challenge, session) = self.door.connect();
        let (command, pending) = self.olga.sign_order(order, &challenge).unwrap();
        (session, command, pending)
    }

    pub fn open(&mut self, guest: &mut Guest) -> Result<(), Stop> {
        guest.act(&mut self.door, Action::Open)
    }

    /// Olga's phone asks the cloud what is new.
    pub fn sync(&mut self) {
        self.olga.sync(&mut self.cloud).unwrap();
    }

    /// The state of a slot, which cloud and owner agree on.
    pub fn state(&self, slot: SlotId) -> State {
        let state = self.olga.state(slot);
        assert_eq!(state, self.record(slot).slot().state(), "owner and cloud disagree");
        state
    }

    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            store: self.door.store.clone(),
            bolt: self.door.bolt.clone(),
            records: self.cloud.records.clone(),
            view: self.olga.view.clone(),
        }
    }

    /// The attempt is refused for exactly this reason, and nothing that lasts changes.
    #[track_caller]
    pub fn refuses<T: Debug, E: Into<Stop>>(
        &mut self,
        because: impl Into<Stop>,
        attempt: impl FnOnce(&mut Self) -> Result<T, E>,
    ) {
        let before = self.snapshot();
        assert_eq!(attempt(self).map_err(Into::into).expect_err("accepted"), because.into());
        assert_eq!(self.snapshot(), before);
    }

    /// As [`refuses`](Self::refuses), by the lock.
    #[track_caller]
    pub fn lock_refuses<T: Debug>(&mut self, because: LockError, attempt: impl FnOnce(&mut Self) -> Result<T, Stop>) {
        self.refuses(because, attempt);
    }

    /// From now on the phones restart between any two steps.
    pub fn restart_all_the_time(&mut self) {
        self.olga.restarts = true;
    }
}

/// The key of a role.
pub fn key_of(role: u8) -> PublicKey {
    public(&seed(role))
}

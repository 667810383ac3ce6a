//! Everything outside the lock: the phones, the cloud, and the ledger that judges. It can be copied, so
//! that one moment is gone on from in many ways.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use rand_chacha::ChaCha20Rng;
use sharekey::crypto::{Digest, Nonce, PublicKey};
use sharekey::guest::{Account, Claimed, GuestKey};
use sharekey::id::{LockId, SlotId};
use sharekey::limits::Action;
use sharekey::owner::{Order, OwnedLock, Owner};
use sharekey::service::{Request, Service, ShareRecord};
use sharekey_model::invariant::{Answered, Event, Ledger, Place, Service as Trust};
use sharekey_stage::desk::serve;
use sharekey_stage::forge::Forge;
use sharekey_stage::ops::To;
pub use sharekey_stage::stand::CARD;
pub use sharekey_stage::store::stored;
use sharekey_stage::{rng, seed};

use crate::door::{Ask, Door, Intent};
use crate::facts::Facts;

pub use sharekey_stage::provider::Plain as Provider;

#[derive(Clone)]
pub struct Phone<C: Provider> {
    pub owner: Rc<Owner<C>>,
    pub view: Option<OwnedLock>,
}

#[derive(Clone)]
pub struct Guest<C: Provider> {
    pub account: Rc<Account<C>>,
    pub claimed: BTreeMap<Digest, Rc<Claimed>>,
    /// Every key that it ever got, the newest last.
    pub keys: Vec<Rc<GuestKey>>,
}

#[derive(Clone)]
pub struct World<C: Provider> {
    pub phones: [Phone<C>; 2],
    /// Whose phone owns the lock.
    pub current: usize,
    pub service: Rc<Service<C>>,
    pub records: BTreeMap<(LockId, SlotId), ShareRecord>,
    pub guests: [Guest<C>; 2],
    pub ledger: Ledger,
    /// What the lock must be; `None` while it is not made.
    pub facts: Option<Facts>,
    /// How many openings each grant allows.
    pub uses: BTreeMap<Digest, Option<u32>>,
    /// What the bolt did.
    pub bolt: Vec<Action>,
    /// Every lock that there was.
    pub ids: BTreeSet<LockId>,
    /// Which lock a reset was begun at.
    pub resetting: Option<LockId>,
    /// Which step of the script is next.
    pub at: usize,
    pub rng: ChaCha20Rng,
}

pub fn digest<C: Provider>(message: &[u8]) -> Digest {
    Forge::<C>::new().digest(message)
}

pub fn nonce_of(challenge: &[u8]) -> [u8; Nonce::LEN] {
    *sharekey_stage::nonce_of(challenge).as_bytes()
}

/// Accepted in time.
pub fn answered(challenge: &[u8]) -> Answered {
    Answered { nonce: nonce_of(challenge), in_time: true }
}

impl<C: Provider> World<C> {
    pub fn new() -> Self {
        let phone = |byte| Phone { owner: Rc::new(Owner::new(C::default(), &seed(byte)).unwrap()), view: None };
        let guest = |byte| {
            let account = Rc::new(Account::from_seed(&C::default(), &seed(byte)).unwrap());
            Guest { account, claimed: BTreeMap::new(), keys: Vec::new() }
        };
        Self {
            phones: [phone(1), phone(2)],
            current: 0,
            service: Rc::new(Service::new(C::default(), &seed(3)).unwrap()),
            records: BTreeMap::new(),
            guests: [guest(10), guest(11)],
            ledger: Ledger::new(Trust::Honest),
            facts: None,
            uses: BTreeMap::new(),
            bolt: Vec::new(),
            ids: BTreeSet::new(),
            resetting: None,
            at: 0,
            rng: rng(1),
        }
    }

    pub fn observe(&mut self, event: &Event) {
        self.ledger.observe(event).unwrap_or_else(|violation| panic!("{violation}: {event:?}"));
    }

    /// The lock gave the result: it happened for good.
    pub fn happened(&mut self, intent: &Intent) {
        self.facts = intent.change.applied(&self.facts);
        if let Some(event) = intent.event {
            self.observe(&event);
        }
    }

    /// Nobody got an answer; what is on flash says whether it happened.
    pub fn settle(&mut self, intent: &Intent, arrived: bool) {
        if !arrived {
            return;
        }
        self.facts = intent.change.applied(&self.facts);
        // The bolt did not move: a use is lost.
        if let Some(event) = intent.event.filter(|event| !matches!(event, Event::Acted { .. })) {
            self.observe(&event);
        }
    }

    pub fn facts(&self) -> &Facts {
        self.facts.as_ref().unwrap()
    }

    pub fn place(&self, lock: LockId, slot: SlotId) -> Place {
        Place { lock, epoch: self.facts().owner.unwrap().0, slot }
    }

    pub fn service_key(&self) -> PublicKey {
        *self.service.key()
    }

    pub fn owner(&self) -> Rc<Owner<C>> {
        Rc::clone(&self.phones[self.current].owner)
    }

    /// The owner's phone decides and stores.
    pub fn with_view<T>(&mut self, decide: impl FnOnce(&Owner<C>, &mut OwnedLock, &mut ChaCha20Rng) -> T) -> T {
        let Phone { owner, view } = &mut self.phones[self.current];
        decide(owner, view.as_mut().unwrap(), &mut self.rng)
    }

    /// The cloud decides and stores.
    /// The cloud takes this in; gives the message to send.
    pub fn serve<'a>(&mut self, place: (LockId, SlotId), request: impl Into<Request<'a>>) -> Vec<u8> {
        serve(&self.service, self.records.get_mut(&place).unwrap(), request).unwrap()
    }

    /// A signed transfer that the phone forgets again.
    pub fn transfer_to_oneself(&mut self, challenge: &[u8]) -> Vec<u8> {
        let service = self.service_key();
        let Phone { owner, view } = &mut self.phones[self.current];
        let mut view = view.clone().unwrap();
        let order =
            owner.order(&mut view, Order::Transfer { owner: *owner.key(), service }, challenge, &mut self.rng).unwrap();
        order.commit(stored).unwrap().0.to_vec()
    }

    /// Whoever holds a key of that slot moves the bolt with it.
    pub fn assert_neighbour_works(&mut self, door: &mut Door<C>, slot: SlotId) {
        let holding = self.facts().slots[usize::from(slot.index())].holding;
        let lock = door.id();
        let mut keys = self.guests.iter().flat_map(|guest| guest.keys.iter().rev().take(1));
        let sharekey::message::Holding::Installed { grant, .. } = holding else { return };
        let Some(key) = keys.find(|key| key.grant() == grant && key.lock() == lock).cloned() else { return };
        let (challenge, session) = door.challenge_quietly(self);
        let (unlock, awaiting) = key.unlock(&C::default(), &challenge, Action::Lock, &mut self.rng).unwrap();
        let unlocked = door.quietly(Ask::Send(session, To::Unlock, &unlock)).unwrap();
        key.check_reply(&C::default(), &awaiting, unlocked.answer()).unwrap();
    }
}

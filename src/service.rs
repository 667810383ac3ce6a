//! The service: decides, for each grant, whether its release or its withdrawal came first
//! (spec: "Service").
//!
//! A pure state machine over one [`ShareRecord`] per lock and slot. It is trusted for order only,
//! never for who may enter: what is in a record was signed by the owner or the lock, but for the service's own
//! answers to withdrawals.
//!
//! | what comes | what is called |
//! |---|---|
//! | a lock's word on whose it is, of a slot without a record | [`Service::open`], [`NewRecord::put_new`] |
//! | anything else that is sent | [`Service::take`], [`Staged::commit`], [`Taken::answer`] |
//! | an owner who asks what became of it | [`Service::report`] |
//! | a guest who asks what was shared with a key | [`Service::find`], an index over [`ShareRecord::subject`], [`ShareRecord::grant`] |
//!
//! What is sent again is answered again, so whoever got no answer may always send the same bytes once more. Who asks
//! signs, so the last two are the service's access control: nobody else is told what is shared.
//!
//! # What the store has to do
//!
//! A grant is released or withdrawn, and one of the two comes first, as long as the store keeps these:
//!
//! 1. What it acknowledged is durable at that moment: no crash, power cut or change of the primary undoes it.
//! 2. It never goes on with an older copy of a record. (Where a backup was restored all the same: a release may be
//!    forgotten, and the way out is a transfer of each lock to its own owner.)
//! 3. Reads are linearizable: a record is read as it was acknowledged last, by no replica that lags behind, and not
//!    before it is durable.
//! 4. A new record is created only where there is none for its lock and slot, in one step: two types, [`NewRecord`]
//!    and [`ShareRecord`], for two statements.
//! 5. A record is replaced only in place of the one that was decided on. What is compared is the whole record
//!    ([`to_bytes`](ShareRecord::to_bytes)), or its version and a digest of it: after a rollback versions are used
//!    again. That holds also where nothing but the version changed, so that an answer is always as of the record that
//!    it was stored with. A swap that failed gives out nothing: read the record again, and decide again.
//! 6. A record is not deleted within its epoch, and better not at all while the lock may live: the numbers in it are
//!    what keeps a withdrawn grant from being published again.
//!
//! An index over the subjects and an outbox of what [`Changed`] are written in the same transaction. Where an index may
//! lag it is a hint: ask the record that it leads to for its [`subject`](ShareRecord::subject) again.
//!
//! # A backend's core
//!
//! Over maps in memory; each of its two writes is one transaction of a database.
//!
//! ```
//! # #[cfg(feature = "ring")] {
//! # use std::collections::{BTreeMap, BTreeSet};
//! # use sharekey::crypto::{PublicKey, Ring};
//! # use sharekey::id::{LockId, SlotId};
//! # use sharekey::limits::{Limits, Rights};
//! # use sharekey::lock::{Battery, Clock, Found, Making, Now, purpose};
//! # use sharekey::owner::{Method, Order};
//! # use sharekey::secret::{ActivationSecret, Seed};
//! # use sharekey::service::{Changed, Place, Request, Service, ShareRecord, place_of, places_of};
//! # use sharekey::{Account, Owner};
//! # type Failed = Box<dyn std::error::Error>;
//! struct Backend {
//!     service: Service<Ring>,
//!     records: BTreeMap<Place, Vec<u8>>,
//!     subjects: BTreeSet<(PublicKey, Place)>,
//!     outbox: Vec<(Place, Changed)>,
//! }
//!
//! impl Backend {
//!     /// Whatever owner, guest or lock sends; gives what is to be sent back.
//!     fn receive(&mut self, message: &[u8]) -> Result<Vec<u8>, Failed> {
//!         let ((_, slot), mut answer) = (place_of(message)?, Vec::new());
//!         for place in places_of(message, 10)? {
//!             if slot.is_none() && !self.records.contains_key(&place) {       // a new lock says whose it is
//!                 let new = self.service.open(message, place.1)?;
//!                 new.put_new(|new| self.put(None, new.record(), Changed::Nothing))?;
//!             }
//!             answer = self.take(place, message.into())?;
//!         }
//!         Ok(answer)
//!     }
//!
//!     /// The same of a request whose place is known: a claim and an install are for the place of the grant.
//!     fn take(&mut self, place: Place, request: Request<'_>) -> Result<Vec<u8>, Failed> {
//!         loop {
//!             let mut record = ShareRecord::from_bytes(self.records.get(&place).ok_or("no such slot")?)?;
//!             let staged = self.service.take(&mut record, request)?;
//!             let (before, changed) = (staged.before().clone(), staged.changed());
//!             if let Ok(taken) = staged.commit(|next| self.put(Some(&before), next, changed)) {
//!                 return Ok(taken.answer()?);
//!             }
//!         }
//!     }
//!
//!     /// One transaction: the record in place of the one before, or of none; the index; the outbox.
//!     fn put(&mut self, before: Option<&ShareRecord>, next: &ShareRecord, changed: Changed) -> Result<(), Failed> {
//!         let place = next.place();
//!         let same = self.records.get(&place) == before.map(ShareRecord::to_bytes).as_ref();
//!         same.then_some(()).ok_or("another request came first")?;
//!         self.records.insert(place, next.to_bytes());
//!         before.and_then(ShareRecord::subject).map(|subject| self.subjects.remove(&(subject, place)));
//!         self.subjects.extend(next.subject().map(|subject| (subject, place)));
//!         self.outbox.extend((changed != Changed::Nothing).then_some((place, changed)));
//!         Ok(())
//!     }
//! }
//!
//! # fn main() -> Result<(), Failed> {
//! # let rng = &mut sharekey::rand_core::UnwrapErr(getrandom::SysRng);
//! # let flash = |_record: &sharekey::lock::Record| Ok::<(), std::io::Error>(());
//! # let disk = |_view: &sharekey::owner::OwnedLock| Ok::<(), std::io::Error>(());
//! # let now = Now { ticks: 0, clock: Clock::Unset, battery: Battery::UNKNOWN };
//! # let card = || ActivationSecret::from_bytes([7; 16]);
//! # let mut making = Making::<Ring, 10>::new(Ring, card(), Found::Nothing, rng)?;
//! # while let Some(record) = making.record()? {
//! #     flash(&record)?;
//! #     making.written();
//! # }
//! # let mut lock = making.finish().expect("all records are written");
//! # let (owner, guest) = (Owner::new(Ring, &Seed::random(rng))?, Account::from_seed(&Ring, &Seed::random(rng))?);
//! # let hall = SlotId::new(0);
//! let service = Service::new(Ring, &Seed::random(rng))?;
//! # let key = *service.key();
//! let mut backend = Backend { service, records: BTreeMap::new(), subjects: BTreeSet::new(), outbox: Vec::new() };
//! # let given = lock.challenge::<purpose::Operate>(now, rng)?.commit(flash)?;
//! # let (provision, pending) = owner.provision(&card(), &given.challenge, key, rng)?;
//! # let provisioned = lock.provision(given.session, &provision, now)?.commit(flash)?.provisioned;
//! # let mut view = pending.finish(&owner, &provisioned)?;
//! # let given = lock.challenge::<purpose::Operate>(now, rng)?.commit(flash)?;
//! # let activate = Order::Activate { slot: hall };
//! # let (command, _pending) = owner.order(&mut view, activate, &given.challenge, rng)?.commit(disk)?;
//! # let done = lock.command(given.session, &command, now)?.commit(flash)?.done;
//! # let _ = owner.learn(&mut view, &done)?.commit(disk)?;
//! # let grant = owner.share(&mut view, hall, *guest.public_key(), Method::Account, Rights::OPEN, Limits::NONE)?;
//! # let grant = grant.commit(disk)?;
//! backend.receive(&provisioned)?;
//! backend.receive(&done)?;
//! backend.receive(&grant)?;
//! backend.receive(&grant)?;                                               // its answer was lost
//!
//! // The guest asks what is shared with its key, and comes to the door.
//! let (_, place) = *backend.subjects.first().expect("it is shared");
//! # let record = ShareRecord::from_bytes(&backend.records[&place])?;
//! # let claimed = guest.claim(&Ring, record.grant().expect("it is shared"), None, rng)?;
//! # let given = lock.challenge::<purpose::Install>(now, rng)?.commit(flash)?;
//! # let attempt = claimed.install(&Ring, &given.challenge, rng)?;
//! let release = backend.take(place, (attempt.claim(), attempt.install()).into())?;
//! # assert_eq!(attempt.bundle(&Ring, &release).map(drop), Ok(()));
//! # let withdraw = owner.withdraw(&mut view, hall)?.commit(disk)?;
//! let withdrawn = backend.receive(&withdraw)?;                            // too late, and it says so
//! # let _ = owner.learn(&mut view, &withdrawn)?.commit(disk)?;
//! # assert_eq!(view.status(hall).may_open.len(), 1);
//!
//! use Changed::{Activated, Published, Released, Withdrawn};
//! let told: Vec<Changed> = backend.outbox.iter().map(|(_, changed)| *changed).collect();
//! assert!(matches!(told[..], [Activated { .. }, Published { .. }, Released { .. }, Withdrawn { .. }]));
//! assert!(backend.subjects.is_empty());
//! # Ok(())
//! # }
//! # main().unwrap();
//! # }
//! ```

mod download;
mod open;
mod prove;
mod record;
mod report;
mod share;
mod stored;
mod taken;

pub use self::open::NewRecord;
pub use self::record::{Evidence, ShareRecord};
pub use self::taken::{Changed, RecordChange, Request, Taken};

use crate::counter::Epoch;
use crate::crypto::{Crypto, PublicKey, Signer};
use crate::error::{ProviderFailed, ServiceError};
use crate::id::{LockId, SlotId};
use crate::message::{Completed, Done, Grant, Provisioned, Receipt, Withdraw};
use crate::secret::Seed;
use crate::slot::Told;
#[cfg(doc)]
use crate::staged::Staged;
use crate::wire::{Kind, Unverified};

/// One service: its provider and its key.
#[derive(Debug)]
pub struct Service<C: Crypto> {
    crypto: C,
    signer: Signer<C>,
}

impl<C: Crypto> Service<C> {
    /// The service whose key `seed` stands for.
    ///
    /// # Errors
    /// [`ProviderFailed`] when the provider cannot load the key.
    pub fn new(crypto: C, seed: &Seed) -> Result<Self, ProviderFailed> {
        let signer = Signer::from_seed(&crypto, seed)?;
        Ok(Self { crypto, signer })
    }

    /// The service's key, which the owner has the lock store.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        self.signer.public()
    }
}

/// One slot of one lock: what a store has a record by.
pub type Place = (LockId, SlotId);

/// Which record a message is for: the lock and the slot that it names, or no slot for a statement of ownership,
/// which is for every record of the lock.
///
/// Nothing of the message was checked; the record's own checks follow.
///
/// # Errors
/// [`ServiceError::Wire`]; [`ServiceError::NotOfASlot`] for what no record takes alone: the `Done` of another
/// operation, which tells a service nothing, and a claim or an install, which are for the record whose grant the
/// guest was given.
pub fn place_of(message: &[u8]) -> Result<(LockId, Option<SlotId>), ServiceError> {
    meant_for(message).map(|(lock, _, slot)| (lock, slot))
}

/// The records that a message is for, of a lock with so many slots: that of the slot which it names, or, for a statement
/// of ownership, each. Where there is no record yet, such a statement [opens](Service::open) it; what is there
/// [takes](Service::take) the message. Any other message for a record that is not there is for no slot that the service
/// knows, of this lock or another.
///
/// # Errors
/// As [`place_of`].
pub fn places_of(message: &[u8], slots: u8) -> Result<impl Iterator<Item = Place>, ServiceError> {
    let (lock, slot) = place_of(message)?;
    let all = if slot.is_none() { slots } else { 0 };
    Ok((0..all).map(SlotId::new).chain(slot).map(move |slot| (lock, slot)))
}

/// For whom a message is: lock, epoch and slot.
type Meant = (LockId, Epoch, Option<SlotId>);

fn meant_for(message: &[u8]) -> Result<Meant, ServiceError> {
    Ok(match Kind::of(message)? {
        Kind::Grant => {
            let Grant { lock, epoch, slot, .. } = *Unverified::parse(message)?.claims();
            (lock, epoch, Some(slot))
        }
        Kind::Withdraw => {
            let Withdraw { lock, epoch, slot, .. } = *Unverified::parse(message)?.claims();
            (lock, epoch, Some(slot))
        }
        Kind::Receipt => {
            let Receipt { lock, epoch, slot, .. } = *Unverified::parse(message)?.claims();
            (lock, epoch, Some(slot))
        }
        Kind::Done => {
            let Done { lock, epoch, completed, .. } = *Unverified::parse(message)?.claims();
            match (Told::by(&completed), completed) {
                (Some((slot, _)), _) => (lock, epoch, Some(slot)),
                (None, Completed::Transfer { .. }) => (lock, epoch, None),
                (None, _) => return Err(ServiceError::NotOfASlot),
            }
        }
        Kind::Provisioned => {
            let Provisioned { lock, epoch, .. } = *Unverified::parse(message)?.claims();
            (lock, epoch, None)
        }
        _ => return Err(ServiceError::NotOfASlot),
    })
}

/// Whether a message is for this record. Looked at only after its signature held.
fn check_meant_for(record: &ShareRecord, lock: &LockId, epoch: Epoch, slot: SlotId) -> Result<(), ServiceError> {
    if *lock != record.lock() {
        return Err(ServiceError::WrongLock);
    }
    //= spec/protocol.md#done-and-receipt
    //# SLO-39. A receipt or a Done of another epoch than the record's MUST change nothing.
    //= spec/protocol.md#service
    //# SVC-3. The service MUST refuse a message of another epoch than the record's.
    if epoch != record.epoch() {
        return Err(ServiceError::WrongEpoch);
    }
    if slot != record.slot_id() {
        return Err(ServiceError::WrongSlot);
    }
    Ok(())
}

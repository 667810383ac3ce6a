//! The service: decides, for each grant, whether its release or its withdrawal came first
//! (spec: "Service").
//!
//! A pure state machine over records of two kinds: one [`LockRecord`] a lock, which says whose it is, and one a slot,
//! which follows a version of it. The two are read together ([`ShareRecord`]). The service is trusted for order only,
//! never for who may enter: what is in a record was signed by the owner or the lock, but for the service's own
//! answers to withdrawals.
//!
//! | what comes | what is called |
//! |---|---|
//! | a message of owner, guest or lock | [`Service::serve`], [`Decided::commit`], [`Taken::answer`] |
//! | a guest's claim and install | the same, with the [`Place`] whose grant the guest was given |
//! | an owner's request for a report | the same, with the time |
//! | a guest who asks what was shared with a key | [`Service::find`], an index over [`Write::subject`], [`ShareRecord::load`], [`ShareRecord::grant`] |
//!
//! What is sent again is answered again, so whoever got no answer may always send the same bytes once more. Who asks
//! signs, so the last two are the service's access control: nobody else is told what is shared.
//!
//! # What the store has to do
//!
//! A grant is released or withdrawn, and one of the two comes first, as long as the store keeps these
//! (spec: "The service's store"):
//!
//! 1. What it acknowledged is durable at that moment: no crash, power cut or change of the primary undoes it.
//! 2. It never goes on with an older copy of a record. (Where a backup was restored all the same, mark every lock's record
//!    before the service is reached again ([`Service::restored`]): a release may be forgotten, and the way out is a
//!    transfer of each lock to its own owner.)
//! 3. Reads are linearizable: a record is read as it was acknowledged last, by no replica that lags behind, and not
//!    before it is durable. Each begins after the request came; the slot's record is read before the lock's.
//! 4. A new record is created only where there is none under its key, in one step: two variants of [`Put`], for two
//!    statements.
//! 5. A record is replaced only in place of the one that was decided on. What is compared is the whole record,
//!    or its version and a digest of it: after a rollback versions are used again. A swap that failed gives out nothing:
//!    serve the request again.
//! 6. A record is not deleted within its epoch, and better not at all while the lock may live: the numbers in it are
//!    what keeps a withdrawn grant from being published again.
//!
//! A transfer is one write of the lock's record. A slot's record that follows an older version is brought along by the
//! next write of it, and nothing is signed of it before. So two requests that were decided under two versions of the
//! lock's record never both have their way in one slot.
//!
//! An index over the subjects and an outbox of what [`Changed`] are written in the same transaction. The index is a hint:
//! it may lag, and it still knows what was shared before a transfer. Ask the record that it leads to for its
//! [`subject`](ShareRecord::subject) again.
//!
//! # A backend's core
//!
//! Over maps in memory; [`put`](Put) is one transaction of a database.
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
//! # use sharekey::service::{Changed, Key, Put, Request, Service, ShareRecord, Write};
//! # use sharekey::{Account, Owner};
//! # type Failed = Box<dyn std::error::Error>;
//! struct Backend {
//!     service: Service<Ring>,
//!     records: BTreeMap<Key, Vec<u8>>,
//!     subjects: BTreeSet<(PublicKey, Key)>,
//!     outbox: Vec<(Key, Changed)>,
//! }
//!
//! impl Backend {
//!     /// Whatever owner, guest or lock sends; gives what is to be sent back.
//!     fn receive<'a>(&mut self, request: impl Into<Request<'a>>) -> Result<Vec<u8>, Failed> {
//!         let request = request.into();
//!         loop {
//!             let load = |key| Ok::<_, Failed>(self.records.get(&key).cloned());
//!             let decided = self.service.serve(request, load)?;
//!             if let Ok(taken) = decided.commit(|write| self.put(write)) {
//!                 return Ok(taken.answer()?);
//!             }
//!         }
//!     }
//!
//!     /// One transaction: the record in place of the one before, or of none; the index; the outbox.
//!     fn put(&mut self, write: &Write) -> Result<(), Failed> {
//!         let key = write.key();
//!         let (before, next) = match write.put() {
//!             Put::New(next) => (None, next),
//!             Put::InPlaceOf { before, next } => (Some(before), next),
//!         };
//!         if self.records.get(&key).map(Vec::as_slice) != before {
//!             return Err("another request came first".into());
//!         }
//!         self.records.insert(key, next.to_vec());
//!         write.subject_before().map(|subject| self.subjects.remove(&(subject, key)));
//!         self.subjects.extend(write.subject().map(|subject| (subject, key)));
//!         self.outbox.push((key, write.changed()));
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
//! # let mut view = pending.finish(&owner, &provisioned)?.put_new(None, disk)?;
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
//! let (_, (lock_id, slot)) = *backend.subjects.first().expect("it is shared");
//! let place = (lock_id, slot.expect("a slot's"));
//! # let record = ShareRecord::load(place, |key| Ok::<_, Failed>(backend.records.get(&key).cloned()))?;
//! # let claimed = guest.claim(&Ring, record.grant().expect("it is shared"), None, rng)?.stored();
//! # let given = lock.challenge::<purpose::Install>(now, rng)?.commit(flash)?;
//! # let attempt = claimed.install(&Ring, &given.challenge, rng)?.stored();
//! let release = backend.receive((place, attempt.claim(), attempt.install()))?;
//! # assert_eq!(attempt.bundle(&Ring, &release).map(drop), Ok(()));
//! # let withdraw = owner.withdraw(&mut view, hall)?.commit(disk)?;
//! let withdrawn = backend.receive(&withdraw)?;                            // too late, and it says so
//! # let _ = owner.learn(&mut view, &withdrawn)?.commit(disk)?;
//! # assert_eq!(view.status(hall).may_open.len(), 1);
//!
//! use Changed::{Activated, Opened, Published, Released, Withdrawn};
//! let told: Vec<Changed> = backend.outbox.iter().map(|(_, changed)| *changed).collect();
//! assert!(matches!(told[..], [Opened { .. }, Activated { .. }, Published { .. }, Released { .. }, Withdrawn { .. }]));
//! assert!(backend.subjects.is_empty());
//! # Ok(())
//! # }
//! # main().unwrap();
//! # }
//! ```

mod download;
mod lock;
mod prove;
mod record;
mod report;
mod serve;
mod share;
mod stored;
mod taken;

pub use self::lock::{LockRecord, NewRecord};
pub use self::record::{Evidence, ShareRecord};
pub use self::serve::{Decided, Put, Write};
pub use self::stored::SlotRecord;
pub use self::taken::{Changed, LockChange, RecordChange, Request, Taken};

use crate::counter::Epoch;
use crate::crypto::{Crypto, PublicKey, Signer};
use crate::error::{ProviderFailed, ServiceError};
use crate::id::{LockId, SlotId};
use crate::message::{Completed, Done, Grant, Provisioned, Receipt, ReportRequest, Withdraw};
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

/// One slot of one lock.
pub type Place = (LockId, SlotId);

/// What a store has a record by: a slot of a lock, or the lock itself.
pub type Key = (LockId, Option<SlotId>);

/// Which record a message is for: the lock and the slot that it names, or no slot for a statement of ownership,
/// which is for the lock's own.
///
/// Nothing of the message was checked; the record's own checks follow.
///
/// # Errors
/// [`ServiceError::Wire`]; [`ServiceError::NotOfASlot`] for what no record takes alone: the `Done` of another
/// operation, which tells a service nothing, and a claim or an install, which are for the record whose grant the
/// guest was given.
pub fn place_of(message: &[u8]) -> Result<Key, ServiceError> {
    meant_for(message).map(|(lock, _, slot)| (lock, slot))
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
        Kind::ReportRequest => {
            let ReportRequest { lock, epoch, slot, .. } = *Unverified::parse(message)?.claims();
            (lock, epoch, Some(slot))
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

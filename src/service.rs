//! The service: decides, for each grant, whether its release or its withdrawal came first
//! (spec: "Service").
//!
//! A pure state machine over one [`ShareRecord`] per lock and slot. It is trusted for order only,
//! never for who may enter: everything in a record was signed by the owner or the lock.
//!
//! # The store
//!
//! One record per ([`LockId`], [`SlotId`]), linearizable, never deleted while the lock may live. A
//! new record is put only if none is there. Every accepted operation gives a
//! [`Staged`] with a record whose [version](ShareRecord::version) is one more; the caller's `put`
//! must compare and swap: replace exactly the record with the version before, or fail. That is also
//! so where nothing but the version changed, so that an answer is always as of the record that it was
//! put with. After a `put` that failed, read the record again and decide again.
//!
//! A guest finds a grant by its subject's key: keep an index from
//! [`ShareRecord::subject`] to (lock, slot), updated with the record.

mod download;
mod open;
mod prove;
mod record;
mod share;
mod stored;
mod taken;

pub use self::open::NewRecord;
pub use self::record::{Evidence, Report, ShareRecord};
pub use self::taken::{Changed, Request, Taken};

use crate::counter::Epoch;
use crate::crypto::{Crypto, PublicKey, Signer};
use crate::error::{ProviderFailed, ServiceError};
use crate::id::{LockId, SlotId};
use crate::message::{Completed, Done, Grant, Provisioned, Receipt, Withdraw};
use crate::secret::Seed;
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
            let slot = match completed {
                Completed::Activate { slot, .. }
                | Completed::Deactivate { slot, .. }
                | Completed::Inspect { slot, .. } => Some(slot),
                Completed::Transfer { .. } => None,
                Completed::SetClock { .. } | Completed::Act { .. } => return Err(ServiceError::NotOfASlot),
            };
            (lock, epoch, slot)
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

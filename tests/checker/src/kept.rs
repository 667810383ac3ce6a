//! A view as the checker keeps it between two steps: without what tells states apart that differ in nothing else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sharekey::counter::Epoch;
use sharekey::crypto::{Digest, PublicKey};
use sharekey::id::{AccountId, LockId, SlotCount, SlotId};
use sharekey::limits::Timestamp;
use sharekey::message::Report;
use sharekey::owner::{Delivery, Method, OwnedLock, Standing};
use sharekey::slot::{GrantRef, Observer, Slot, State};

use super::cast::{FORGE, seed};

/// The stored form of a view; `postcard` has no names in it.
#[derive(Serialize, Deserialize)]
struct View {
    lock: LockId,
    owner: PublicKey,
    service: PublicKey,
    epoch: Epoch,
    ownership: Vec<u8>,
    /// How often it was changed.
    version: u64,
    standing: Standing,
    suspected: bool,
    slot_count: SlotCount,
    slots: BTreeMap<SlotId, Known>,
}

type Issued = (GrantRef, Option<Method>, Option<AccountId>, Delivery, Vec<u8>);
type Said = Vec<(GrantRef, Vec<u8>)>;

#[derive(Serialize, Deserialize)]
struct Known {
    slot: Slot<Observer>,
    issued: Vec<Issued>,
    answered: Vec<GrantRef>,
    withdrawing: Said,
    /// For the service; here every message that was sent can come to it at any time, and as often as anybody likes.
    unheard: Vec<Vec<u8>>,
    denials: Said,
    releases: Said,
    inspected: Option<Digest>,
    /// The version and the moment of the latest report, and its signed part: which request it answered, and which
    /// messages it named, is evidence and decides nothing.
    reported: Option<((u64, Timestamp), Vec<u8>)>,
    contradiction: Option<(Vec<u8>, Vec<u8>)>,
    said_released: Option<GrantRef>,
}

/// The view, as if it had been written once, nothing of it had reached the service, and each of its reports had said no more than its version.
pub fn stored(view: &OwnedLock) -> Vec<u8> {
    let mut kept: View = postcard::from_bytes(&postcard::to_allocvec(view).unwrap()).unwrap();
    kept.version = 1;
    for (slot, known) in &mut kept.slots {
        known.contradiction = None;
        known.unheard.clear();
        known.issued.iter_mut().for_each(|(_, _, _, delivery, _)| *delivery = Delivery::Due);
        if let Some(((version, _), report)) = &mut known.reported {
            let nothing = Digest::from_bytes([0; 32]);
            let body = Report {
                request: nothing,
                lock: kept.lock,
                epoch: kept.epoch,
                slot: *slot,
                version: *version,
                state: State::Inactive,
                slots: kept.slot_count,
                messages: nothing,
            };
            *report = FORGE.signed(&body, &seed(0));
        }
    }
    postcard::to_allocvec(&kept).unwrap()
}

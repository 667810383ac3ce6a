use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::outbox::Delivery;
use super::report::AsOf;
use super::view::{Method, OwnedLock, OwnedSlot};
use crate::contacts::{Contact, ContactBook, Trust};
use crate::counter::Generation;
use crate::crypto::{Digest, PublicKey};
use crate::id::{AccountId, SlotId};
use crate::limits::{Limits, Rights, Timestamp};
use crate::message::Grant;
use crate::slot::{Confirmation, GrantRef, LiveKey, State};

/// What the view says of one slot: what an app shows. It owns all that it says, and can be kept beside the view, for
/// the screen; reading it back checks nothing, and nothing is decided on it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Status {
    /// The slot.
    pub slot: SlotId,
    /// The state that it is in, as far as this phone knows; `None` where nobody told it. `Sharing` says that the phone knows of no
    /// release: whether it can still be revoked, the answer to a withdrawal tells.
    pub state: Option<State>,
    /// The share, where there is one.
    pub shared: Option<KeyStatus>,
    /// Every key that may open the slot, the share's among them. That it is empty proves nothing:
    /// [`nobody_can_open`](Self::nobody_can_open) tells.
    pub may_open: Vec<KeyStatus>,
    /// Whether this phone knows from the lock itself how the slot stood: the lock answered its own
    /// Activate, Deactivate or Inspect of the slot in this ownership.
    pub inspected: bool,
    /// The record's version, and the moment, as of which this is true, by the service's latest report; `None` before the
    /// first one of this ownership: what other phones of the owner did is not known then.
    pub as_of: Option<AsOf>,
}

impl Status {
    /// The moment as of which it is proved that no key opens the slot; `None` where one may, and where that is not known.
    /// A proof of this kind needs the service's report: of what other phones shared, nothing else tells.
    #[must_use]
    pub fn nobody_can_open(&self) -> Option<Timestamp> {
        //= spec/protocol.md#reports
        //# RPT-16. A view MUST NOT say that nobody can open a slot, other than as of the moment at which the request of a report that it took in of the present epoch was signed.
        self.as_of.filter(|_| self.may_open.is_empty()).map(|as_of| as_of.time)
    }
}

/// What the view says of one key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KeyStatus {
    /// The grant's number and digest.
    pub key: GrantRef,
    /// The grant, where the view holds it.
    pub grant: Option<Grant>,
    /// How its subject was named, where this phone signed it.
    pub method: Option<Method>,
    /// The contact that it was shared with, as this phone's book named it then. Whose key it is today,
    /// [`whom`](Self::whom) says.
    pub contact_then: Option<AccountId>,
    /// The latest install that is known to have been released for it.
    pub install: Option<Digest>,
    /// The lock's word that it was downloaded, and to which device.
    pub downloaded: Option<Confirmation>,
    /// Whether its withdrawal was signed and not answered yet.
    pub withdrawing: bool,
    /// How far the grant is on its way to the service.
    pub delivery: Delivery,
    /// Whether the service says, in the latest report, that it released the key: then a withdrawal comes too late, if
    /// that is true. Advice, and the service's word alone: show it as such. Only the answer to a withdrawal tells, or
    /// the lock's proof of the download.
    pub said_released: bool,
}

/// Who a key is for, as a book of contacts says it today.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whom<'a> {
    /// This contact: the book pins the very key that it was shared with.
    Contact(&'a AccountId, Trust),
    /// Who was this contact when it was shared. The book has another key under this id today, or none: it is not for
    /// whoever is called so now.
    FormerContact(&'a AccountId),
    /// Whoever has the code.
    Code,
    /// An account that the book does not know.
    Key(PublicKey),
    /// Another phone shared it, and this one has not got the grant.
    Unknown,
}

impl KeyStatus {
    /// Who the key is for: by the key that the grant names, and never by a name alone.
    #[must_use]
    pub fn whom<'a>(&'a self, book: &'a ContactBook) -> Whom<'a> {
        //= spec/protocol.md#contacts
        //# CON-11. A key MUST NOT be shown as shared with a contact whose pinned key is another than the grant's subject.
        let named = self.contact_then.as_ref();
        let same = |id: &&AccountId| book.get(id).map(Contact::key) == self.subject().as_ref();
        let known = named.filter(same).and_then(|id| Some((id, book.get(id)?)));
        match (known.or_else(|| book.by_key(&self.subject()?)), named, self.method, self.subject()) {
            (Some((id, contact)), ..) => Whom::Contact(id, contact.trust()),
            (None, Some(id), ..) => Whom::FormerContact(id),
            (None, None, Some(Method::Code), _) => Whom::Code,
            (None, None, _, Some(subject)) => Whom::Key(subject),
            (None, None, _, None) => Whom::Unknown,
        }
    }

    /// To whom it went.
    #[must_use]
    pub fn subject(&self) -> Option<PublicKey> {
        self.grant.map(|grant| grant.subject)
    }

    /// What it may do.
    #[must_use]
    pub fn rights(&self) -> Option<Rights> {
        self.grant.map(|grant| grant.rights)
    }

    /// When, and how often.
    #[must_use]
    pub fn limits(&self) -> Option<Limits> {
        self.grant.map(|grant| grant.limits)
    }
}

impl OwnedLock {
    /// What the view says of `slot`. Of a slot that it never heard of it knows nothing: it shows in no state, not
    /// inspected, and as of no report.
    #[must_use]
    pub fn status(&self, slot: SlotId) -> Status {
        let Some(known) = self.slots.get(&slot) else {
            return Status { slot, state: None, shared: None, may_open: Vec::new(), inspected: false, as_of: None };
        };
        Status {
            slot,
            state: known.state(),
            shared: known.slot.shared().map(|key| known.key_status(key)),
            //= spec/protocol.md#states
            //# SLO-4. A view MUST show every live generation, whatever the state.
            may_open: known.slot.may_open().iter().map(|live| known.key_status(live.key())).collect(),
            inspected: known.inspected.is_some(),
            //= spec/protocol.md#states
            //# SLO-5. A view MUST name the version of the record that it is a view of.
            as_of: known.reported.as_ref().map(|reported| reported.as_of),
        }
    }

    /// What the view says of every slot that the lock has, and of any other that it has heard of.
    pub fn statuses(&self) -> impl Iterator<Item = Status> + '_ {
        self.every_slot().map(|slot| self.status(slot))
    }
}

impl OwnedSlot {
    /// `None` where it is as in a new epoch only because nobody told otherwise.
    fn state(&self) -> Option<State> {
        let told = self.reported.is_some() || self.inspected.is_some() || self.slot.last_told() > Generation::ZERO;
        //= spec/protocol.md#owner
        //# OWN-43. A view MUST NOT say that a slot is Inactive of which it took in neither a report of the present epoch nor the lock's own word on it.
        Some(self.slot.state()).filter(|state| told || *state != State::Inactive)
    }

    fn key_status(&self, key: GrantRef) -> KeyStatus {
        let issued = self.issued(key);
        let live = self.slot.may_open().iter().find(|live| live.key() == key);
        KeyStatus {
            key,
            grant: issued.map(|issued| *issued.grant.body()),
            method: issued.and_then(|issued| issued.method),
            contact_then: issued.and_then(|issued| issued.contact.clone()),
            install: live.and_then(LiveKey::install),
            //= spec/protocol.md#states
            //# SLO-3. A view MUST NOT say that a key was downloaded before the share is confirmed.
            downloaded: live.and_then(LiveKey::confirmation).copied(),
            withdrawing: self.is_withdrawing(key),
            delivery: issued.map_or(Delivery::Heard, |issued| issued.delivery),
            said_released: self.said_released == Some(key),
        }
    }
}

use super::outbox::Delivery;
use super::view::{Issued, Method, OwnedLock, Statement};
use super::{Owner, ViewChange};
use crate::code::{CodeText, ShareCode};
use crate::contacts::{ContactBook, Trust};
use crate::counter::Term;
use crate::crypto::{Crypto, PublicKey, Stretch};
use crate::error::{OwnerError, SealError};
use crate::id::{AccountId, SlotId};
use crate::limits::{Limits, Rights};
use crate::message::{Grant, Withdraw};
use crate::slot::GrantRef;
use crate::wire::{self, Encoded, Kept};

/// Whom a grant is for, and how that was said.
struct Recipient {
    subject: PublicKey,
    method: Method,
    contact: Option<AccountId>,
    delivery: Delivery,
}

impl Recipient {
    const fn of(subject: PublicKey, method: Method) -> Self {
        Self { subject, method, contact: None, delivery: Delivery::Due }
    }
}

impl<C: Crypto> Owner<C> {
    /// Shares a slot with a verified contact, under the key that the book pinned.
    ///
    /// # Errors
    /// As [`share`](Self::share), [`OwnerError::UnknownContact`], and [`OwnerError::UnverifiedContact`].
    pub fn share_with_verified_contact<'v>(
        &self,
        view: &'v mut OwnedLock,
        slot: SlotId,
        (book, id): (&ContactBook, &AccountId),
        rights: Rights,
        limits: Limits,
    ) -> ViewChange<'v, Encoded<Grant>> {
        //= spec/protocol.md#contacts
        //# CON-12. An app MUST NOT share with a contact that is not verified other than by a call that says so.
        if book.get(id).is_some_and(|contact| contact.trust() == Trust::Unverified) {
            return Err(OwnerError::UnverifiedContact);
        }
        self.share_with_unverified_contact(view, slot, (book, id), rights, limits)
    }

    /// Shares a slot with a contact, under the key that the book pinned, though nobody compared it: whoever gave the key,
    /// the service's directory say, may have put its own in its place. Say so, and ask, before.
    ///
    /// # Errors
    /// As [`share`](Self::share), and [`OwnerError::UnknownContact`].
    pub fn share_with_unverified_contact<'v>(
        &self,
        view: &'v mut OwnedLock,
        slot: SlotId,
        (book, id): (&ContactBook, &AccountId),
        rights: Rights,
        limits: Limits,
    ) -> ViewChange<'v, Encoded<Grant>> {
        //= spec/protocol.md#contacts
        //# CON-4. A grant to a contact MUST name the contact's pinned key.
        let subject = *book.get(id).ok_or(OwnerError::UnknownContact)?.key();
        self.grant(
            view,
            slot,
            Recipient { contact: Some(id.clone()), ..Recipient::of(subject, Method::Account) },
            rights,
            limits,
        )
    }

    /// Shares a slot with whoever redeems `code`, which is used up: its text comes back once the view is stored, to show
    /// and to send to the guest. Takes 100 000 rounds of key stretching.
    ///
    /// The grant is [held](Delivery::Held), and goes nowhere before the app says that the [code was
    /// shown](Self::code_shown): once it is published and the code is lost, nobody can download. Where the app stopped
    /// in between, the code is gone: [withdraw](Self::withdraw), and share anew.
    ///
    /// # Errors
    /// As [`share`](Self::share).
    pub fn share_by_code<'v>(
        &self,
        view: &'v mut OwnedLock,
        slot: SlotId,
        code: ShareCode,
        rights: Rights,
        limits: Limits,
    ) -> ViewChange<'v, CodeText>
    where
        C: Stretch,
    {
        //= spec/protocol.md#issuing-and-using-a-code
        //# COD-14. A party MUST NOT send a code or its seed to the service.
        let subject = code.subject(&self.crypto).map_err(SealError::Provider)?;
        //= spec/protocol.md#owner
        //# OWN-33. A grant by a code MUST NOT be sent before its code was shown.
        let to = Recipient { delivery: Delivery::Held, ..Recipient::of(subject, Method::Code) };
        //= spec/protocol.md#issuing-and-using-a-code
        //# COD-13. An issuer MUST NOT issue the same code for two grants.
        let code = code.expose();
        Ok(self.grant(view, slot, to, rights, limits)?.map(|_| code))
    }

    /// The owner saw the code by which the slot is shared: gives its grant, to publish, once the view is stored. From then
    /// on it is in the [outbox](OwnedLock::outbox). Of a share that is on its way already, its grant again.
    ///
    /// # Errors
    /// [`OwnerError::Busy`], [`OwnerError::NotOwner`], [`OwnerError::Transferred`], [`OwnerError::NothingShared`].
    pub fn code_shown<'v>(&self, view: &'v mut OwnedLock, slot: SlotId) -> ViewChange<'v, Encoded<Grant>> {
        self.check_owns(view)?;
        let mut next = view.clone();
        let known = next.slot_mut(slot);
        let shared = known.slot.shared().ok_or(OwnerError::NothingShared)?;
        let issued = known.issued.iter_mut().find(|issued| issued.key == shared).ok_or(OwnerError::NothingShared)?;
        if issued.delivery == Delivery::Held {
            issued.delivery = Delivery::Due;
        }
        let grant = issued.grant.bytes().clone();
        Ok(view.staged(next, grant))
    }

    /// Shares a slot with a subject. From the moment the grant is signed the view counts its key
    /// among those that may open.
    ///
    /// # Errors
    /// [`OwnerError::Busy`], [`OwnerError::NotOwner`], [`OwnerError::Transferred`], [`OwnerError::NoSuchSlot`], [`OwnerError::SubjectKey`],
    /// [`OwnerError::Slot`] (not active, already shared, too many live keys, no further number),
    /// [`OwnerError::Seal`].
    pub fn share<'v>(
        &self,
        view: &'v mut OwnedLock,
        slot: SlotId,
        subject: PublicKey,
        method: Method,
        rights: Rights,
        limits: Limits,
    ) -> ViewChange<'v, Encoded<Grant>> {
        self.grant(view, slot, Recipient::of(subject, method), rights, limits)
    }

    fn grant<'v>(
        &self,
        view: &'v mut OwnedLock,
        slot: SlotId,
        to: Recipient,
        rights: Rights,
        limits: Limits,
    ) -> ViewChange<'v, Encoded<Grant>> {
        self.check_owns(view)?;
        view.check_slot(slot)?;
        let Recipient { subject, method, contact, delivery } = to;
        subject.check().map_err(OwnerError::SubjectKey)?;
        limits.check(rights).map_err(OwnerError::Limits)?;
        let mut next = view.clone();
        let known = next.slot_mut(slot);
        //= spec/protocol.md#number-line
        //# SLO-6. An owner MUST give each grant, Activate and Deactivate a number above the highest seen.
        let generation = known.slot.next_number()?;
        let (lock, epoch, by) = (view.lock, view.epoch, Term::OWNER);
        let grant = Grant { lock, epoch, by, slot, generation, subject, rights, limits };
        let message = wire::seal(&self.crypto, &self.signer, &grant)?;
        let key = GrantRef { generation, grant: message.digest(&self.crypto) };
        known.slot.publish(key)?;
        //= spec/protocol.md#owner
        //# OWN-9. The owner's view MUST show Sharing for every grant that it signed until a Withdrawn, a Done or a receipt says otherwise.
        let kept = Kept::made(message.clone(), grant);
        known.issued.push(Issued { key, method: Some(method), contact, delivery, grant: kept });
        //= spec/protocol.md#owner
        //# OWN-8. The owner MUST store the number that a grant or a command takes before the message exists for anybody else.
        Ok(view.staged(next, message))
    }

    /// Takes the slot's share back: a revocation or a reset, whichever the service's answer says.
    ///
    /// Also the way out where the service refused a grant, because another phone of the owner took its
    /// number: withdraw it, and [see](Self::see) a report. The view then shows the other phone's grant, to
    /// keep or to withdraw.
    /// The view keeps its state until that answer is [learned](Self::learn).
    ///
    /// # Errors
    /// [`OwnerError::Busy`], [`OwnerError::NotOwner`], [`OwnerError::Transferred`], [`OwnerError::NothingShared`],
    /// [`OwnerError::Seal`].
    pub fn withdraw<'v>(&self, view: &'v mut OwnedLock, slot: SlotId) -> ViewChange<'v, Encoded<Withdraw>> {
        self.check_owns(view)?;
        let shared = view.slot(slot).and_then(|known| known.shared()).ok_or(OwnerError::NothingShared)?;
        self.withdraw_key(view, slot, shared)
    }

    /// Takes back any grant whose key may still open the slot.
    ///
    /// # Errors
    /// [`OwnerError::Busy`], [`OwnerError::NotOwner`], [`OwnerError::Transferred`], [`OwnerError::UnknownGrant`],
    /// [`OwnerError::Seal`].
    pub fn withdraw_key<'v>(
        &self,
        view: &'v mut OwnedLock,
        slot: SlotId,
        key: GrantRef,
    ) -> ViewChange<'v, Encoded<Withdraw>> {
        self.check_owns(view)?;
        let mut next = view.clone();
        let known = next.slot_mut(slot);
        if !known.may_open(key) {
            return Err(OwnerError::UnknownGrant);
        }
        let GrantRef { generation, grant } = key;
        let body = Withdraw { lock: view.lock, epoch: view.epoch, by: Term::OWNER, slot, generation, grant };
        let message = wire::seal(&self.crypto, &self.signer, &body)?;
        if !known.is_withdrawing(key) {
            known.withdrawing.push(Statement { key, bytes: message.to_vec() });
        }
        Ok(view.staged(next, message))
    }
}

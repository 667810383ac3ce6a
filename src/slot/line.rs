use serde::{Deserialize, Serialize};

use super::live::{Confirmation, Live};
use super::state::{GrantRef, Share};
use super::table::Event;
use crate::counter::{Epoch, Generation};
use crate::crypto::{Digest, PublicKey};
use crate::error::SlotError;
use crate::message::WithdrawnOutcome;

/// What the lock proved of one installed key: a receipt, or a `Done(Inspect)` that found it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Proof {
    /// The key.
    pub key: GrantRef,
    /// The device that holds it.
    pub device: PublicKey,
    /// The install that a receipt answers.
    pub install: Option<Digest>,
    /// The digest of the receipt or Done.
    pub proof: Digest,
}

/// Which way a Done of the number line turned the slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// `Done(Activate)`
    Activate,
    /// `Done(Deactivate)`
    Deactivate,
}

/// A slot's numbers in one epoch, whatever its state (spec: "Slots"). The guards live here: each
/// takes what happened, updates the numbers, and gives the abstract event that the table decides.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) epoch: Epoch,
    /// The highest number seen in a grant, a withdrawal or a proof.
    pub(super) highest: Generation,
    /// The highest number of an Activate or Deactivate that is known done.
    //= spec/protocol.md#done-and-receipt
    //# SLO-38. The last Done MUST be kept apart from the highest number and from the proven floor.
    pub(super) last_done: Generation,
    /// The highest number that a Done or a receipt proved.
    pub(super) floor: Generation,
    pub(super) live: Live,
}

impl Line {
    pub(super) fn new(epoch: Epoch) -> Self {
        let zero = Generation::ZERO;
        //= spec/protocol.md#slot-record
        //# SLO-1. A record of a new epoch MUST begin Inactive, with all numbers 0 and nothing live.
        Self { epoch, highest: zero, last_done: zero, floor: zero, live: Live::default() }
    }

    pub(super) fn take(&mut self, number: Generation) {
        self.highest = self.highest.max(number);
    }

    /// Judges a grant; a refused one changes nothing here.
    pub(super) fn publish(&self, key: GrantRef, share: Option<Share>) -> Event {
        if share.is_some_and(|share| share.key == key) {
            Event::PublishAgain
        } else if key.generation <= self.highest {
            //= spec/protocol.md#number-line
            //# SLO-8. A publication at or below the highest number MUST be refused.
            Event::PublishStale
        } else if self.live.is_full() {
            //= spec/protocol.md#number-line
            //# SLO-12. A publication MUST be refused while MAX_LIVE grants are live.
            Event::PublishFull
        } else {
            Event::Publish
        }
    }

    /// Judges a claim of `grant` by `device`.
    pub(super) fn release(grant: &Digest, device: &PublicKey, share: Option<Share>) -> Event {
        match share {
            //= spec/protocol.md#release
            //# SLO-14. A release MUST be refused unless the state is Sharing, or Shared with the same grant and the same device.
            Some(share) if share.key.grant != *grant => Event::ReleaseOfOtherGrant,
            Some(Share { device: Some(holder), .. }) if holder != *device => Event::ReleaseToOtherDevice,
            Some(_) => Event::Release,
            //= spec/protocol.md#withdrawal
            //# SLO-22. A grant that was withdrawn MUST NOT be released afterwards.
            None => Event::ReleaseOfOtherGrant,
        }
    }

    /// Judges a withdrawal at the record, and answers it.
    pub(super) fn withdraw(&mut self, key: GrantRef, share: Option<Share>) -> (Event, WithdrawnOutcome) {
        let event = Self::current_or_other(key, share);
        //= spec/protocol.md#withdrawal
        //# SLO-23. A withdrawal MUST NOT take a released generation out of live.
        let outcome = match self.live.find(key) {
            // Of a key that it never released and an inspection found, the record knows no install:
            // the proof stands for it.
            Some(live) => {
                //= spec/protocol.md#withdrawal
                //# SLO-44. Where the record knows no install of a live grant, the digest of the Done that proved the grant installed MUST stand in the answer for the install.
                let proof = live.confirmation.map(|confirmation| confirmation.proof);
                //= spec/protocol.md#withdrawal
                //# SLO-19. The answer MUST be Released, with the latest install, where the grant was released and its generation is live.
                WithdrawnOutcome::Released { install: live.install.or(proof).unwrap_or(key.grant) }
            }
            //= spec/protocol.md#withdrawal
            //# SLO-20. The answer MUST be Settled where a Done or a receipt proved the grant's generation dead.
            None if key.generation <= self.floor => WithdrawnOutcome::Settled,
            None => {
                //= spec/protocol.md#number-line
                //# SLO-7. A record MUST raise its highest number to that of every grant, withdrawal, Done and receipt of its slot and epoch whose authenticator held.
                //= spec/protocol.md#number-line
                //# SLO-10. A withdrawal of a grant that was not published MUST still raise the highest number.
                self.take(key.generation);
                //= spec/protocol.md#withdrawal
                //# SLO-21. Otherwise the answer MUST be NeverReleased.
                WithdrawnOutcome::NeverReleased
            }
        };
        (event, outcome)
    }

    /// Takes in the record's answer to a withdrawal, at the owner.
    pub(super) fn withdrawn(
        &mut self,
        key: GrantRef,
        outcome: &WithdrawnOutcome,
        share: Option<Share>,
    ) -> Result<Event, SlotError> {
        match *outcome {
            WithdrawnOutcome::NeverReleased => self.live.deny(key),
            //= spec/protocol.md#owner
            //# OWN-24. A Withdrawn of Released MUST make its grant live, with the install that it names, unless the grant was proved dead.
            WithdrawnOutcome::Released { install } if key.generation > self.floor || self.live.find(key).is_some() => {
                self.live.note(key, Some(install))?;
            }
            // The record's word alone proves nothing dead.
            //= spec/protocol.md#owner
            //# OWN-15. The owner's view MUST NOT take a generation out of live on a Withdrawn of Released or Settled.
            WithdrawnOutcome::Released { .. } | WithdrawnOutcome::Settled => {}
        }
        self.live.withdraw(key);
        //= spec/protocol.md#number-line
        //# SLO-7. A record MUST raise its highest number to that of every grant, withdrawal, Done and receipt of its slot and epoch whose authenticator held.
        self.take(key.generation);
        //= spec/protocol.md#owner
        //# OWN-29. A Withdrawn of the grant that a view shows as shared MUST end that share in the view, whatever its outcome.
        Ok(Self::current_or_other(key, share))
    }

    /// Takes in a grant that another phone of the owner signed. Where nothing is shared, one that may
    /// open and was not withdrawn is what is shared, however it came to be known before: also by the lock's
    /// proof that it was downloaded.
    pub(super) fn learn(&mut self, key: GrantRef, share: Option<Share>) -> Result<Event, SlotError> {
        let (known, free) = (self.live.find(key), share.is_none());
        let withdrawn = known.is_some_and(|live| live.withdrawn);
        if key.generation <= self.floor {
            let downloaded = known.is_some_and(|live| live.confirmation.is_some());
            return Ok(if downloaded && free && !withdrawn { Event::LearnDownloaded } else { Event::LearnOlder });
        }
        //= spec/protocol.md#owner
        //# OWN-18. A view MUST show a grant that it learns, and whose number is above the highest that it had seen, in place of the grant that it showed as shared.
        let newer = key.generation > self.highest;
        self.live.note(key, None)?;
        //= spec/protocol.md#number-line
        //# SLO-7. A record MUST raise its highest number to that of every grant, withdrawal, Done and receipt of its slot and epoch whose authenticator held.
        self.take(key.generation);
        //= spec/protocol.md#owner
        //# OWN-17. A view in which nothing is shared MUST show a grant that it learns as shared, unless the slot is Inactive, the grant was proved dead or its withdrawal was answered.
        let shared = newer || (free && !withdrawn);
        Ok(if shared { Event::LearnNewer } else { Event::LearnOlder })
    }

    fn current_or_other(key: GrantRef, share: Option<Share>) -> Event {
        //= spec/protocol.md#withdrawal
        //# SLO-17. A withdrawal of the grant that is being shared MUST end the share.
        //= spec/protocol.md#withdrawal
        //# SLO-18. A withdrawal of a grant that is not being shared MUST NOT end a share.
        if share.is_some_and(|share| share.key == key) { Event::WithdrawCurrent } else { Event::WithdrawOther }
    }

    /// An Activate or Deactivate took `number` at the lock. One at or below the last is old: the last
    /// already proved all that it proves.
    pub(super) fn done(&mut self, turn: Turn, number: Generation, share: Option<Share>) -> Event {
        //= spec/protocol.md#done-and-receipt
        //# SLO-32. A Done of an Activate or Deactivate at n MUST decide whether the slot is active if, and only if, n is above the last Done.
        if number <= self.last_done {
            return Event::OldDone;
        }
        self.last_done = number;
        //= spec/protocol.md#done-and-receipt
        //# SLO-29. A Done of an Activate or Deactivate at n MUST take all generations at or below n out of live.
        //= spec/protocol.md#done-and-receipt
        //# SLO-37. A receipt or a Done that comes late MUST still have these effects.
        self.prove_dead(number);
        match turn {
            //= spec/protocol.md#done-and-receipt
            //# SLO-40. A Done of a Deactivate above the last Done MUST end the share, whatever its generation.
            Turn::Deactivate => Event::Deactivate,
            Turn::Activate if share.is_some_and(|share| share.key.generation > number) => Event::ActivateBelowShare,
            //= spec/protocol.md#done-and-receipt
            //# SLO-30. A Done of an Activate or Deactivate at n MUST end a share whose generation is at or below n.
            Turn::Activate => Event::Activate,
        }
    }

    /// The lock holds no key in the slot, and its floor is `floor`: nothing up to there ever opens.
    pub(super) fn vacant(&mut self, floor: Generation, share: Option<Share>) -> Event {
        //= spec/protocol.md#done-and-receipt
        //# SLO-33. A Done of an Inspect MUST take all generations below the floor that it reports out of live.
        self.prove_dead(floor);
        //= spec/protocol.md#done-and-receipt
        //# SLO-42. A Done of an Inspect that reports no holder MUST end a share whose generation is at or below the floor that it reports.
        if share.is_some_and(|share| share.key.generation <= floor) { Event::VacantAtShare } else { Event::Vacant }
    }

    /// The lock says that a key is installed.
    pub(super) fn confirm(&mut self, proof: &Proof, share: Option<Share>) -> Event {
        let Proof { key, device, install, proof } = *proof;
        if key.generation <= self.floor {
            //= spec/protocol.md#done-and-receipt
            //# SLO-24. A receipt at or below the proven floor MUST change nothing.
            return Event::OldReceipt;
        }
        //= spec/protocol.md#done-and-receipt
        //# SLO-25. A receipt above the proven floor MUST raise the proven floor to its generation.
        self.floor = key.generation;
        //= spec/protocol.md#number-line
        //# SLO-7. A record MUST raise its highest number to that of every grant, withdrawal, Done and receipt of its slot and epoch whose authenticator held.
        self.take(key.generation);
        //= spec/protocol.md#done-and-receipt
        //# SLO-37. A receipt or a Done that comes late MUST still have these effects.
        self.live.confirm(key, install, Confirmation { device, proof });
        match share {
            //= spec/protocol.md#done-and-receipt
            //# SLO-28. A receipt for the grant that is being shared MUST make the share confirmed.
            Some(share) if share.key == key => Event::ConfirmCurrent,
            Some(share) if share.key.generation > key.generation => Event::ConfirmBelowShare,
            //= spec/protocol.md#done-and-receipt
            //# SLO-41. A receipt above the proven floor MUST end a share of another grant whose generation is at or below the receipt's.
            _ => Event::ConfirmOther,
        }
    }

    fn prove_dead(&mut self, number: Generation) {
        //= spec/protocol.md#done-and-receipt
        //# SLO-31. A Done of an Activate or Deactivate at n MUST raise the proven floor to n where it is lower.
        //= spec/protocol.md#done-and-receipt
        //# SLO-36. A Done of an Inspect that reports no holder MUST raise the proven floor to the floor that it reports where it is lower.
        self.floor = self.floor.max(number);
        //= spec/protocol.md#number-line
        //# SLO-7. A record MUST raise its highest number to that of every grant, withdrawal, Done and receipt of its slot and epoch whose authenticator held.
        self.take(number);
        self.live.forget_up_to(number);
    }
}

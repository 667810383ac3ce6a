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
    pub(super) last_done: Generation,
    /// The highest number that a Done or a receipt proved.
    pub(super) floor: Generation,
    pub(super) live: Live,
}

impl Line {
    pub(super) fn new(epoch: Epoch) -> Self {
        let zero = Generation::ZERO;
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
            Event::PublishStale
        } else if self.live.is_full() {
            Event::PublishFull
        } else {
            Event::Publish
        }
    }

    /// Judges a claim of `grant` by `device`.
    pub(super) fn release(grant: &Digest, device: &PublicKey, share: Option<Share>) -> Event {
        match share {
            Some(share) if share.key.grant != *grant => Event::ReleaseOfOtherGrant,
            Some(Share { device: Some(holder), .. }) if holder != *device => Event::ReleaseToOtherDevice,
            Some(_) => Event::Release,
            None => Event::ReleaseOfOtherGrant,
        }
    }

    /// Judges a withdrawal at the record, and answers it.
    pub(super) fn withdraw(&mut self, key: GrantRef, share: Option<Share>) -> (Event, WithdrawnOutcome) {
        let event = Self::current_or_other(key, share);
        let outcome = match self.live.find(key) {
            // Of a key that it never released and an inspection found, the record knows no install:
            // the proof stands for it.
            Some(live) => {
                let proof = live.confirmation.map(|confirmation| confirmation.proof);
                WithdrawnOutcome::Released { install: live.install.or(proof).unwrap_or(key.grant) }
            }
            None if key.generation <= self.floor => WithdrawnOutcome::Settled,
            None => {
                self.take(key.generation);
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
            WithdrawnOutcome::Released { install } if key.generation > self.floor || self.live.find(key).is_some() => {
                self.live.note(key, Some(install))?;
            }
            // The record's word alone proves nothing dead.
            WithdrawnOutcome::Released { .. } | WithdrawnOutcome::Settled => {}
        }
        self.live.withdraw(key);
        self.take(key.generation);
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
        let newer = key.generation > self.highest;
        self.live.note(key, None)?;
        self.take(key.generation);
        let shared = newer || (free && !withdrawn);
        Ok(if shared { Event::LearnNewer } else { Event::LearnOlder })
    }

    fn current_or_other(key: GrantRef, share: Option<Share>) -> Event {
        if share.is_some_and(|share| share.key == key) { Event::WithdrawCurrent } else { Event::WithdrawOther }
    }

    /// An Activate or Deactivate took `number` at the lock. One at or below the last is old: the last
    /// already proved all that it proves.
    pub(super) fn done(&mut self, turn: Turn, number: Generation, share: Option<Share>) -> Event {
        if number <= self.last_done {
            return Event::OldDone;
        }
        self.last_done = number;
        self.prove_dead(number);
        match turn {
            Turn::Deactivate => Event::Deactivate,
            Turn::Activate if share.is_some_and(|share| share.key.generation > number) => Event::ActivateBelowShare,
            Turn::Activate => Event::Activate,
        }
    }

    /// The lock holds no key in the slot, and its floor is `floor`: nothing up to there ever opens.
    pub(super) fn vacant(&mut self, floor: Generation, share: Option<Share>) -> Event {
        self.prove_dead(floor);
        if share.is_some_and(|share| share.key.generation <= floor) { Event::VacantAtShare } else { Event::Vacant }
    }

    /// The lock says that a key is installed.
    pub(super) fn confirm(&mut self, proof: &Proof, share: Option<Share>) -> Event {
        let Proof { key, device, install, proof } = *proof;
        if key.generation <= self.floor {
            return Event::OldReceipt;
        }
        self.floor = key.generation;
        self.take(key.generation);
        self.live.confirm(key, install, Confirmation { device, proof });
        match share {
            Some(share) if share.key == key => Event::ConfirmCurrent,
            Some(share) if share.key.generation > key.generation => Event::ConfirmBelowShare,
            _ => Event::ConfirmOther,
        }
    }

    fn prove_dead(&mut self, number: Generation) {
        self.floor = self.floor.max(number);
        self.take(number);
        self.live.forget_up_to(number);
    }
}

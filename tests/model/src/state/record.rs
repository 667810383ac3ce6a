//! The service's record of one slot (spec: "Service").

use std::collections::BTreeSet;

use super::facts::{NewKey, Signed};
use super::slot::LineModel;
use sharekey::counter::{Epoch, Generation, Term};
use sharekey::crypto::{Digest, PublicKey};
use sharekey::error::{KeyError, ServiceError, SignatureError};
use sharekey::message::{SlotReport, WithdrawnOutcome};
use sharekey::slot::{GrantRef, State};

/// For whom a message is, and who signed it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Meant {
    /// It names the record's lock.
    pub for_this_lock: bool,
    /// Its epoch.
    pub epoch: Epoch,
    /// It names the record's slot.
    pub for_this_slot: bool,
    /// Who it says that signed it; the owner, where it is the lock's word.
    pub by: Term,
    /// Who signed it.
    pub signed: Signed,
}

/// Something that reaches the service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecordStep {
    /// A grant.
    Publish {
        /// For whom, by whom.
        meant: Meant,
        /// The grant.
        key: GrantRef,
        /// Its subject.
        subject: NewKey,
    },
    /// A withdrawal.
    Withdraw {
        /// For whom, by whom.
        meant: Meant,
        /// The grant.
        key: GrantRef,
    },
    /// A claim and an install.
    Release {
        /// The grant that the claim names.
        grant: Digest,
        /// Who signed the claim.
        claim_signed: Signed,
        /// The claim's device.
        device: PublicKey,
        /// The install carries the claim's digest.
        install_names_claim: bool,
        /// Who signed the install.
        install_signed: Signed,
        /// The install's digest.
        install: Digest,
    },
    /// A receipt.
    Receipt {
        /// For whom, by whom.
        meant: Meant,
        /// The grant.
        key: GrantRef,
        /// The device.
        device: PublicKey,
        /// The install's digest.
        install: Digest,
        /// The receipt's own.
        receipt: Digest,
    },
    /// A Done of an Activate (true) or Deactivate (false).
    Turned {
        /// For whom, by whom.
        meant: Meant,
        /// Which.
        activate: bool,
        /// The number that it took.
        number: Generation,
    },
    /// A Done of an Inspect.
    Inspected {
        /// For whom, by whom.
        meant: Meant,
        /// What the lock said.
        report: SlotReport,
        /// The Done's digest.
        done: Digest,
    },
    /// A later statement of ownership.
    Reopen {
        /// It is signed by the lock that it names.
        flaw: Option<SignatureError>,
        /// That is the record's lock.
        for_this_lock: bool,
        /// The epoch that it names.
        epoch: Epoch,
        /// The owner.
        owner: NewKey,
        /// The service.
        service: PublicKey,
    },
}

/// What must come of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecordVerdict {
    /// Refused, and nothing is stored.
    Refused(ServiceError),
    /// Refused, and the record is stored: the number was taken.
    Taken(ServiceError),
    /// Published.
    Published,
    /// Published before, and shared still: nothing changes.
    PublishedAgain,
    /// The withdrawal is answered.
    Withdrawn(WithdrawnOutcome),
    /// Released.
    Released,
    /// Taken in; the slot is in this state now.
    Proved(State),
    /// Taken in; whether the service still serves the lock.
    Reopened {
        /// It does.
        serving: bool,
    },
}

/// What the service must know of one slot.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RecordModel {
    /// The service's own key.
    pub own: PublicKey,
    /// The lock.
    pub lock: PublicKey,
    /// The owner of the epoch.
    pub owner: PublicKey,
    /// The service of the epoch.
    pub service: PublicKey,
    /// The record's version.
    pub version: u64,
    /// The slot.
    pub line: LineModel,
    /// The subject of the grant that is shared.
    pub subject: Option<PublicKey>,
    /// The installs of the share that were released, the latest last; those of the longest ago are forgotten.
    pub released: Vec<Digest>,
    /// Grants that are shared no more while they may open, and of which no withdrawal was answered since.
    pub unanswered: BTreeSet<GrantRef>,
}

/// How many installs of a share are known again.
const REMEMBERED: usize = 16;

impl RecordModel {
    /// A record that was opened just now.
    #[must_use]
    pub fn opened(own: PublicKey, lock: PublicKey, owner: PublicKey, epoch: Epoch) -> Self {
        let (line, released, unanswered) = (LineModel::new(epoch), Vec::new(), BTreeSet::new());
        Self { own, lock, owner, service: own, version: 1, line, subject: None, released, unanswered }
    }

    /// Something reaches the service; says what must come of it.
    pub fn apply(&mut self, step: &RecordStep) -> RecordVerdict {
        let mut next = self.clone();
        let verdict = match next.judge(step) {
            Ok(verdict) => verdict,
            Err(error) => return RecordVerdict::Refused(error),
        };
        next.follow(self, step);
        // What changes nothing is no version.
        if next != *self {
            let Some(version) = self.version.checked_add(1) else {
                return RecordVerdict::Refused(ServiceError::Exhausted);
            };
            *self = Self { version, ..next };
        }
        verdict
    }

    /// What is remembered beside the line, after a step.
    fn follow(&mut self, before: &Self, step: &RecordStep) {
        let share = |record: &Self| record.line.share.map(|share| share.key);
        if share(self) != share(before) {
            self.released.clear();
            self.unanswered.extend(share(before));
        }
        if let RecordStep::Withdraw { key, .. } = step {
            self.unanswered.remove(key);
        }
        let Self { line, unanswered, .. } = self;
        unanswered.retain(|key| line.live.contains_key(key));
        if self.line.share.is_none() {
            self.subject = None;
        }
    }

    fn judge(&mut self, step: &RecordStep) -> Result<RecordVerdict, ServiceError> {
        let (lock, owner) = (self.lock, self.owner);
        match *step {
            RecordStep::Publish { meant, key, subject } => {
                self.check(&meant, &owner, ServiceError::GrantSignature)?;
                self.serving()?;
                self.publish(key, subject)
            }
            RecordStep::Withdraw { meant, key } => {
                self.check(&meant, &owner, ServiceError::WithdrawSignature)?;
                self.serving()?;
                Ok(RecordVerdict::Withdrawn(self.line.withdraw(key)))
            }
            RecordStep::Release { grant, claim_signed, device, install_names_claim, install_signed, install } => {
                self.serving()?;
                let share = self.line.share.ok_or(ServiceError::NothingShared)?;
                let subject = self.subject.ok_or(ServiceError::NothingShared)?;
                if share.key.grant != grant {
                    return Err(ServiceError::ClaimNamesOtherGrant);
                }
                claim_signed.check(&subject).map_err(ServiceError::ClaimSignature)?;
                if !install_names_claim {
                    return Err(ServiceError::InstallNamesOtherClaim);
                }
                install_signed.check(&device).map_err(ServiceError::InstallSignature)?;
                let mut line = self.line.clone();
                line.release(&grant, device, install)?;
                let latest = self.line.live.get(&share.key).and_then(|known| known.install);
                if latest != Some(install) && !self.released.contains(&install) {
                    self.line = line;
                    self.released.push(install);
                    self.released.drain(..self.released.len().saturating_sub(REMEMBERED));
                }
                Ok(RecordVerdict::Released)
            }
            RecordStep::Receipt { meant, key, device, install, receipt } => {
                self.check(&meant, &lock, ServiceError::ReceiptSignature)?;
                self.line.confirm(key, device, Some(install), receipt);
                Ok(RecordVerdict::Proved(self.line.state()))
            }
            RecordStep::Turned { meant, activate, number } => {
                self.check(&meant, &lock, ServiceError::DoneSignature)?;
                self.line.done(activate, number);
                Ok(RecordVerdict::Proved(self.line.state()))
            }
            RecordStep::Inspected { meant, report, done } => {
                self.check(&meant, &lock, ServiceError::DoneSignature)?;
                self.line.inspected(&report, done);
                Ok(RecordVerdict::Proved(self.line.state()))
            }
            RecordStep::Reopen { flaw, for_this_lock, epoch, owner, service } => {
                flaw.map_or(Ok(()), |flaw| Err(ServiceError::OwnershipSignature(flaw)))?;
                owner.flaw.map_or(Ok(()), |flaw: KeyError| Err(ServiceError::OwnerKey(flaw)))?;
                if !for_this_lock {
                    return Err(ServiceError::WrongLock);
                }
                self.reopen(epoch, owner.key, service)
            }
        }
    }

    fn publish(&mut self, key: GrantRef, subject: NewKey) -> Result<RecordVerdict, ServiceError> {
        let before = self.line.highest;
        if subject.flaw.is_none() && self.line.share.is_some_and(|share| share.key == key) {
            return Ok(RecordVerdict::PublishedAgain);
        }
        let judged = match subject.flaw {
            Some(flaw) => {
                self.line.see(key.generation);
                Err(ServiceError::SubjectKey(flaw))
            }
            None => self.line.publish(key).map_err(ServiceError::Slot),
        };
        match judged {
            Ok(()) => {
                self.subject = Some(subject.key);
                Ok(RecordVerdict::Published)
            }
            // The number was taken before: there is nothing to store.
            Err(error) if self.line.highest == before => Err(error),
            Err(error) => Ok(RecordVerdict::Taken(error)),
        }
    }

    fn reopen(&mut self, epoch: Epoch, owner: PublicKey, service: PublicKey) -> Result<RecordVerdict, ServiceError> {
        if epoch < self.line.epoch {
            return Err(ServiceError::OldEpoch);
        }
        if epoch == self.line.epoch && (owner, service) != (self.owner, self.service) {
            return Err(ServiceError::Contradiction);
        }
        if epoch > self.line.epoch {
            (self.owner, self.service) = (owner, service);
            self.line = LineModel::new(epoch);
        }
        Ok(RecordVerdict::Reopened { serving: self.service == self.own })
    }

    /// Signer, signature, lock, epoch, slot.
    fn check(
        &self,
        meant: &Meant,
        key: &PublicKey,
        error: fn(SignatureError) -> ServiceError,
    ) -> Result<(), ServiceError> {
        if meant.by != Term::OWNER {
            return Err(ServiceError::UnknownSigner);
        }
        meant.signed.check(key).map_err(error)?;
        if !meant.for_this_lock {
            return Err(ServiceError::WrongLock);
        }
        if meant.epoch != self.line.epoch {
            return Err(ServiceError::WrongEpoch);
        }
        if meant.for_this_slot { Ok(()) } else { Err(ServiceError::WrongSlot) }
    }

    fn serving(&self) -> Result<(), ServiceError> {
        if self.service == self.own { Ok(()) } else { Err(ServiceError::Moved) }
    }
}

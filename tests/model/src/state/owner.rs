//! What one phone of an owner must show of one slot (spec: "Owner").

use alloc::collections::BTreeSet;

use super::slot::{LineModel, ShareModel};
use sharekey::counter::{Epoch, Generation};
use sharekey::crypto::{Digest, PublicKey};
use sharekey::error::SlotError;
use sharekey::message::{SlotReport, WithdrawnOutcome};
use sharekey::slot::GrantRef;

/// Something that the phone does or learns. Only messages whose signature held, of the view's lock,
/// slot and epoch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OwnerStep {
    /// It signs a grant, with this digest; the number is the next.
    Share {
        /// The grant's digest.
        grant: Digest,
    },
    /// It signs an Activate or Deactivate; the number is the next.
    Order,
    /// It learns a grant that another phone signed.
    Grant(GrantRef),
    /// It learns the answer to a withdrawal.
    Withdrawn(GrantRef, WithdrawnOutcome),
    /// It learns a receipt.
    Receipt {
        /// The grant.
        key: GrantRef,
        /// The device.
        device: PublicKey,
        /// The install's digest.
        install: Digest,
        /// The receipt's own.
        receipt: Digest,
    },
    /// It learns a Done of an Activate (true) or Deactivate (false).
    Turned {
        /// Which.
        activate: bool,
        /// The number that it took.
        number: Generation,
    },
    /// It learns a Done of an Inspect.
    Inspected {
        /// What the lock said.
        report: SlotReport,
        /// The Done's digest.
        done: Digest,
    },
}

/// What the phone must show of one slot.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ViewModel {
    /// The slot.
    pub line: LineModel,
    /// The grants whose withdrawal was answered.
    pub answered: BTreeSet<GrantRef>,
    /// The grants that the service denied ever having released.
    pub denied: BTreeSet<GrantRef>,
    /// The grants that somebody said were released: the lock, or the service.
    pub released: BTreeSet<GrantRef>,
}

impl ViewModel {
    /// At the beginning of an epoch.
    #[must_use]
    pub const fn new(epoch: Epoch) -> Self {
        Self {
            line: LineModel::new(epoch),
            answered: BTreeSet::new(),
            denied: BTreeSet::new(),
            released: BTreeSet::new(),
        }
    }

    /// The number that the phone's next grant or order carries.
    ///
    /// # Errors
    /// [`SlotError::Exhausted`] at the end of the line.
    pub fn next_number(&self) -> Result<Generation, SlotError> {
        self.line.highest.value().checked_add(1).map(Generation::new).ok_or(SlotError::Exhausted)
    }

    /// Whether the service said of one grant that it was released and that it never was.
    #[must_use]
    pub fn convicts(&self) -> bool {
        !self.denied.is_disjoint(&self.released)
    }

    /// The phone does or learns something.
    ///
    /// # Errors
    /// Why not; then nothing changes.
    pub fn apply(&mut self, step: &OwnerStep) -> Result<(), SlotError> {
        let mut next = self.clone();
        next.step(step)?;
        *self = next;
        Ok(())
    }

    fn step(&mut self, step: &OwnerStep) -> Result<(), SlotError> {
        match *step {
            OwnerStep::Share { grant } => {
                let key = GrantRef { generation: self.next_number()?, grant };
                self.line.may_publish(key)?;
                self.line.see(key.generation);
                self.line.share = Some(ShareModel { key, device: None });
                // It may be released from now on, as far as this phone can tell.
                self.line.note(key)?;
            }
            OwnerStep::Order => {
                let number = self.next_number()?;
                self.line.see(number);
            }
            OwnerStep::Grant(key) => {
                if !self.denied.contains(&key) || self.line.live.contains_key(&key) {
                    self.line.learn(key)?;
                    if self.answered.contains(&key) {
                        self.line.withdrawn(key, &WithdrawnOutcome::Settled)?;
                    }
                }
            }
            OwnerStep::Withdrawn(key, outcome) => self.withdrawn(key, &outcome)?,
            OwnerStep::Receipt { key, device, install, receipt } => {
                self.released.insert(key);
                self.line.confirm(key, device, Some(install), receipt);
            }
            OwnerStep::Turned { activate, number } => self.line.done(activate, number),
            OwnerStep::Inspected { report, done } => {
                if let sharekey::message::Holding::Installed { grant, .. } = report.holding {
                    self.released.insert(GrantRef { generation: report.floor, grant });
                }
                self.line.inspected(&report, done);
            }
        }
        Ok(())
    }

    fn withdrawn(&mut self, key: GrantRef, outcome: &WithdrawnOutcome) -> Result<(), SlotError> {
        self.line.withdrawn(key, outcome)?;
        self.answered.insert(key);
        match outcome {
            WithdrawnOutcome::NeverReleased => self.denied.insert(key),
            WithdrawnOutcome::Released { .. } => self.released.insert(key),
            WithdrawnOutcome::Settled => false,
        };
        Ok(())
    }
}

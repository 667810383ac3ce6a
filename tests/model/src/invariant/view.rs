//! What an owner's view says, against what happened.

use alloc::vec::Vec;

use super::{Invariant, Ledger, Place, Service, Violation, must};
use sharekey::counter::Generation;
use sharekey::crypto::{Digest, PublicKey};

/// What an owner's phone shows of one slot.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ViewFacts {
    /// The slot, in the ownership that the view is of.
    pub place: Place,
    /// The record version as of which it is true, if it names one.
    pub as_of: Option<u64>,
    /// The grants whose keys may open, as it shows.
    pub may_open: Vec<Digest>,
    /// The download that it shows as confirmed: number, grant, device.
    pub confirmed: Vec<(Generation, Digest, PublicKey)>,
    /// The grants that a message signed by the lock, which this phone has learned, said to be installed.
    pub told: Vec<Digest>,
}

impl Ledger {
    /// Judges a view: whoever can open is in it ([`Invariant::HonestView`]), and who is confirmed did
    /// download ([`Invariant::Proof`]).
    ///
    /// A key can open while it is installed in the lock's present ownership. The view has to show it
    /// from the record version on at which it was released; and, whatever the service says, from when
    /// the lock told this phone.
    ///
    /// # Errors
    /// The invariant that the view breaks.
    pub fn judge_view(&self, view: &ViewFacts) -> Result<(), Violation> {
        for (generation, grant, device) in &view.confirmed {
            let facts = self.grants.get(grant);
            let right = facts.is_some_and(|facts| {
                (facts.place, facts.generation, facts.installed) == (view.place, *generation, Some(*device))
            });
            must(right, Invariant::Proof, "a view confirms a download that did not happen")?;
        }
        let current = self.owned(view.place.lock).is_some_and(|(epoch, _)| epoch == view.place.epoch);
        let Some(held) = self.held(view.place).filter(|_| current) else { return Ok(()) };
        let told = view.told.contains(&held.grant);
        let reported = self.service == Service::Honest && self.released_by(held.grant, view.as_of);
        let shown = view.may_open.contains(&held.grant);
        must(shown || !(told || reported), Invariant::HonestView, "a view hides a key that can open")
    }

    /// Whether the grant had been released at this version of the record.
    fn released_by(&self, grant: Digest, version: Option<u64>) -> bool {
        let released = self.grants.get(&grant).and_then(|grant| grant.released);
        released.zip(version).is_some_and(|((_, released), version)| released <= version)
    }
}

//! The reference: the service's record and two phones of one owner.

use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine;
use sharekey::counter::{Epoch, Generation, Term};
use sharekey::error::{KeyError, OwnerError, SignatureError};
use sharekey::message::WithdrawnOutcome;
use sharekey_model::state::{Meant, NewKey, OwnerStep, RecordModel, RecordStep, RecordVerdict, Signed, ViewModel};

use super::steps::{BAD, Grant, LOCK, Named, OWNER, Outcome, Proof, SERVICES, Spoil, Step, key, named};

pub const PHONES: usize = 2;

/// What must come of a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Expected {
    Record(RecordVerdict),
    Phone(Result<(), OwnerError>),
}

/// What the record keeps for the owner's app.
#[derive(Clone, Default, Debug)]
pub struct Evidence {
    pub done: Option<Proof>,
    pub inspected: Option<Proof>,
    pub receipt: Option<Proof>,
    pub withdrawn: Option<(Grant, Outcome)>,
    /// Grants that are shared no more and may open, each with the answer to its withdrawal.
    pub former: Vec<(Grant, Option<Outcome>)>,
}

#[derive(Clone, Debug)]
pub struct Machine {
    pub record: RecordModel,
    pub phones: [ViewModel; PHONES],
    /// The highest version that each phone saw.
    pub seen: [u64; PHONES],
    pub evidence: Evidence,
    pub grants: Vec<Grant>,
    pub proofs: Vec<Proof>,
    pub answers: Vec<(Grant, Outcome)>,
    pub expected: Option<Expected>,
    /// Mostly share after share.
    pub calm: bool,
}

fn new_key(who: u8) -> NewKey {
    NewKey { key: key(who), flaw: (who == BAD).then_some(KeyError::SmallOrder) }
}

fn meant(epoch: Epoch, by: u8, spoil: Spoil) -> Meant {
    let signed = Signed::by(key(if spoil == Spoil::Signer { SERVICES[1] } else { by }));
    // What the lock signs says of nobody.
    let by = if spoil == Spoil::Term && by == OWNER { Term::new(1) } else { Term::OWNER };
    Meant { for_this_lock: spoil != Spoil::Lock, epoch, for_this_slot: spoil != Spoil::Slot, by, signed }
}

impl Outcome {
    pub fn model(self) -> WithdrawnOutcome {
        match self {
            Self::Never => WithdrawnOutcome::NeverReleased,
            Self::Released(install) => WithdrawnOutcome::Released { install },
            Self::Settled => WithdrawnOutcome::Settled,
        }
    }

    pub fn of(outcome: WithdrawnOutcome) -> Self {
        match outcome {
            WithdrawnOutcome::NeverReleased => Self::Never,
            WithdrawnOutcome::Released { install } => Self::Released(install),
            WithdrawnOutcome::Settled => Self::Settled,
        }
    }
}

impl Proof {
    fn record_step(self, spoil: Spoil) -> RecordStep {
        let meant = meant(self.epoch(), LOCK, spoil);
        match self {
            Self::Receipt(install) => RecordStep::Receipt {
                meant,
                key: install.grant.key(),
                device: key(install.device),
                install: install.digest(),
                receipt: install.receipt(),
            },
            Self::Turned { activate, number, .. } => {
                RecordStep::Turned { meant, activate, number: Generation::new(number) }
            }
            Self::Inspected(found) => RecordStep::Inspected { meant, report: found.report(), done: found.digest() },
        }
    }

    fn owner_step(self) -> OwnerStep {
        match self {
            Self::Receipt(install) => OwnerStep::Receipt {
                key: install.grant.key(),
                device: key(install.device),
                install: install.digest(),
                receipt: install.receipt(),
            },
            Self::Turned { activate, number, .. } => OwnerStep::Turned { activate, number: Generation::new(number) },
            Self::Inspected(found) => OwnerStep::Inspected { report: found.report(), done: found.digest() },
        }
    }
}

impl Machine {
    pub fn new(calm: bool) -> Self {
        let epoch = Epoch::FIRST;
        Self {
            record: RecordModel::opened(key(SERVICES[0]), key(LOCK), key(OWNER), epoch),
            phones: [ViewModel::new(epoch), ViewModel::new(epoch)],
            seen: [0; PHONES],
            evidence: Evidence::default(),
            grants: Vec::new(),
            proofs: Vec::new(),
            answers: Vec::new(),
            expected: None,
            calm,
        }
    }

    fn step(&mut self, step: &Step) {
        self.hear(step);
        self.expected = Some(match *step {
            Step::Share { phone, subject } => Expected::Phone(self.share(phone, subject)),
            Step::Order { phone } => Expected::Phone(self.phone(phone, &OwnerStep::Order)),
            Step::LearnGrant { phone, grant } => Expected::Phone(self.learn_grant(phone, grant)),
            Step::LearnProof { phone, proof } => Expected::Phone(self.learn_proof(phone, proof)),
            Step::LearnAnswer { phone, grant, outcome } => Expected::Phone(self.learn_answer(phone, grant, outcome)),
            Step::LearnTransfer { phone, epoch } => Expected::Phone(self.transferred(phone, Epoch::new(epoch))),
            Step::See { phone } => Expected::Phone(self.see(phone)),
            _ => Expected::Record(self.serve(step)),
        });
    }

    /// What the step puts into the world.
    fn hear(&mut self, step: &Step) {
        match *step {
            Step::Publish { grant, .. } | Step::Withdraw { grant, .. } | Step::LearnGrant { grant, .. } => {
                self.grants.push(grant);
            }
            Step::Prove { proof, .. } | Step::LearnProof { proof, .. } => self.proofs.push(proof),
            _ => {}
        }
        self.grants.drain(..self.grants.len().saturating_sub(24));
        self.proofs.drain(..self.proofs.len().saturating_sub(12));
    }

    // --- the phones ---

    fn phone(&mut self, phone: usize, step: &OwnerStep) -> Result<(), OwnerError> {
        self.phones[phone].apply(step).map_err(OwnerError::Slot)
    }

    fn share(&mut self, phone: usize, subject: u8) -> Result<(), OwnerError> {
        if subject == BAD {
            return Err(OwnerError::SubjectKey(KeyError::SmallOrder));
        }
        let epoch = self.phones[phone].line.epoch.value();
        let number = self.phones[phone].next_number().map(Generation::value).unwrap_or(0);
        let grant = Grant { epoch, generation: number, subject };
        self.phone(phone, &OwnerStep::Share { grant: grant.digest() })?;
        self.grants.push(grant);
        Ok(())
    }

    fn current(&self, phone: usize, epoch: u32) -> Result<(), OwnerError> {
        if self.phones[phone].line.epoch.value() == epoch { Ok(()) } else { Err(OwnerError::WrongEpoch) }
    }

    fn learn_grant(&mut self, phone: usize, grant: Grant) -> Result<(), OwnerError> {
        self.current(phone, grant.epoch)?;
        self.phone(phone, &OwnerStep::Grant(grant.key()))
    }

    fn learn_proof(&mut self, phone: usize, proof: Proof) -> Result<(), OwnerError> {
        self.current(phone, proof.epoch().value())?;
        self.phone(phone, &proof.owner_step())
    }

    fn learn_answer(&mut self, phone: usize, grant: Grant, outcome: Outcome) -> Result<(), OwnerError> {
        self.current(phone, grant.epoch)?;
        self.phone(phone, &OwnerStep::Withdrawn(grant.key(), outcome.model()))
    }

    fn transferred(&mut self, phone: usize, epoch: Epoch) -> Result<(), OwnerError> {
        if epoch <= self.phones[phone].line.epoch {
            return Err(OwnerError::OldEpoch);
        }
        (self.phones[phone], self.seen[phone]) = (ViewModel::new(epoch), 0);
        Ok(())
    }

    /// Everything that came with a report, in its order, or nothing of it.
    fn see(&mut self, phone: usize) -> Result<(), OwnerError> {
        let (epoch, known) = (self.record.line.epoch, self.phones[phone].line.epoch);
        // The service answers whom its record names, of this ownership or an earlier one, and only for a lock that is its.
        if self.record.service != self.record.own || self.record.owner != key(OWNER) || known > epoch {
            return Err(OwnerError::NothingToLearn);
        }
        let mut next = self.clone();
        if epoch > known {
            next.transferred(phone, epoch)?;
        }
        let Evidence { done, inspected, receipt, withdrawn, former } = self.evidence.clone();
        for proof in [done, inspected, receipt].into_iter().flatten() {
            next.learn_proof(phone, proof)?;
        }
        for (grant, outcome) in &former {
            next.learn_grant(phone, *grant)?;
            if let Some(outcome) = outcome {
                next.learn_answer(phone, *grant, *outcome)?;
            }
        }
        if let Some(grant) = self.shared() {
            next.learn_grant(phone, grant)?;
        }
        let told = |grant: Grant| former.iter().any(|(known, outcome)| *known == grant && outcome.is_some());
        if let Some((grant, outcome)) = withdrawn.filter(|(grant, _)| !told(*grant)) {
            next.learn_answer(phone, grant, outcome)?;
        }
        if next.seen[phone] > self.record.version {
            return Err(OwnerError::OlderReport);
        }
        next.seen[phone] = self.record.version;
        *self = next;
        Ok(())
    }

    // --- the service ---

    fn serve(&mut self, step: &Step) -> RecordVerdict {
        let (step, stored) = record_step(step);
        let mut next = self.record.clone();
        let verdict = next.apply(&step);
        if !stored {
            return verdict;
        }
        let moved = next.line != self.record.line;
        if next.line.epoch != self.record.line.epoch {
            self.evidence = Evidence::default();
        }
        let before = self.shared();
        self.record = next;
        if self.shared().is_none() {
            self.evidence.former.extend(before.map(|grant| (grant, None)));
        }
        let live = &self.record.line.live;
        self.evidence.former.retain(|(grant, _)| live.contains_key(&grant.key()));
        self.keep(&step, &verdict, moved);
        verdict
    }

    /// The grant that the record shares.
    fn shared(&self) -> Option<Grant> {
        self.record.line.share.map(|share| match named(&share.key.grant) {
            Named::Grant(grant) => grant,
            _ => panic!("a grant is shared"),
        })
    }

    fn keep(&mut self, step: &RecordStep, verdict: &RecordVerdict, moved: bool) {
        if let (RecordStep::Withdraw { key, .. }, RecordVerdict::Withdrawn(outcome)) = (step, verdict) {
            let Named::Grant(grant) = named(&key.grant) else { panic!("a grant is withdrawn") };
            let answer = Outcome::of(*outcome);
            let of_grant = self.evidence.former.iter_mut().find(|(known, _)| *known == grant);
            let lacking = of_grant.as_ref().is_some_and(|(_, kept)| kept.is_none());
            // One that changed nothing is not kept.
            if moved || lacking {
                of_grant.into_iter().for_each(|(_, kept)| *kept = Some(answer));
                self.evidence.withdrawn = Some((grant, answer));
            }
            self.answers.push((grant, Outcome::of(*outcome)));
        }
        if !moved || !matches!(verdict, RecordVerdict::Proved(_)) {
            return;
        }
        let proof = self.proofs.last().copied();
        match step {
            RecordStep::Turned { .. } => self.evidence.done = proof,
            RecordStep::Inspected { .. } => self.evidence.inspected = proof,
            RecordStep::Receipt { .. } => self.evidence.receipt = proof,
            _ => {}
        }
    }
}

/// What reaches the service, and whether its store takes the record.
fn record_step(step: &Step) -> (RecordStep, bool) {
    match *step {
        Step::Publish { grant, spoil, stored } => {
            let meant = meant(Epoch::new(grant.epoch), OWNER, spoil);
            (RecordStep::Publish { meant, key: grant.key(), subject: new_key(grant.subject) }, stored)
        }
        Step::Withdraw { grant, spoil, stored } => {
            (RecordStep::Withdraw { meant: meant(Epoch::new(grant.epoch), OWNER, spoil), key: grant.key() }, stored)
        }
        Step::Release { install, spoil, stored } => {
            let by = |who: u8, other: bool| Signed::by(key(if other { SERVICES[1] } else { who }));
            let step = RecordStep::Release {
                grant: install.grant.digest(),
                claim_signed: by(install.grant.subject, spoil == Spoil::Claim),
                device: key(install.device),
                install_names_claim: spoil != Spoil::Names,
                install_signed: by(install.device, spoil == Spoil::Signer),
                install: install.digest(),
            };
            (step, stored)
        }
        Step::Prove { proof, spoil, stored } => (proof.record_step(spoil), stored),
        Step::Reopen { epoch, owner, service, spoil } => {
            let step = RecordStep::Reopen {
                flaw: (spoil == Spoil::Signer).then_some(SignatureError::Mismatch),
                for_this_lock: spoil != Spoil::Lock,
                epoch: Epoch::new(epoch),
                owner: new_key(owner),
                service: key(service),
            };
            (step, true)
        }
        _ => panic!("nothing that reaches the service"),
    }
}

impl ReferenceStateMachine for Machine {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        prop::bool::weighted(0.3).prop_map(Self::new).boxed()
    }

    fn transitions(state: &Self) -> BoxedStrategy<Step> {
        super::generate::step(state)
    }

    fn apply(mut state: Self, step: &Step) -> Self {
        state.step(step);
        state
    }
}
